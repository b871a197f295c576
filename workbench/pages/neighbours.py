"""Neighbours: an item under several similarities side by side, to be walked from one item to the next (Eq. 9–11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine import registry
from engine.config import ExperimentConfig, fields_of
from engine.records import NeighbourComparison
from workbench.engine_process import Task
from workbench.item_names import item_name
from workbench.pages import Page, PageCommand, PageWidget, tab_commands
from workbench.theme import HUGE, SMALL, SPACE, TIGHT, WIDE
from workbench.widgets.cards import Elided, SideBySide, label, roomy
from workbench.widgets.choice_box import NumberBox
from workbench.widgets.item_search import ItemSearch
from workbench.widgets.neighbour_column import NeighbourColumnCard
from workbench.widgets.numbers import count
from workbench.widgets.run_choice import RunChoice
from workbench.widgets.save_dialog import ask_where
from workbench.widgets.states import StatefulStack

HISTORY = 200
MEMORY, MODEL, HYBRID = "item_cf", "embedding", "hybrid"
ITEM_TAB, ALL_TAB = 0, 1


class NeighboursPage(PageWidget):
    """Search on the left; on the right the picked item's columns, and the whole data set behind a second tab."""

    def make(self) -> Iterator[None]:
        from workbench.widgets.neighbour_summary import NeighbourSummaryTab

        yield
        context = self.context
        self.list: NeighbourComparison | None = None
        self._history: list[str] = []
        self._place = -1
        self._dataset = ""
        self._task: Task | None = None
        self._counted_with: ExperimentConfig | None = None
        self.search = ItemSearch(context)
        self.title = Elided("", "page-title")
        self.facts = label("", "muted", wrap=True)
        self.choice = label("", "note", wrap=True)
        self.back_button, self.forward_button = QToolButton(), QToolButton()
        self.k = NumberBox()
        self.runs = RunChoice(context, "No model")
        self.others = QPushButton("Compare with")
        self.copy_button, self.export_button = QPushButton("Copy as CSV"), QPushButton("Export …")
        self.cards: dict[str, NeighbourColumnCard] = {}
        self.columns = SideBySide()
        self.extra: dict[str, QAction] = {}
        self.stack = StatefulStack(self._content(), context.theme)
        self.tabs = QTabWidget()
        yield
        self._arrange()
        entries = {entry.name: entry for entry in registry.entries("similarity")}
        for name in dict.fromkeys((MEMORY, MODEL, HYBRID, *entries)):
            yield
            tip = f"{entries[name].label}. {entries[name].help}"
            self.cards[name] = NeighbourColumnCard(context.theme, name, entries[name].label, tip)
            yield
            self.columns.add(self.cards[name])
        yield
        self.all_items = NeighbourSummaryTab(context)
        yield
        self.tabs.addTab(self.all_items, "All items")
        yield
        self._connect()
        self._show_columns()
        self._show_start()

    def _content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(self.facts)
        layout.addWidget(self.choice)
        layout.addWidget(self.columns, 1)
        return content

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
        self.copy_button.setToolTip("All columns on the clipboard, numbers unrounded")
        self.export_button.setToolTip("All columns into a CSV file, numbers unrounded")
        self._arrange_choosers()
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(self._heads())
        column.addLayout(self._controls())
        self.tabs.addTab(self.stack, "One item")
        column.addWidget(self.tabs, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.search)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 4)
        self.splitter.setSizes([270, 990])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(HUGE, WIDE + TIGHT, HUGE, HUGE)
        layout.addWidget(self.splitter)

    def _arrange_choosers(self) -> None:
        self.k.setRange(1, 1000)
        self.k.setValue(20)
        roomy(self.k)
        self.k.setMinimumWidth(76)
        self.k.setAccessibleName("Number of neighbours")
        self.k.setToolTip("How many of the best neighbours to show")
        self.runs.setAccessibleName("Run whose item embeddings are the model's side")
        self.runs.tip = "Stored runs of this very data set, newest first; the item embeddings are Eq. 10's"
        self.runs.setMinimumWidth(120)
        menu = QMenu(self.others)
        for entry in registry.entries("similarity"):
            if entry.name in (MEMORY, MODEL, HYBRID):
                continue
            action = menu.addAction(entry.label)
            action.setCheckable(True)
            action.toggled.connect(self._run_changed)
            self.extra[entry.name] = action
        self.others.setMenu(menu)
        self.others.setAccessibleName("Other similarities to compare with")
        self.others.setToolTip("Other similarities in columns of their own")

    def _heads(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(TIGHT)
        for button in (self.back_button, self.forward_button):
            head.addWidget(button)
        head.addWidget(self.title, 1)
        return head

    def _controls(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for text, widget, stretch in (("Model of run", self.runs, 1), ("Neighbours", self.k, 0)):
            name = label(text, "muted")
            name.setBuddy(widget)
            row.addWidget(name)
            row.addWidget(widget, stretch)
        for button in (self.others, self.copy_button, self.export_button):
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.search.picked.connect(self.walk)
        self.search.failed.connect(self._search_failed)
        self.search.arrived.connect(self._search_arrived)
        for card in self.cards.values():
            card.walked.connect(self.walk)
        self.back_button.clicked.connect(self.go_back)
        self.forward_button.clicked.connect(self.go_forward)
        self.k.valueChanged.connect(self._load)
        self.runs.run_changed.connect(self._run_changed)
        self.runs.listed.connect(self._show_columns)
        self.copy_button.clicked.connect(self.copy_csv)
        self.export_button.clicked.connect(self.export_csv)
        self.tabs.currentChanged.connect(self._load_summary)
        self.context.session.dataset_changed.connect(self._dataset_changed)

    # --- which item

    def page_shown(self) -> None:
        if self._dataset != self.context.session.dataset:
            self._dataset = self.context.session.dataset
            self._history, self._place, self.list = [], -1, None
            self.all_items.forget()
            self.context.forget((id(self), "neighbours"))
            self.copy_button.setEnabled(False)
            self.export_button.setEnabled(False)
            self.search.clear()
            self._show_start()
            self.stack.show_loading("Looking up the items …")
            self.search.search()
            self.search.field.setFocus()
            self._load_summary()
        elif not self.run and self._counted_with is not self.context.session.config:
            # A switch was changed in Train, e.g. whose items are counted (FACTS F15).
            self._load()
            self._load_summary()

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

    # --- whose embeddings, and what else to compare with

    @property
    def run(self) -> str:
        """Id of the chosen run; empty without a model."""
        return self.runs.run

    def similarities(self) -> tuple[str, ...]:
        """The columns that are asked for."""
        chosen = [name for name, action in self.extra.items() if action.isChecked()]
        return (MEMORY, *((MODEL, HYBRID) if self.run else ()), *chosen)

    @Slot()
    def _run_changed(self, *_: object) -> None:
        self._show_columns()
        self._load()
        self._load_summary()

    def _show_columns(self) -> None:
        """Columns that are asked for; the model's and the hybrid's place stays, with what they need."""
        for name, card in self.cards.items():
            card.setVisible(name in (MODEL, HYBRID, *self.similarities()))
            # Without a model two cards only say what they need: titles take the room.
            self.columns.weigh(card, 2 if name in self.similarities() else 1)
        if self.run:
            return
        if self.runs.offered:
            self.cards[MODEL].stack.show_empty("No model chosen", "Choose a run above.", "train")
        else:
            self.cards[MODEL].stack.show_empty(
                "Needs a trained run",
                "Eq. 10 compares the item embeddings of a run of this data set.",
                "train",
                "Open Train",
                lambda: self.context.session.open_page("train"),
            )
        self.cards[HYBRID].stack.show_empty("Needs a model", "Eq. 11 takes the better of the two sides.", "neighbours")

    # --- its neighbours

    @Slot()
    def _load(self, *_: object) -> None:
        self.back_button.setEnabled(self.can_go_back())
        self.forward_button.setEnabled(self.can_go_forward())
        if not self.item:
            return
        if self.list is None:
            # The first look-up counts all correlations; later ones are instant and need no curtain.
            self.stack.show_loading("Counting who shares which items …", self.cancel)
        elif self.run and self.list.source != self.run:
            for name in (MODEL, HYBRID):
                self.cards[name].stack.show_loading("Multiplying the embeddings …", self.cancel)
        config = self._counted_with = self.context.session.config
        self._task = self.context.run_in_engine(
            self.context.workspace.neighbours.compare,
            self._dataset or self.context.session.dataset,
            self.item,
            self.k.value(),
            self.similarities(),
            run=self.run,
            config=None if self.run else config,
            on_result=self._show,
            on_error=self._failed,
            key=(id(self), "neighbours"),
        )

    @Slot()
    def cancel(self) -> None:
        """End the look-up; what is counted by then is counted anew when it is asked for again."""
        if self._task is not None:
            self._task.cancel()
        self.list = None
        self.stack.show_empty("The look-up was cancelled.", "", "neighbours", "Look up again", self._load)

    def _show(self, found: NeighbourComparison) -> None:
        self.list = found
        self._show_columns()
        seen = Counter(row.item for column in found.columns if column.similarity != HYBRID for row in column.neighbours)
        common = {item for item, times in seen.items() if times > 1}
        for column in found.columns:
            self.cards[column.similarity].show_column(column, common)
        self.title.set_full(item_name(found.item.item, found.item.title))
        words = self._words("correlation_items", found.correlation_items)
        self.facts.setText(f"Item {found.item.item} · in the {words} of {count(found.item.users, 'user')}")
        self._show_choice(found)
        has_any = any(column.neighbours for column in found.columns)
        self.copy_button.setEnabled(has_any)
        self.export_button.setEnabled(has_any)
        self.search.select(found.item.item)
        self.stack.show_content()

    def _show_choice(self, found: NeighbourComparison) -> None:
        self.choice.setVisible(found.choice is not None)
        if found.choice is None:
            return
        taken = {"memory": "the memory-based list", "model": "the model's list", "none": "a random item"}
        self.choice.setText(f"The hybrid takes {taken[found.choice.taken]}. {found.choice.reason}")
        self.choice.setToolTip(
            "Eq. 11 and the authors' code: the best normalised score of each side, normalised over all pairs; ranked: "
            + self._words("hybrid_candidates", found.hybrid_candidates)
        )

    def _words(self, name: str, value: str) -> str:
        """A switch's value in the words of the setting (FACTS F15, F16)."""
        fields = fields_of(self.context.session.config, "fidelity")
        return next(str(info.choices[value]) for info in fields if info.name == name)

    def _failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        self.list = None
        self.title.set_full("Neighbours" if not self.item else item_name(self.item))
        self.stack.show_error(error, "Try again", self._load)

    # --- the whole data set

    @Slot()
    def _load_summary(self, *_: object) -> None:
        if self.tabs.currentIndex() == ALL_TAB and self._dataset:
            self.all_items.ask(
                self._dataset, None if self.run else self.context.session.config, self.run, self.similarities()
            )

    def _search_failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
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
        """Put all columns on the clipboard as CSV, numbers unrounded."""
        if self.list is not None and any(column.neighbours for column in self.list.columns):
            QGuiApplication.clipboard().setText(self.context.workspace.neighbours.csv(self.list))
            self.context.notifier.tell("Copied the neighbours as CSV.", level="good")

    @Slot()
    def export_csv(self) -> None:
        """Ask for a file, without blocking the window, and write all columns into it."""
        if self.list is None:
            return
        name = f"neighbours-{self.list.item.item}.csv"
        ask_where(self.window(), "Export the neighbours", name, "Tables (*.csv)", self.export_to)

    @Slot(str)
    def export_to(self, file: str) -> None:
        """Write all columns to a file."""
        if self.list is not None:
            self.context.run_in_engine(
                self.context.workspace.neighbours.export,
                self.list,
                Path(file),
                on_result=lambda path: self.context.notifier.tell(f"Wrote {path}.", level="good"),
            )

    # --- the page's protocol

    def filter_box(self) -> QWidget:
        return self.search.field

    def save_state(self) -> dict[str, Any]:
        return {
            "k": self.k.value(),
            "others": [n for n, action in self.extra.items() if action.isChecked()],
            "split": self.splitter.sizes(),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        k, sizes = state.get("k"), state.get("split")
        others = state.get("others")
        for name, action in self.extra.items():
            action.setChecked(isinstance(others, list) and name in others)
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
        PageCommand("export", "Export the neighbours", "export_csv", "Ctrl+E"),
        *tab_commands("One item", "All items"),
    ),
)
