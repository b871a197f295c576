"""What one to three runs recommend to one user: history, lists, the target's rank, attention; and whom to look at.

Both Runs and Compare show it: they give it runs to choose from with `set_choices`, and it asks the engine for the rest,
once it is seen.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QSignalBlocker, QStringListModel, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.records import Matches, Recommendations, UserRecord
from workbench.context import Context
from workbench.engine_process import Task
from workbench.item_models.recommended import LETTERS
from workbench.theme import SMALL, SPACE, WIDE
from workbench.widgets.cards import Elided, label, roomy, scrolled
from workbench.widgets.choice_box import ChoiceBox, NameBox, NumberBox, Proposals
from workbench.widgets.pieces import InPieces
from workbench.widgets.recommended_list import ListsBeside
from workbench.widgets.row_list import SearchField
from workbench.widgets.save_dialog import ask_where
from workbench.widgets.states import StatefulStack
from workbench.widgets.user_finder import UserFinder, workspace_option

WIDE_ENOUGH = 1150
"""Pixels: where the search for users leaves room for a history and two lists, it stands at their left; otherwise it is
a tab beside them."""
FINDER_WIDTH, QWIDGETSIZE_MAX = 360, (1 << 24) - 1
LISTS, ATTENTION, USERS = "Lists", "Attention", "Find users"
PROPOSED = 20
"""Ids proposed while one is typed."""
WAIT_MS = 150


class Choice(NamedTuple):
    """A run that can be asked, and what the window calls it."""

    run: str
    name: str


class RecommendationsView(InPieces):
    """``found`` is what is shown; ``user`` the id that is shown or asked for."""

    def __init__(self, context: Context, *, at_once: bool = True) -> None:
        self.context = context
        self.found: Recommendations | None = None
        self.user = ""
        self.choices: tuple[Choice, ...] = ()
        self.is_chosen_by_hand = False
        """Whether somebody has chosen A, B or C: then others do not take their places unasked."""
        self._asked: object = None
        self._task: Task | None = None
        super().__init__(at_once=at_once)

    def make(self) -> Iterator[None]:
        self.run_boxes = [NameBox() for _ in LETTERS]
        self.field = SearchField()
        self.before, self.after = QToolButton(), QToolButton()
        self.split_box, self.top = ChoiceBox(), NumberBox()
        self.copy_button, self.export_button = QToolButton(), QToolButton()
        self.told = Elided("", "muted")
        self.tabs = QTabWidget()
        yield
        self._fill()
        yield
        yield from self._arrange()
        yield
        self.lists = ListsBeside(self.context.theme)
        yield
        self.stack = StatefulStack(self.lists, self.context.theme)
        self.tabs.addTab(self.stack, LISTS)
        yield
        # Imported with the widget, not with its file: pyqtgraph costs a third of a second before the first paint.
        from workbench.widgets.attention_card import AttentionCard

        self.attention = AttentionCard(self.context.theme)
        yield
        self.tabs.addTab(self.attention, ATTENTION)
        yield
        self.finder = UserFinder(self.context)
        yield
        self.tabs.addTab(self.finder, USERS)
        yield
        self._connect()
        self._place_finder()
        self._show_buttons()
        self.whole.show_empty("No run is selected", "Select one in the table.", "runs")

    # --- parts

    def _fill(self) -> None:
        theme = self.context.theme
        for letter, box in zip(LETTERS, self.run_boxes, strict=True):
            box.setAccessibleName(f"Run {letter}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
        self.field.setPlaceholderText("User id")
        self.field.setAccessibleName("User, by the id in the data file")
        self.field.setToolTip("Type an id and press Return")
        self.field.setMinimumWidth(70)
        self.completer = Proposals(QStringListModel(self), theme, self)
        self.completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.field.setCompleter(self.completer)
        self.split_box.addItem("Test", "test")
        self.split_box.addItem("Validation", "valid")
        self.split_box.setAccessibleName("Targets")
        self.split_box.setToolTip("Leave-one-out: the last item, or the one before it")
        self.top.setRange(1, 1000)
        self.top.setValue(20)
        self.top.setPrefix("top ")
        self.top.setAccessibleName("Items of each list")
        self.top.setToolTip("How many of the best items to list")
        roomy(self.top)
        for button, icon, name in (
            (self.before, "chevron-left", "Previous user of the search (Alt+Left)"),
            (self.after, "chevron-right", "Next user of the search (Alt+Right)"),
            (self.copy_button, "copy", "Copy as command: coserec recommend …"),
            (self.export_button, "export", "Export the lists as CSV …"),
        ):
            theme.follow_icon(button, icon)
            button.setToolTip(name)
            button.setAccessibleName(name)

    def _arrange(self) -> Iterator[None]:
        """The frame first, then what stands in it: a whole page put into the window at once would be felt."""
        runs, user = QHBoxLayout(), QHBoxLayout()
        for row in (runs, user):
            row.setSpacing(SMALL)
        self.tabs.setDocumentMode(True)
        self.row = QHBoxLayout()
        self.row.setSpacing(WIDE)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, SPACE, WIDE, WIDE)
        column.setSpacing(SMALL)
        column.addLayout(runs)
        column.addLayout(user)
        column.addWidget(self.told)
        column.addLayout(self.row, 1)
        self.whole = StatefulStack(scrolled(inner), self.context.theme)  # on a small screen it scrolls
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.whole)
        self.row.addWidget(self.tabs, 1)
        yield
        for letter, box in zip(LETTERS, self.run_boxes, strict=True):
            caption = label(letter, "muted")
            caption.setBuddy(box)
            runs.addWidget(caption)
            runs.addWidget(box, 1)
        yield
        caption = label("User", "muted")
        caption.setBuddy(self.field)
        for widget, stretch in (
            (caption, 0),
            (self.before, 0),
            (self.field, 1),
            (self.after, 0),
            (self.split_box, 0),
            (self.top, 0),
            (self.copy_button, 0),
            (self.export_button, 0),
        ):
            user.addWidget(widget, stretch)

    def _connect(self) -> None:
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(WAIT_MS)
        self._typing.timeout.connect(self._propose)
        for box in self.run_boxes:
            box.activated.connect(lambda _: self._runs_chosen_by_hand())
        self.field.textEdited.connect(lambda _: self._typing.start())
        self.field.returnPressed.connect(lambda: self.show_user(self.field.text()))
        self.completer.activated[str].connect(self.show_user)  # type: ignore[index]
        self.before.clicked.connect(self.go_before)
        self.after.clicked.connect(self.go_after)
        self.split_box.activated.connect(lambda _: self._split_chosen())
        self.top.valueChanged.connect(lambda _: self.load())
        self.copy_button.clicked.connect(self.copy_command)
        self.export_button.clicked.connect(self.export)
        self.tabs.currentChanged.connect(lambda _: self._tab_chosen())
        self.finder.picked.connect(self._found_picked)
        self.finder.arrived.connect(self._first_user)
        for keys, go in (("Alt+Left", self.go_before), ("Alt+Right", self.go_after)):
            QShortcut(QKeySequence(keys), self, go, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.is_whole:
            self._place_finder()

    def _place_finder(self) -> None:
        """The search for users stands beside the lists where there is room, else in a tab of its own."""
        is_wide = self.width() >= WIDE_ENOUGH
        stands_beside = self.row.indexOf(self.finder) >= 0
        if is_wide and not stands_beside:
            self.row.insertWidget(0, self.finder)
            self.finder.setFixedWidth(FINDER_WIDTH)
            self.finder.show()
        elif not is_wide and stands_beside:
            self.row.removeWidget(self.finder)
            self.finder.setMinimumWidth(0)
            self.finder.setMaximumWidth(QWIDGETSIZE_MAX)
            self.tabs.addTab(self.finder, USERS)

    # --- which runs

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The chosen runs, A first, none twice."""
        chosen = (str(box.currentData() or "") for box in self.run_boxes)
        return tuple(dict.fromkeys(run for run in chosen if run))

    def set_choices(self, choices: Sequence[Choice], chosen: Sequence[str] = ()) -> None:
        """Offer these runs; ``chosen`` are A, B and C. Choices that are offered already change nothing."""
        if tuple(choices) == self.choices and tuple(chosen) in ((), self.run_ids):
            return
        self.choices = tuple(choices)
        wanted = [run for run in chosen or self.run_ids if any(run == choice.run for choice in choices)]
        for place, box in enumerate(self.run_boxes):
            with QSignalBlocker(box):
                box.clear()
                if place:
                    box.addItem("–", "")
                for choice in choices:
                    box.addItem(choice.name, choice.run)
                    box.setItemData(box.count() - 1, f"{choice.name} · {choice.run}", Qt.ItemDataRole.ToolTipRole)
                box.setCurrentIndex(max(box.findData(wanted[place]), 0) if place < len(wanted) else 0)
        self._runs_chosen()

    def show_none(self, title: str, hint: str) -> None:
        """There is no run to ask: say why."""
        self.choices = ()
        self.found = None
        self._asked = None
        for box in self.run_boxes:
            box.clear()
        self.context.forget((id(self), "of"))
        self.whole.show_empty(title, hint, "runs")

    def _runs_chosen(self) -> None:
        if not self.run_ids:
            return
        for letter, box in zip(LETTERS, self.run_boxes, strict=True):
            run = str(box.currentData() or "")
            box.setToolTip(f"Run {letter}: {self.name_of(run)} · {run}" if run else f"A run {letter} beside A")
        self.whole.show_content()
        self.finder.set_runs(self.run_ids)
        self._asked = None
        self.refresh()

    def _runs_chosen_by_hand(self) -> None:
        self.is_chosen_by_hand = True
        self._runs_chosen()

    def _split_chosen(self) -> None:
        self.finder.split = self.split_box.currentData()
        self.finder.search()
        self.load()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Ask for what is not shown yet, where somebody looks."""
        if self.isVisible() and self.run_ids and self._asked is None:
            self._asked = self.run_ids
            self.finder.search()
            if self.user:
                self.load()
            else:
                self.stack.show_loading("Looking for a user …")

    def name_of(self, run: str) -> str:
        """What the window calls a run."""
        return next((choice.name for choice in self.choices if choice.run == run), run)

    # --- which user

    @Slot()
    def _first_user(self) -> None:
        """Something to look at: the first user of the search, or of the file where the runs cannot be searched."""
        if self.user or not self.run_ids:
            return
        if first := self.finder.beside(0):
            self.show_user(first)
        else:
            self._go_in_file(1)

    @Slot(str)
    def _found_picked(self, user: str) -> None:
        self.show_user(user)
        if self.tabs.currentWidget() is self.finder:
            self.tabs.setCurrentIndex(0)

    @Slot(str)
    def show_user(self, user: str) -> None:
        """Show another user, by the id in the data file."""
        user = user.strip()
        if not user:
            return
        self.user = user
        if self.field.text() != user:
            self.field.setText(user)
        self.finder.show_user(user)
        self.load()

    @Slot()
    def go_before(self) -> None:
        """The user before, in the search's list; without one, in the file."""
        self._go(-1)

    @Slot()
    def go_after(self) -> None:
        """The user after."""
        self._go(1)

    def _go(self, step: int) -> None:
        if other := self.finder.beside(step):
            self.show_user(other)
        elif self.run_ids:
            self._go_in_file(step)

    def _go_in_file(self, step: int) -> None:
        self.context.run_in_engine(
            self.context.workspace.recommendations.beside,
            self.run_ids[0],
            self.user,
            step,
            on_result=self.show_user,
            on_error=self._failed,
            key=(id(self), "beside"),
        )

    @Slot()
    def _propose(self) -> None:
        """Ids that contain what is typed."""
        record = self.context.runs.get(self.run_ids[0]) if self.run_ids else None
        path = str(record.config.get("data", {}).get("path", "")) if record is not None else ""
        if not path or not self.field.text().strip():
            return
        self.context.run_in_engine(
            self.context.workspace.datasets.users,
            path,
            self.field.text().strip(),
            PROPOSED,
            on_result=self._show_proposed,
            on_error=lambda _error: None,  # the lists say that the data cannot be read
            key=(id(self), "propose"),
        )

    def _show_proposed(self, found: Matches[UserRecord]) -> None:
        model: Any = self.completer.model()
        model.setStringList([row.user for row in found.rows])
        if self.field.hasFocus() and self.field.text() != self.user and found.rows:
            self.completer.complete()

    # --- what is recommended

    @Slot()
    def load(self) -> None:
        """Ask for the user's lists."""
        if not self.user or not self.run_ids:
            return
        if self.found is None or tuple(run.run for run in self.found.runs) != self.run_ids:
            # The first user of these runs waits for their weights; the next ones need no curtain.
            self.stack.show_loading("Reading the weights and ranking all items …", self.cancel)
        self._task = self.context.run_in_engine(
            self.context.workspace.recommendations.of,
            self.run_ids,
            self.user,
            split=self.split_box.currentData(),
            top=self.top.value(),
            attention=self.tabs.currentWidget() is self.attention,
            on_result=self._show,
            on_error=self._failed,
            key=(id(self), "of"),
        )

    @Slot()
    def cancel(self) -> None:
        """End the look-up."""
        if self._task is not None:
            self._task.cancel()
        self.found = None
        self.stack.show_empty("Cancelled", "", "runs", "Look up again", self.load)

    def _failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        self.found = None
        self.told.set_full("")
        self._show_buttons()
        for stack in (self.stack, self.attention.stack):
            stack.show_error(error, "Try again", self.load)

    def _show(self, found: Recommendations) -> None:
        self.found = found
        names = [self.name_of(run.run) for run in found.runs]
        self.lists.show_found(found, names)
        self.attention.show_found(found, names)
        self.told.set_full(
            " · ".join(
                [
                    f"{found.dataset}, user {found.user}",
                    f"{len(found.history):,} items of history, training input {found.training_length:,}",
                    *found.notes,
                ]
            )
        )
        self.stack.show_content()
        self._show_buttons()

    def _show_buttons(self) -> None:
        for button in (self.copy_button, self.export_button):
            button.setEnabled(self.found is not None)

    def _tab_chosen(self) -> None:
        """The attention weights come when somebody looks at them."""
        missing = self.found is not None and any(run.has_attention and run.attention is None for run in self.found.runs)
        if self.tabs.currentWidget() is self.attention and missing:
            self.load()

    # --- out of it

    def command(self) -> str:
        """The lists as a command."""
        parts = ["coserec", "recommend", *self.run_ids, "--user", self.user]
        parts += ["--split", str(self.split_box.currentData()), "--top", str(self.top.value())]
        parts += ["--attention"] if self.tabs.currentWidget() is self.attention else []
        return shlex.join([*parts, *workspace_option(self.context)])

    @Slot()
    def copy_command(self) -> None:
        """Put the lists on the clipboard as a command."""
        text = self.command()
        QGuiApplication.clipboard().setText(text)
        self.context.notifier.tell("Copied the command.", hint=text)

    @Slot()
    def export(self) -> None:
        """Ask for a file, without blocking the window, and write the lists there as CSV."""
        if self.found is None:
            return
        name = f"user-{self.found.user}.csv"
        ask_where(self.window(), "Export the lists", name, "CSV (*.csv)", self.export_to)

    @Slot(str)
    def export_to(self, file: str) -> None:
        """Write every list as CSV, numbers unrounded."""
        if self.found is not None:
            self.context.run_in_engine(
                self.context.workspace.recommendations.export,
                self.found,
                Path(file),
                on_result=lambda path: self.context.notifier.tell(f"Wrote {path}.", level="good"),
            )
