"""One user: the sequence with its split as a strip, the same as a table with titles, and what K and the encoder see."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.records import PlacedItem, UserSequence
from workbench.item_models.rows import Column, RowsModel
from workbench.plots.timeline_plot import moment
from workbench.theme import SMALL, SPACE, WIDE, Theme
from workbench.widgets.cards import Elided, label
from workbench.widgets.numbers import count
from workbench.widgets.row_list import RowList
from workbench.widgets.sequence_strip import LaneNames, SequenceStrip
from workbench.widgets.states import StatefulStack
from workbench.widgets.tables import Columns, show_as_table_button

PARTS = {"training": "Training", "valid": "Validation target", "test": "Test target"}
LEGEND = "↺ had before · ∅ in no training part · dashed line: K · hatched: older than the encoder sees"
Row = tuple[int, PlacedItem]


def roles(step: PlacedItem) -> str:
    """What the action is used for."""
    words = [PARTS[step.part]] if step.part != "training" else []
    words += ["input"] if step.is_input else []
    words += ["training target"] if step.is_target else []
    return " · ".join(words) or "correlations only"


def notes(step: PlacedItem) -> str:
    """Repeated, cold."""
    return " · ".join(
        text for is_so, text in ((step.is_repeat, "↺ had before"), (step.is_cold, "∅ never trained on")) if is_so
    )


COLUMNS = (
    Column("#", lambda row: row[0] + 1),
    Column("Item", lambda row: row[1].item),
    Column("Title", lambda row: row[1].title),
    Column("Used as", lambda row: roles(row[1]), tip="By leave-one-out"),
    Column("Note", lambda row: notes(row[1])),
    Column("Users", lambda row: row[1].training_users, tip="Users whose training part has the item"),
    Column("Time (UTC)", lambda row: "" if row[1].time is None else moment(row[1].time, "%Y-%m-%d %H:%M")),
)


class SequencePanel(QWidget):
    """``asked`` when a user is entered by id; ``augment`` and ``neighbours`` lead to the other pages."""

    asked = Signal(str)
    augment = Signal(str)
    neighbours = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.sequence: UserSequence | None = None
        self._k = 4
        self._longest: int | None = None
        self.title = label("", "title")
        self.words = label("", "muted", wrap=True)
        self.by_id = QLineEdit()
        self.to_augment = QPushButton("Augment")
        self.table_button = show_as_table_button(theme, self._table_title, self.columns)
        self.strip = SequenceStrip(theme)
        self.lane_names = LaneNames(theme)
        self.area = QScrollArea()
        self.model = RowsModel(COLUMNS)
        self.view = RowList()
        self.legend = Elided(
            "↺ had before · ∅ in no training part · dashes: K · hatched: older than the encoder sees", "muted"
        )
        self.stack = StatefulStack(self._content(), theme)
        self._arrange(theme)
        self.by_id.returnPressed.connect(self._ask)
        self.to_augment.clicked.connect(self._to_augment)
        self.strip.moved.connect(self._strip_moved)
        self.view.selectionModel().currentRowChanged.connect(self._row_changed)
        self.view.activated.connect(lambda index: self.neighbours.emit(self.model.rows[index.row()][1].item))
        self.clear()

    def _content(self) -> QWidget:
        self.area.setWidget(self.strip)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setFixedHeight(self.strip.sizeHint().height() + 16)
        drawn = QHBoxLayout()
        drawn.setSpacing(0)
        drawn.addWidget(self.lane_names, 0, Qt.AlignmentFlag.AlignTop)
        drawn.addWidget(self.area, 1)
        self.view.setModel(self.model)
        self.view.setAccessibleName("The user's actions")
        self.view.setToolTip("Return: the item's neighbours")
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addWidget(self.words)
        layout.addLayout(drawn)
        layout.addWidget(self.legend)
        layout.addWidget(self.view, 1)
        return content

    def _arrange(self, theme: Theme) -> None:
        self.by_id.setPlaceholderText("User id")
        self.by_id.setAccessibleName("Show the user with this id")
        self.by_id.setToolTip("Show the user with this id (Return)")
        self.by_id.setMaximumWidth(150)
        self.to_augment.setToolTip("Open this user on the Augment page")
        theme.follow_icon(self.to_augment, "augment", "muted")
        head = QHBoxLayout()
        head.setSpacing(SMALL)
        head.addWidget(self.title, 1)
        for widget in (self.by_id, self.to_augment, self.table_button):
            head.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)

    # --- what is shown

    def _forget(self) -> None:
        self.sequence = None
        self.title.setText("No user")
        self.to_augment.setEnabled(False)
        self.table_button.setEnabled(False)

    def clear(self) -> None:
        """No user."""
        self._forget()
        self.stack.show_empty("Pick a user from the table, or enter an id.", "", "dataset")

    def set_sequence(self, sequence: UserSequence) -> None:
        """Show a user."""
        self.sequence = sequence
        self.title.setText(f"User {sequence.user}")
        self.to_augment.setEnabled(True)
        self.table_button.setEnabled(True)
        self.by_id.clear()
        self.strip.set_sequence(sequence)
        self.lane_names.set_names(self.strip.lanes)
        self.model.set_rows(tuple(enumerate(sequence.places)))
        has_times = any(step.time is not None for step in sequence.places)
        has_titles = any(step.title for step in sequence.places)
        self.view.setColumnHidden(2, not has_titles)
        self.view.setColumnHidden(6, not has_times)
        header = self.view.horizontalHeader()
        stretched = 2 if has_titles else 3
        header.setResizeContentsPrecision(60)
        for place in range(len(COLUMNS)):
            if place != stretched:
                header.setSectionResizeMode(place, QHeaderView.ResizeMode.Interactive)
                self.view.resizeColumnToContents(place)
        header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        self._say()
        self.stack.show_content()
        # The newest items are what training, validation and test are about.
        bar = self.area.horizontalScrollBar()
        bar.setValue(bar.maximum())

    def set_split(self, k: int, longest: int | None) -> None:
        """K of Eq. 12 and the encoder's ``max_length`` (None: it sees everything)."""
        self._k, self._longest = k, longest
        self.strip.set_split(k, longest)
        self._say()

    def show_error(self, error: BaseException) -> None:
        """The user cannot be shown."""
        self._forget()
        self.stack.show_error(error)

    def _say(self) -> None:
        found = self.sequence
        if found is None:
            return
        if not found.is_evaluated:
            self.words.setText(
                f"{count(len(found.places), 'item')}: fewer than the 4 that the split needs. "
                "Nothing is held out; the user counts in item correlations only."
            )
            return
        branch = "short" if found.training_length <= self._k else "long"
        sign = "≤" if branch == "short" else ">"
        words = (
            f"{count(len(found.places), 'item')}. Training input: {found.training_length:,} {sign} K = {self._k}, "
            f"so it is {branch} (Eq. 12)."
        )
        if self._longest is not None and len(found.places) - 1 > self._longest:
            words += f" The encoder sees the last {self._longest:,} of each input."
        test = found.places[-1]
        if test.is_repeat:
            words += " The test target is in its own history: a certain miss where seen items are excluded."
        elif test.is_cold:
            words += " The test target is in no training part: nearly a certain miss."
        self.words.setText(words)

    def columns(self) -> Columns:
        """The sequence, for 'Show as table'."""
        rows = self.model.rows
        return [(column.title, [column.value(row) for row in rows]) for column in COLUMNS]

    def _table_title(self) -> str:
        return f"Sequence of user {self.sequence.user}" if self.sequence else "Sequence"

    # --- what the user does

    @Slot()
    def _ask(self) -> None:
        if self.by_id.text().strip():
            self.asked.emit(self.by_id.text().strip())

    @Slot()
    def _to_augment(self) -> None:
        if self.sequence is not None:
            self.augment.emit(self.sequence.user)

    @Slot(int)
    def _strip_moved(self, place: int) -> None:
        self.view.setCurrentIndex(self.model.index(place, 0))

    @Slot(QModelIndex, QModelIndex)
    def _row_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self.strip.set_current(index.row())
            box = self.strip.area(index.row())
            self.area.ensureVisible(box.center().x(), box.center().y(), box.width() // 2 + 20, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.strip.set_room(self.area.viewport().width())
