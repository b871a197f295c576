"""Neighbours: an item and the items most correlated with it (Eq. 9), to be walked from one to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QModelIndex, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSpinBox,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.config import fields_of
from engine.errors import EngineError
from engine.records import NeighbourList, NeighbourRecord
from workbench.context import Context
from workbench.item_models.rows import Column, RowsModel
from workbench.pages import Page, PageCommand, PageWidget
from workbench.theme import HUGE, SMALL, SPACE, TIGHT, WIDE
from workbench.widgets.bar_delegate import BarDelegate
from workbench.widgets.cards import Card, Elided, label, roomy
from workbench.widgets.item_search import ItemSearch
from workbench.widgets.numbers import count
from workbench.widgets.row_list import RowList
from workbench.widgets.states import StatefulStack

HISTORY = 200
TITLE, ID, SCORE, NORMALISED = 1, 2, 3, 4


class Ranked(NamedTuple):
    """A neighbour with its place, from 1."""

    rank: int
    of: NeighbourRecord


class NeighboursPage(PageWidget):
    """Search on the left, the picked item's neighbours on the right."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.list: NeighbourList | None = None
        self._history: list[str] = []
        self._place = -1
        self._dataset = ""
        self._best = 1.0
        self.search = ItemSearch(context)
        self.title = Elided("", "page-title")
        self.facts = label("", "muted")
        self.note = label("", "note", wrap=True)
        self.back_button, self.forward_button = QToolButton(), QToolButton()
        self.k = QSpinBox()
        self.copy_button = QPushButton("Copy as CSV")
        self.model = RowsModel(self._columns())
        self.view = RowList()
        self.stack = StatefulStack(self._card(), context.theme)
        self._arrange()
        self._connect()
        self._show_start()

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column("#", lambda row: row.rank),
            Column("Neighbour", lambda row: row.of.title or f"Item {row.of.item}"),
            Column("Id", lambda row: row.of.item),
            Column(
                "Score",
                lambda row: row.of.score,
                lambda row: f"{row.of.score:.4f}",
                lambda row: float(row.of.score / self._best),
                "Memory-based correlation (Eq. 9); the bar is relative to this item's best neighbour",
            ),
            Column(
                "Normalised",
                lambda row: row.of.normalised,
                lambda row: f"{row.of.normalised:.4f}",
                lambda row: float(row.of.normalised),
                "Min-max over all pairs, 0…1: what the hybrid compares (Eq. 11)",
            ),
            Column("Shared users", lambda row: row.of.shared_users, tip="Users who have both items"),
            Column("Users", lambda row: row.of.users, tip="Users who have the neighbour"),
        )

    def _card(self) -> QWidget:
        card = Card()
        head = QHBoxLayout()
        head.setSpacing(SMALL)
        head.addWidget(self.facts, 1)
        name = label("Neighbours", "muted")
        name.setBuddy(self.k)
        head.addWidget(name)
        head.addWidget(self.k)
        head.addWidget(self.copy_button)
        card.body.addLayout(head)
        card.body.addWidget(self.note)
        card.body.addWidget(self.view, 1)
        return card

    def _arrange(self) -> None:
        theme = self.context.theme
        for button, icon, name in (
            (self.back_button, "chevron-left", "Back to the item before (Alt+Left)"),
            (self.forward_button, "chevron-right", "Forward (Alt+Right)"),
        ):
            theme.follow_icon(button, icon)
            button.setToolTip(name)
            button.setAccessibleName(name)
            button.setEnabled(False)
        theme.follow_icon(self.copy_button, "copy", "muted")
        self.k.setRange(1, 1000)
        self.k.setValue(20)
        roomy(self.k)
        self.k.setMinimumWidth(76)
        self.k.setAccessibleName("Number of neighbours")
        self.k.setToolTip("How many of the best neighbours to show")
        self._dress_view()
        side = Card("Items")
        side.body.addWidget(self.search, 1)
        head = QHBoxLayout()
        head.setSpacing(TIGHT)
        head.addWidget(self.back_button)
        head.addWidget(self.forward_button)
        head.addSpacing(SMALL)
        head.addWidget(self.title, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(head)
        column.addWidget(self.stack, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(side)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([360, 900])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(HUGE, WIDE + TIGHT, HUGE, HUGE)
        layout.addWidget(self.splitter)

    def _dress_view(self) -> None:
        self.view.setModel(self.model)
        self.view.setAccessibleName("Neighbours of the item")
        self.view.setToolTip("Click a neighbour, or press Return on it, to see its own neighbours")
        self.view.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        for column in (SCORE, NORMALISED):
            self.view.setItemDelegateForColumn(column, BarDelegate(self.context.theme, self.view))
        header = self.view.horizontalHeader()
        header.setMinimumSectionSize(36)
        for column in range(len(self.model.columns)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        for column in (SCORE, NORMALISED):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(column, 150)

    def _connect(self) -> None:
        self.search.picked.connect(self.walk)
        self.search.failed.connect(self._search_failed)
        self.search.arrived.connect(self._search_arrived)
        self.view.activated.connect(self._walk_to_row)
        self.view.clicked.connect(self._walk_to_row)
        self.back_button.clicked.connect(self.go_back)
        self.forward_button.clicked.connect(self.go_forward)
        self.k.valueChanged.connect(self._load)
        self.copy_button.clicked.connect(self.copy_csv)
        self.context.session.dataset_changed.connect(self._dataset_changed)

    # --- which item

    def page_shown(self) -> None:
        if self._dataset != self.context.session.dataset:
            self._dataset = self.context.session.dataset
            self._history, self._place, self.list = [], -1, None
            self.search.field.clear()
            self.search.model.set_rows(())
            self._show_start()
            self.stack.show_loading("Looking up the items …")
            self.search.search()
            self.search.field.setFocus()

    @Slot(str)
    def _dataset_changed(self, _path: str) -> None:
        if self.isVisible():
            self.page_shown()

    def open_state(self, item: str = "", **_: Any) -> None:
        """Show the neighbours of ``item``."""
        if item:
            self.walk(item)

    @property
    def item(self) -> str:
        """Id of the item that is shown or being looked up; empty at the start."""
        return self._history[self._place] if self._place >= 0 else ""

    @Slot(str)
    def walk(self, item: str) -> None:
        """Go to an item; what was ahead in the history is forgotten."""
        if item != self.item:
            self._history = [*self._history[: self._place + 1], item][-HISTORY:]
            self._place = len(self._history) - 1
        self._load()

    def _walk_to_row(self, index: QModelIndex) -> None:
        self.walk(self.model.rows[index.row()].of.item)

    @Slot()
    def go_back(self) -> None:
        """The item before."""
        if self.can_go_back():
            self._place -= 1
            self._load()

    @Slot()
    def go_forward(self) -> None:
        """The item after."""
        if self.can_go_forward():
            self._place += 1
            self._load()

    def can_go_back(self) -> bool:
        return self._place > 0

    def can_go_forward(self) -> bool:
        return self._place < len(self._history) - 1

    # --- its neighbours

    @Slot()
    def _load(self, *_: object) -> None:
        self.back_button.setEnabled(self.can_go_back())
        self.forward_button.setEnabled(self.can_go_forward())
        if not self.item:
            return
        if self.list is None:
            # The first look-up counts all correlations; later ones are instant and need no curtain.
            self.stack.show_loading("Counting who shares which items …", None)
        self.context.run_in_engine(
            self.context.workspace.neighbours.of,
            self._dataset or self.context.session.dataset,
            self.item,
            self.k.value(),
            config=self.context.session.config,
            on_result=self._show,
            on_error=self._failed,
            key=(id(self), "neighbours"),
        )

    def _show(self, found: NeighbourList) -> None:
        self.list = found
        self._best = max((row.score for row in found.neighbours), default=1.0) or 1.0
        had_focus = self.view.hasFocus()
        self.model.set_rows([Ranked(rank, of) for rank, of in enumerate(found.neighbours, 1)])
        self.view.setColumnHidden(ID, not any(row.title for row in found.neighbours))
        self.title.set_full(found.item.title or f"Item {found.item.item}")
        self.facts.setText(f"Item {found.item.item} · in the {self._counted()} of {count(found.item.users, 'user')}")
        self.note.setText(found.note)
        self.note.setVisible(bool(found.note))
        self.view.setVisible(bool(found.neighbours))
        self.copy_button.setEnabled(bool(found.neighbours))
        self.search.select(found.item.item)
        self.stack.show_content()
        if found.neighbours:
            self.view.setCurrentIndex(self.model.index(0, 0))
            self.view.scrollToTop()
            if had_focus:
                self.view.setFocus()

    def _counted(self) -> str:
        """What the correlations are counted over, in the words of the setting (FACTS F15)."""
        fields = fields_of(self.context.session.config, "fidelity")
        return next(info.choices[info.value] for info in fields if info.name == "correlation_items")

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, EngineError):
            self.context.notifier.report(error)
        self.list = None
        self.title.set_full("Neighbours" if not self.item else f"Item {self.item}")
        self.stack.show_error(error, "Try again", self._load)

    def _search_failed(self, error: BaseException) -> None:
        if not isinstance(error, EngineError):
            self.context.notifier.report(error)
        self.stack.show_error(error, "Try again", self.search.search)

    @Slot()
    def _search_arrived(self) -> None:
        """The items can be read (again): whatever stood in their place is over."""
        if not self.item and self.stack.state != "empty":
            self._show_start()

    def _show_start(self) -> None:
        self.title.set_full("Neighbours")
        self.back_button.setEnabled(False)
        self.forward_button.setEnabled(False)
        self.stack.show_empty(
            "Pick an item",
            "Its most correlated items stand behind Substitute and Insert. Click a neighbour to walk on from it.",
            "neighbours",
        )

    @Slot()
    def copy_csv(self) -> None:
        """Put the table on the clipboard as CSV, numbers unrounded."""
        if self.list is not None and self.list.neighbours:
            QGuiApplication.clipboard().setText(self.model.as_csv())
            self.context.notifier.tell(f"Copied {count(len(self.list.neighbours), 'neighbour')} as CSV.", level="good")

    # --- the page's protocol

    def filter_box(self) -> QWidget:
        return self.search.field

    def save_state(self) -> dict[str, Any]:
        return {"k": self.k.value(), "split": self.splitter.sizes()}

    def restore_state(self, state: dict[str, Any]) -> None:
        k, sizes = state.get("k"), state.get("split")
        if isinstance(k, int):
            self.k.setValue(k)
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(size, int) for size in sizes):
            self.splitter.setSizes(sizes)


PAGE = Page(
    id="neighbours",
    title="Neighbours",
    icon="neighbours",
    order=3,
    build=NeighboursPage,
    tip="Which items the correlations put beside an item",
    commands=(
        PageCommand("back", "Back to the item before", "go_back", "Alt+Left", "can_go_back", icon="chevron-left"),
        PageCommand("forward", "Forward", "go_forward", "Alt+Right", "can_go_forward", icon="chevron-right"),
        PageCommand("copy", "Copy the neighbours as CSV", "copy_csv", icon="copy"),
    ),
)
