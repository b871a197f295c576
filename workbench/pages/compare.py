"""Compare: groups of runs side by side, what they scored, how sure a difference is, where it comes from, as files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from engine.errors import UsageError
from engine.records import ComparedChoice, Comparison, PaperNumbers, ResultTable, RunRecord
from workbench.pages import Page, PageCommand, PageWidget, tab_commands
from workbench.theme import SMALL, SPACE
from workbench.widgets.cards import scrolled
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.compare_chooser import CompareChooser
from workbench.widgets.compare_controls import CompareControls
from workbench.widgets.compare_files import FILES, figures_of, file_name, kinds_of, note_on
from workbench.widgets.layout import PageHeading, button
from workbench.widgets.numbers import count
from workbench.widgets.save_dialog import ask_where
from workbench.widgets.states import StatefulStack

if TYPE_CHECKING:
    from workbench.widgets.compare_parts import Tab

METRICS = ("NDCG@20", "NDCG@10", "NDCG@5", "HR@20", "HR@10", "HR@5", "MRR")
TABS = ("Overview", "Settings", "Tests", "Where from", "Recommendations", "Curves", "Scatter", "Parallel", "Paper")
WIDTHS = {
    "column": "One column (3.3 in)",
    "text": "Whole text (7 in)",
    "lncs": "LNCS (4.8 in)",
    "slide": "Slide (9 in)",
}
WAIT_MS = 120
"""Ticks that follow each other are one question."""


class ComparePage(PageWidget):
    """Chooser at the left; tabs over one comparison at the right."""

    def make(self) -> Iterator[None]:
        self.found: Comparison | None = None
        self.ids: tuple[tuple[str, ...], ...] = ()
        self._wanted: tuple[str, ...] = ()
        self._is_listed = False
        self._paper_of = ""
        self.figure_width = "column"
        self.chooser = CompareChooser(self.context.theme)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        yield
        self._build()
        yield
        self._arrange()
        yield from self._fill_tabs()
        self._show_buttons()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self.compare)
        self.chooser.model.ticked_changed.connect(self._ticks_changed)
        self.context.runs.records_changed.connect(self._records_changed)

    # --- parts

    def _build(self) -> None:
        theme = self.context.theme
        self.heading = PageHeading("Compare", " ")
        self.copy_button = button(
            "Copy as LaTeX",
            self.copy_latex,
            theme=theme,
            icon="copy",
            tip="The table of results, booktabs (Ctrl+Shift+C)",
        )
        self.export_button = button(
            "Export …", self.export, theme=theme, icon="export", tip="Figure, table or everything as a file (Ctrl+E)"
        )
        for item in (self._width_button(), self.copy_button, self.export_button):
            self.heading.add_widget(item)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.setSpacing(SMALL)
        self.controls = CompareControls(METRICS)
        self.metric_box, self.split_box = self.controls.metric_box, self.controls.split_box
        self.baseline, self.paper = self.controls.baseline, self.controls.paper
        self.controls.shown.connect(self._show)
        self.controls.asked.connect(self.compare)
        column.addWidget(self.controls)
        column.addWidget(self.tabs, 1)
        self.stack = StatefulStack(right, theme)

    def _arrange(self) -> None:
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.chooser)
        self.split.addWidget(self.stack)
        self.split.setStretchFactor(1, 1)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([400, 920])  # two lists of recommendations stand beside each other at 1,280 pixels
        self.whole = StatefulStack(self.split, self.context.theme, is_page=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.heading)
        layout.addWidget(self.whole, 1)
        self.whole.show_loading("Reading the runs of this workspace …")

    def _width_button(self) -> QWidget:
        made = ChoiceBox()
        made.setAccessibleName("Width of exported figures")
        made.setToolTip("Width of exported figures")
        for name, words in WIDTHS.items():
            made.addItem(words, name)
        made.activated.connect(lambda _: self._set_width())
        self.widths = made
        return made

    def _set_width(self) -> None:
        self.figure_width = str(self.widths.currentData())

    def _fill_tabs(self) -> Iterator[None]:
        # Imported with the page, not with its file: pyqtgraph costs a third of a second before the first paint.
        from workbench.widgets import compare_parts as parts
        from workbench.widgets.compare_parallel import ParallelTab
        from workbench.widgets.compare_recommendations import RecommendationsTab

        kinds = (
            parts.OverviewTab,
            parts.SettingsTab,
            parts.TestsTab,
            parts.SlicesTab,
            RecommendationsTab,
            parts.CurvesTab,
            parts.ScatterTab,
            ParallelTab,
            parts.PaperTab,
        )
        self.parts: dict[str, Tab] = {}
        for name, kind in zip(TABS, kinds, strict=True):
            yield
            self.parts[name] = kind(self.context)
            yield
            self.tabs.addTab(scrolled(self.parts[name]), name)
            while self.parts[name].make_more():
                yield
        self.pairs = self.parts["Tests"].pairs  # type: ignore[attr-defined]
        self.pairs.activated.connect(lambda _: self.compare())
        self.tabs.currentChanged.connect(lambda _: self._show_buttons())

    # --- what can be compared

    def page_shown(self) -> None:
        if not self._is_listed:
            self._load_choices()

    @Slot(object)
    def _records_changed(self, records: list[RunRecord]) -> None:
        if any(row.status.is_end for row in records):
            self._is_listed = False
            if self.isVisible():
                self._load_choices()

    def _load_choices(self) -> None:
        self._is_listed = True
        self.context.run_in_engine(
            self.context.workspace.comparisons.choices,
            on_result=self._set_choices,
            on_error=self._not_listed,
            key=(id(self), "choices"),
        )

    def _not_listed(self, error: BaseException) -> None:
        self._is_listed = False
        self.context.notifier.report_bug(error)
        self.whole.show_error(error, "Try again", self._load_choices)

    def _set_choices(self, choices: tuple[ComparedChoice, ...]) -> None:
        if not choices:
            self.whole.show_empty(
                "Nothing to compare yet",
                "Runs appear here once they have ended with test metrics. Train two configurations, three seeds each.",
                "compare",
                "Set up a run",
                lambda: self.context.session.open_page("train"),
            )
            return
        self.whole.show_content()
        model = self.chooser.model
        model.set_choices(choices)
        if self._wanted:
            model.tick_runs(self._wanted)
            self._wanted = ()
        if not model.ticked:
            # The newest groups of one protocol: what somebody who has just trained wants to see.
            first = [item for item in choices if item.protocol == choices[0].protocol][:2]
            model.tick_runs([run for item in reversed(first) for run in item.run_ids])
        self.chooser.show_state()

    # --- the comparison

    @Slot()
    def _ticks_changed(self) -> None:
        ids = tuple(item.run_ids for item in self.chooser.model.ticked)
        if ids == self.ids and self.found is not None:
            return
        self._timer.start()

    @Slot()
    def compare(self) -> None:
        """Compare the ticked groups."""
        self.ids = tuple(item.run_ids for item in self.chooser.model.ticked)
        self.found = None
        self.controls.offer_baselines(self.chooser.model.ticked)
        self._show_buttons()
        if not self.ids:
            self.context.forget((id(self), "compare"))
            self.stack.show_empty(
                "Nothing is ticked", "Tick groups in the list: Space, or a click on the box.", "compare"
            )
            self.heading.subtitle.setText(" ")
            return
        if not self.ids[0]:
            return
        groups = count(len(self.ids), "group")
        self.heading.subtitle.setText(groups)  # the rest was of the last comparison
        self.stack.show_loading(f"Comparing {groups} …", self.cancel)
        self._task = self.context.run_in_engine(
            self.context.workspace.comparisons.compare,
            self.ids,
            metrics=METRICS,
            split=self.split_box.currentData(),
            pairs=self.pairs.currentData(),
            baseline=self.controls.place_of_baseline,
            on_result=self._compared,
            on_error=self._failed,
            key=(id(self), "compare"),
        )

    @Slot()
    def cancel(self) -> None:
        """End the comparison that is being made."""
        self._task.cancel()
        self.stack.show_empty("Cancelled", "", "compare", "Compare", self.compare)

    def _failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        self.heading.subtitle.setText(" ")
        ticked = self.chooser.model.ticked
        if not isinstance(error, UsageError):
            self.stack.show_error(error, "Try again", self.compare)
        elif any(item.protocol != ticked[0].protocol for item in ticked):
            # To ask for the same once more changes nothing: the first one's protocol is what the rest must have.
            self.stack.show_error(
                error, f"Untick what differs from {ticked[0].label}", self.chooser.model.untick_unlike
            )
        else:
            self.stack.show_error(error)

    def _compared(self, found: Comparison) -> None:
        self.found = found
        runs = sum(group.n for group in found.groups)
        users = f" · {found.users:,} users" if found.users else ""
        what = f"{count(len(found.groups), 'group')} · {count(runs, 'run')}"
        self.heading.subtitle.setText(f"{what} · {found.groups[0].dataset} · {found.split}{users}")
        for place, group in enumerate(found.groups):
            self.baseline.setItemText(place, group.label)
        self._show_buttons()
        self._show()
        QTimer.singleShot(0, self, lambda: self._reveal(found))  # drawn in one turn, laid out and painted in the next
        self.controls.allow_paper(is_test=self._is_test)
        if self._paper_of != found.groups[0].dataset:
            self._paper_of = found.groups[0].dataset
            self.context.run_in_engine(
                self.context.workspace.comparisons.paper,
                self._paper_of,
                on_result=self._set_paper,
                on_error=self._paper_not_told,
                key=(id(self), "paper"),
            )

    def _paper_not_told(self, error: BaseException) -> None:
        self._paper_of = ""  # the next comparison asks again
        self.context.notifier.report(error)

    def _reveal(self, found: Comparison) -> None:
        if found is self.found:
            self.stack.show_content()

    def _set_paper(self, numbers: PaperNumbers) -> None:
        """The paper's models can be laid over where the data set is one of its three; the tab shows all otherwise."""
        self.numbers = numbers
        self.controls.offer_paper(numbers)
        self.controls.allow_paper(is_test=self._is_test)
        if numbers.cells:
            self.parts["Paper"].set_numbers(numbers)  # type: ignore[attr-defined]
            if self.model_of_paper:
                self._show()
        else:
            self.context.run_in_engine(
                self.context.workspace.comparisons.paper,
                "",
                on_result=self.parts["Paper"].set_numbers,  # type: ignore[attr-defined]
                key=(id(self), "paper"),
            )

    @property
    def _is_test(self) -> bool:
        return self.found is None or self.found.split == "test"

    @property
    def model_of_paper(self) -> tuple[str, ...]:
        """The chosen column of Table 2; nothing beside validation, which the paper does not tell of."""
        chosen = str(self.paper.currentData() or "") if self._is_test else ""
        return (chosen,) if chosen else ()

    @Slot()
    def _show(self) -> None:
        if self.found is None:
            return
        overlay = None
        if self.model_of_paper:
            cells = tuple(cell for cell in self.numbers.cells if cell.model in self.model_of_paper)
            overlay = PaperNumbers(self.numbers.source, cells, self.numbers.users)
        seen, metric = self.tabs.tabText(self.tabs.currentIndex()), str(self.metric_box.currentData())
        for name, part in self.parts.items():
            part.paper = overlay
            part.show_comparison(self.found, self.ids, metric, is_next=name == seen)

    # --- out of it

    def can_export(self) -> bool:
        return self.found is not None

    def _show_buttons(self) -> None:
        for item in (self.copy_button, self.export_button):
            item.setEnabled(self.can_export())

    @Slot()
    def open_leaderboard(self) -> None:
        """Set many presets side by side on the open data set."""
        from workbench.widgets.leaderboard_dialog import open_leaderboard

        open_leaderboard(self.context, self.window())

    @Slot()
    def toggle_differences(self) -> None:
        """To the settings that differ; there, all of them, or only what differs."""
        place, only = TABS.index("Settings"), self.parts["Settings"].only  # type: ignore[attr-defined]
        only.setChecked(self.tabs.currentIndex() != place or not only.isChecked())
        self.tabs.setCurrentIndex(place)

    @Slot()
    def copy_latex(self) -> None:
        """Put the table of results on the clipboard as LaTeX."""
        if self.found is None:
            return
        comparisons = self.context.workspace.comparisons

        def copied(text: str) -> None:
            QGuiApplication.clipboard().setText(text)
            self.context.notifier.tell("Copied the table as LaTeX; it needs \\usepackage{booktabs}.", level="good")

        def made(table: ResultTable) -> None:
            self.context.run_in_engine(comparisons.latex, table, on_result=copied, key=(id(self), "latex"))

        self._table(made)

    def _table(self, made: Any) -> None:
        self.context.run_in_engine(
            self.context.workspace.comparisons.table,
            self.ids,
            split=self.split_box.currentData(),
            baseline=self.controls.place_of_baseline,
            paper=self.model_of_paper,
            on_result=made,
            key=(id(self), "table"),
        )

    @Slot()
    def export(self) -> None:
        """Ask for a file, without blocking the window; its kind says what is written."""
        if self.found is None:
            return
        tab = self._tab
        ask_where(self.window(), "Export the comparison", file_name(tab), kinds_of(tab), self.export_to)

    @property
    def _tab(self) -> str:
        """The tab in sight."""
        return self.tabs.tabText(self.tabs.currentIndex())

    @Slot(str)
    def export_to(self, file: str) -> None:
        """Write a figure of the tab in sight (one file a plot), the table of results, or everything."""
        path, comparisons = Path(file), self.context.workspace.comparisons
        if self.found is None:
            return
        suffix = path.suffix.lower()
        if suffix == ".json":
            self.context.run_in_engine(comparisons.export, self.found, path, on_result=self._wrote)
        elif suffix in (".tex", ".csv", ".parquet"):
            run, write = self.context.run_in_engine, comparisons.export_table
            self._table(lambda table: run(write, table, path, on_result=self._wrote))
        elif f"(*{suffix})" not in FILES:
            hint = f"Name one of {', '.join(re.findall(r'[*]([.][a-z]+)', FILES))}."
            self.context.notifier.report(UsageError(f"A comparison cannot be a '{suffix or 'nameless'}' file.", hint))
        else:
            self._export_figures(path)

    def _export_figures(self, path: Path) -> None:
        """A file a plot; several have its name in theirs, so the message names each."""
        kinds, wrote, figure = figures_of(self._tab), list[Path](), self.context.workspace.comparisons.figure
        note = note_on(self._tab)

        def drawn(place: Path) -> None:
            wrote.append(place)
            self._wrote(*sorted(wrote), note=note)  # they end in any order

        for kind in kinds:
            place = path if len(kinds) == 1 else path.with_name(f"{path.stem}-{kind}{path.suffix}")
            self.context.run_in_engine(figure, kind, self.ids, place, on_result=drawn, **self._figure_options())

    def _figure_options(self) -> dict[str, Any]:
        curves, scatter = self.parts["Curves"], self.parts["Scatter"]
        return {
            "metric": self.metric_box.currentData(),
            "split": self.split_box.currentData(),
            "width": self.figure_width,
            "series": curves.series.currentData() or "valid/NDCG@20",  # type: ignore[attr-defined]
            "along": curves.along.currentData(),  # type: ignore[attr-defined]
            "field": scatter.field.currentData() or "seed",  # type: ignore[attr-defined]
            "paper": self.model_of_paper,
        }

    def _wrote(self, *paths: Path, note: str = "") -> None:
        self.context.notifier.tell(f"Wrote {' and '.join(map(str, paths))}.", level="good", hint=note)

    # --- the page's protocol
    def open_state(self, **state: Any) -> None:
        """``runs``: ids of runs whose groups are ticked, and no others."""
        runs = state.get("runs")
        if isinstance(runs, (list, tuple)) and runs:
            self._wanted = tuple(str(run) for run in runs)
            self._load_choices()

    def filter_box(self) -> QWidget:
        return self.chooser.field

    def save_state(self) -> dict[str, Any]:
        return {
            "ticked": [run for item in self.chooser.model.ticked for run in item.run_ids],
            "metric": self.metric_box.currentData(),
            "pairs": self.pairs.currentData(),
            "width": self.figure_width,
            "tab": self.tabs.tabText(self.tabs.currentIndex()),
            "split": self.split.sizes(),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        ticked, sizes = state.get("ticked"), state.get("split")
        if isinstance(ticked, list):
            self._wanted = tuple(run for run in ticked if isinstance(run, str))
        for box, key in ((self.metric_box, "metric"), (self.pairs, "pairs"), (self.widths, "width")):
            box.setCurrentIndex(max(box.findData(state.get(key)), 0))
        self.figure_width = str(self.widths.currentData())
        if state.get("tab") in TABS:
            self.tabs.setCurrentIndex(TABS.index(state["tab"]))
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(size, int) and size > 0 for size in sizes):
            self.split.setSizes(sizes)


PAGE = Page(
    id="compare",
    title="Compare",
    icon="compare",
    order=70,
    build=ComparePage,
    tip="Groups of runs side by side: tests, intervals, where a gain comes from",
    commands=(
        PageCommand("differences", "Only &differing settings, or all", "toggle_differences", "Ctrl+D", icon="filter"),
        PageCommand("latex", "Copy the table as &LaTeX", "copy_latex", "Ctrl+Shift+C", "can_export", icon="copy"),
        PageCommand("export", "&Export the comparison", "export", "Ctrl+E", "can_export", icon="export"),
        PageCommand("leaderboard", "Leader&board …", "open_leaderboard", "Ctrl+L", icon="table"),
        *tab_commands(*TABS),
    ),
)
