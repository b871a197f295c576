"""Runs: what is queued, trains and has ended; live curves of the ticked runs; one run in detail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QItemSelection, QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from engine.config import presets
from engine.records import RunRecord, RunStatus
from workbench.item_models.runs_model import RunsModel
from workbench.pages import Page, PageCommand, PageWidget
from workbench.run_names import run_name
from workbench.theme import SMALL, SPACE, WIDE, set_role
from workbench.widgets.layout import PageHeading, button, label
from workbench.widgets.run_details import ConfigurationView, Overview, hybrid_from, parsed
from workbench.widgets.runs_table import RunsTable
from workbench.widgets.states import StatefulStack

if TYPE_CHECKING:
    from workbench.plots.metric_plot import MetricPlot

LOG_EVERY_MS = 1000
MOST_TICKED = 50
"""Above this many curves a plot shows nothing any more."""
MOST_TICKED_UNASKED = 8
"""A run that begins to train is ticked by itself, up to this many ticks in all."""
DEFAULT_SERIES = {"losses": "loss/total", "validation": "valid/NDCG@20"}


class RunsPage(PageWidget):
    """Table at the left, the ticked and the selected runs at the right."""

    def make(self) -> Iterator[None]:
        context = self.context
        self.model = RunsModel(context.runs)
        self._current = ""
        self._is_first_news = True
        self._seen_running: frozenset[str] = frozenset()
        self._build()
        self.model.ticked_changed.connect(self._ticks_changed)
        self.model.counts_changed.connect(self._show_state)
        context.runs.records_changed.connect(self._records_changed)
        context.runs.curves_changed.connect(self._curves_changed)
        context.runs.loaded_changed.connect(self._show_state)
        context.runs.trouble_changed.connect(self._show_state)
        self._timer = QTimer(self)
        self._timer.setInterval(LOG_EVERY_MS)
        self._timer.timeout.connect(self._read_log)
        self._records_changed(context.runs.records)
        self._show_state()
        yield

    # Parts ----------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        theme = self.context.theme
        self.heading = PageHeading("Runs", " ")
        self.stop_button = button("Stop", self.stop_selected, theme=theme, icon="stop", tip="Stop, with a checkpoint")
        self.resume_button = button(
            "Resume", self.resume_selected, theme=theme, icon="resume", tip="Go on from the checkpoint"
        )
        self.duplicate_button = button(
            "Use these settings", self.duplicate, theme=theme, icon="duplicate", tip="Take them to the Train page"
        )
        for item in (self.stop_button, self.resume_button, self.duplicate_button):
            self.heading.add_widget(item)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self._left())
        self.split.addWidget(self._right())
        self.split.setStretchFactor(0, 5)
        self.split.setStretchFactor(1, 4)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([760, 500])
        self.states = StatefulStack(self.split, theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.heading)
        layout.addWidget(self.states, 1)

    def _left(self) -> QWidget:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by name, state, data, preset, seed  (Ctrl+F)")
        self.filter.setAccessibleName("Filter runs")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.model.set_filter)
        self.table = RunsTable(self.model, self.context.theme)
        self.table.selectionModel().selectionChanged.connect(self._selection_changed)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._run_menu)
        self.matches = StatefulStack(self.table, self.context.theme)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(WIDE, SPACE, 0, WIDE)
        column.setSpacing(SPACE)
        column.addWidget(self.filter)
        column.addWidget(self.matches, 1)
        return side

    def _right(self) -> QWidget:
        theme = self.context.theme
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.overview = Overview(theme)
        self.configuration = ConfigurationView()
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setAccessibleName("Log of the selected run")
        set_role(self.log, "log")
        self.detail_states = [StatefulStack(part, theme) for part in (self.overview, self.configuration, self.log)]
        self.tabs.addTab(self._curves(), "Curves")
        for stack, title in zip(self.detail_states, ("Overview", "Configuration", "Log"), strict=True):
            self.tabs.addTab(stack, title)
        for order, title in enumerate(("Overview", "Configuration", "Curves", "Log")):
            titles = [self.tabs.tabText(place) for place in range(self.tabs.count())]
            self.tabs.tabBar().moveTab(titles.index(title), order)
        self.tabs.setCurrentIndex(2)
        self.tabs.currentChanged.connect(lambda _: self._read_log())
        return self.tabs

    def _curves(self) -> StatefulStack:
        # Imported with the page, not with its file: pyqtgraph costs a third of a second before the first paint.
        from workbench.plots.metric_plot import MetricPlot

        theme = self.context.theme
        self.plots: dict[str, MetricPlot] = {
            "losses": MetricPlot(theme, "Losses", ("loss/", "running/")),
            # Another rhythm than the losses': two plots painted in one turn of the event loop are felt.
            "validation": MetricPlot(theme, "Validation", ("valid/", "time/"), redraw_ms=140),
        }
        self.plots["losses"].plot.setXLink(self.plots["validation"].plot)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        for name, plot in self.plots.items():
            plot.choose(DEFAULT_SERIES[name])
            plot.series_changed.connect(lambda _, which=plot: self._feed_plot(which))
            split.addWidget(plot)
        self.dropped = label("", "muted", wrap=True)
        self.dropped.hide()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, SPACE, WIDE, WIDE)
        column.setSpacing(SMALL)
        column.addWidget(split, 1)
        column.addWidget(self.dropped)
        self.curve_states = StatefulStack(inner, theme)
        return self.curve_states

    # News -----------------------------------------------------------------------------------------------------------

    def _records_changed(self, records: Any) -> None:
        if self._is_first_news and records:
            self._is_first_news = False
            if not self.model.ticked:
                self._tick_first()
        elif not self.model.ticked:
            self._tick_first()
        self._tick_new()
        self._want_curves()
        known = {record.id for record in records}
        if known & set(self.model.ticked):
            self._show_runs()
        if self._current and not self.table.selected():
            # A run just queued here comes to the table only now.
            self.table.select(self._current)
        if not self._current and self.model.rowCount():
            running = [record.id for record in self.context.runs.with_status(RunStatus.RUNNING)]
            self.table.select(running[0] if running else self.model.ids[0])
        if self._current in known:
            self._show_details()
        self._show_buttons()

    def _tick_first(self) -> None:
        """Nothing chosen yet: draw what trains, else what ended last."""
        book = self.context.runs
        running = [record.id for record in book.with_status(RunStatus.RUNNING)]
        ended = [record.id for record in book.records if record.status is RunStatus.FINISHED]
        self.model.set_ticked(running or ended[:3])

    def _tick_new(self) -> None:
        """Draw what has begun to train since the last news, whoever started it; once, so that it can be unticked."""
        running = [record.id for record in reversed(self.context.runs.with_status(RunStatus.RUNNING))]
        ticked = self.model.ticked
        new = [run_id for run_id in running if run_id not in self._seen_running and run_id not in ticked]
        self._seen_running = frozenset(running)
        room = max(0, MOST_TICKED_UNASKED - len(ticked))
        self.model.set_ticked([*ticked, *new[:room]])

    def _curves_changed(self, run_ids: set[str]) -> None:
        ticked = set(self._drawn_ids())
        if not run_ids & ticked:
            return
        names = self.context.runs.series_names(ticked)
        for plot in self.plots.values():
            plot.set_series(names)
            plot.set_curves({run_id: self.context.runs.curve(run_id, plot.chosen) for run_id in run_ids & ticked})
        self._align_epochs()
        self._show_curve_state()

    def _ticks_changed(self) -> None:
        self._want_curves()
        self._show_runs()
        names = self.context.runs.series_names(self._drawn_ids())
        for plot in self.plots.values():
            plot.set_series(names)
            self._feed_plot(plot)
            plot.autoscale()
        self._show_curve_state()
        self._show_state()

    def _drawn_ids(self) -> list[str]:
        return self.model.ticked[-MOST_TICKED:]

    def _want_curves(self) -> None:
        """Of the drawn runs, and of those that train: the table shows their best value so far."""
        running = (record.id for record in self.context.runs.with_status(RunStatus.RUNNING))
        self.context.runs.want("runs", (*self._drawn_ids(), *running))

    def _feed_plot(self, plot: MetricPlot) -> None:
        plot.set_curves({run_id: self.context.runs.curve(run_id, plot.chosen) for run_id in self._drawn_ids()})
        self._align_epochs()

    def _align_epochs(self) -> None:
        """Both plots have one axis of epochs: it must hold the points of either."""
        book, chosen = self.context.runs, [plot.chosen for plot in self.plots.values()]
        ends = [book.curve(run_id, name)[0][-1:] for run_id in self._drawn_ids() for name in chosen]
        last = max((float(end[0]) for end in ends if len(end)), default=0.0)
        for plot in self.plots.values():
            plot.cover(last)

    def _show_runs(self) -> None:
        from workbench.plots.metric_plot import RunLook

        book = self.context.runs
        looks = {}
        for run_id in self._drawn_ids():
            record = book.get(run_id)
            if record is not None:
                looks[run_id] = RunLook(run_name(record), book.order(run_id), hybrid_from(record))
        for plot in self.plots.values():
            plot.set_runs(looks)
        left_out = len(self.model.ticked) - len(looks)
        self.dropped.setText(f"Only the last {MOST_TICKED} ticked runs are drawn.")
        self.dropped.setVisible(left_out > 0)

    def _show_curve_state(self) -> None:
        ticked = self._drawn_ids()
        if not ticked:
            self.curve_states.show_empty("No run is ticked", "Tick runs in the table to draw their curves.", "runs")
        elif not any(self.context.runs.has_curves(run_id) for run_id in ticked):
            self.curve_states.show_empty(
                "No values yet", "Curves begin with the first epoch; memory-based models have none.", "clock"
            )
        else:
            self.curve_states.show_content()

    def _show_state(self) -> None:
        book = self.context.runs
        running, queued = book.with_status(RunStatus.RUNNING), book.with_status(RunStatus.QUEUED)
        count = f"{len(book)} {'run' if len(book) == 1 else 'runs'}"
        self.heading.subtitle.setText(
            f"{count} · {len(running)} training · {len(queued)} waiting · {len(self.model.ticked)} drawn"
        )
        if book.trouble is not None and not len(book):
            self.states.show_error(book.trouble)
        elif not book.is_loaded and not len(book):
            self.states.show_loading("Reading the runs of this workspace …")
        elif not len(book):
            self.states.show_empty(
                "No runs yet",
                "Choose a preset on the Train page and queue it; its curves appear here while it trains.",
                "runs",
                "Set up a run",
                lambda: self.context.session.open_page("train"),
            )
        else:
            self.states.show_content()
        if len(book) and not self.model.rowCount():
            self.matches.show_empty("No runs match", "", "filter", "Clear the filter", self.filter.clear)
        else:
            self.matches.show_content()
        self._show_curve_state()
        self._show_details()
        self._show_buttons()

    # One run --------------------------------------------------------------------------------------------------------

    @property
    def current(self) -> RunRecord | None:
        """The run whose details are shown."""
        return self.context.runs.get(self._current)

    def _selection_changed(self, _one: QItemSelection, _other: QItemSelection) -> None:
        chosen = self.table.selected()
        if chosen and chosen[0].id != self._current:
            self._current = chosen[0].id
            self.log.clear()
            self._show_details()
            self._read_log()
        self._show_buttons()

    def _show_details(self) -> None:
        record = self.current
        if record is None:
            for stack in self.detail_states:
                stack.show_empty("No run is selected", "Select one in the table.", "runs")
            return
        for stack in self.detail_states:
            stack.show_content()
        self.overview.show_record(record)
        self.configuration.show_record(record)

    def _read_log(self) -> None:
        if not self._current or not self.log.isVisible():
            return
        runs, wanted = self.context.workspace.runs, self._current

        def show(text: str) -> None:
            from workbench.shell.docks import show_log

            if wanted == self._current:
                show_log(self.log, text or "Nothing has been written yet.")

        self.context.run_in_thread(runs.log, wanted, lines=400, on_result=show, key="runs-log")

    def _show_buttons(self) -> None:
        self.stop_button.setEnabled(self.can_stop())
        chosen = self.table.selected()
        only_queued = bool(chosen) and all(record.status is RunStatus.QUEUED for record in chosen)
        self.stop_button.setText("Cancel" if only_queued else "Stop")
        self.resume_button.setEnabled(self.can_resume())
        self.duplicate_button.setEnabled(self.can_duplicate())

    # Commands -------------------------------------------------------------------------------------------------------

    def can_stop(self) -> bool:
        """Whether some selected run trains or waits."""
        return any(not record.status.is_end and not record.stop_requested for record in self.table.selected())

    def stop_selected(self) -> None:
        """Stop what trains with a checkpoint, take what waits out of the queue."""
        self.context.control.stop(self.table.selected())

    def can_resume(self) -> bool:
        """Whether some selected run was stopped, failed or was lost."""
        return any(record.status.can_resume for record in self.table.selected())

    def resume_selected(self) -> None:
        """Queue the selected runs again, from their checkpoints."""
        self.context.control.resume(self.table.selected())

    def can_duplicate(self) -> bool:
        """Whether the current run's settings can be taken to the Train page."""
        return self.current is not None

    def duplicate(self) -> None:
        """Take the current run's settings to the Train page."""
        record = self.current
        if record is None:
            return
        config = parsed(record)
        if config is None:
            self.context.notifier.tell(
                "This program no longer understands that run's configuration.",
                level="warning",
                hint="It stays readable under Configuration.",
            )
            return
        known = {item.name for item in presets()}
        self.context.session.set_config(config, record.preset if record.preset in known else None)
        self.context.session.open_page("train", seeds=str(record.seed))

    def toggle_current(self) -> None:
        """Draw the selected runs, or take them out of the plots."""
        chosen = [record.id for record in self.table.selected()]
        if all(run_id in self.model.ticked for run_id in chosen):
            self.model.set_ticked([run_id for run_id in self.model.ticked if run_id not in chosen])
        else:
            self.model.set_ticked([*self.model.ticked, *chosen])

    def autoscale(self) -> None:
        """Show all of every curve."""
        for plot in self.plots.values():
            plot.autoscale()

    def _run_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries: tuple[tuple[str, Callable[[], None], bool], ...] = (
            ("Draw or hide the curve", self.toggle_current, bool(self.table.selected())),
            (self.stop_button.text(), self.stop_selected, self.can_stop()),
            ("Resume", self.resume_selected, self.can_resume()),
            ("Use these settings in Train", self.duplicate, self.can_duplicate()),
        )
        for text, action, is_possible in entries:
            menu.addAction(text, action).setEnabled(is_possible)
        menu.popup(self.table.viewport().mapToGlobal(place))

    # Hooks ----------------------------------------------------------------------------------------------------------

    def page_shown(self) -> None:
        self._want_curves()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def filter_box(self) -> QWidget:
        return self.filter

    def open_state(self, **state: Any) -> None:
        """``tick``: ids to draw, the first of which is selected; ``run``: id to select; ``tab``: title of a tab."""
        ids = [run_id for run_id in state.get("tick", ()) if isinstance(run_id, str)]
        if ids:
            self.filter.clear()
            training = {record.id for record in self.context.runs.with_status(RunStatus.RUNNING)}
            self.model.set_ticked([*ids, *(run_id for run_id in self.model.ticked if run_id in training)])
            # The record may come with the next batch of the feed only: it is selected then, if nothing else is.
            self._current = ids[0]
            if not self.table.select(ids[0]):
                self.table.clearSelection()
        if isinstance(run_id := state.get("run"), str):
            self.filter.clear()
            self._current = run_id
            self.table.select(run_id)
        titles = [self.tabs.tabText(place) for place in range(self.tabs.count())]
        if state.get("tab") in titles:
            self.tabs.setCurrentIndex(titles.index(state["tab"]))
        self._show_state()

    def save_state(self) -> dict[str, Any]:
        return {
            "table": self.table.save_state(),
            "ticked": self.model.ticked[-MOST_TICKED:],
            "seen": sorted(self._seen_running),
            "split": self.split.sizes(),
            "series": {which: plot.chosen for which, plot in self.plots.items()},
            "tab": self.tabs.tabText(self.tabs.currentIndex()),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        if isinstance(table := state.get("table"), dict):
            self.table.restore_state(table)
        ticked = state.get("ticked")
        if isinstance(ticked, list):
            self.model.set_ticked([run_id for run_id in ticked if isinstance(run_id, str)])
            seen = state.get("seen")
            self._seen_running = (
                frozenset(s for s in seen if isinstance(s, str)) if isinstance(seen, list) else frozenset()
            )
            self._tick_new()
        sizes = state.get("split")
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(s, int) and s > 0 for s in sizes):
            self.split.setSizes(sizes)
        series = state.get("series")
        for which, plot in self.plots.items():
            if isinstance(series, dict) and isinstance(name := series.get(which), str) and name:
                plot.choose(name)


PAGE = Page(
    id="runs",
    title="Runs",
    icon="runs",
    order=60,
    build=RunsPage,
    tip="Watch, stop, resume and compare runs",
    commands=(
        PageCommand("stop", "&Stop or cancel", "stop_selected", "Ctrl+.", "can_stop", icon="stop"),
        PageCommand("resume", "&Resume", "resume_selected", "", "can_resume", icon="resume"),
        PageCommand("duplicate", "&Use these settings in Train", "duplicate", "", "can_duplicate", icon="duplicate"),
        PageCommand("toggle", "&Curve on or off", "toggle_current", "Space", "", "table", icon="check"),
        PageCommand("autoscale", "Show &all of every curve", "autoscale", "A", icon="autoscale"),
    ),
)
