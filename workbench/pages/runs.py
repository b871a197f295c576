"""Runs: what is queued, trains and has ended; live curves of the ticked runs; one run in detail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QItemSelection, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QMenu, QSplitter, QVBoxLayout, QWidget

from engine.config import presets
from engine.records import RunRecord, RunStatus, Shelf
from workbench.item_models.runs_model import RunsModel
from workbench.live_feed import PAINTED_MS
from workbench.pages import Page, PageCommand, PageWidget, tab_commands
from workbench.run_marking import RunMarking
from workbench.run_ticks import UnaskedTicks
from workbench.run_travel import RunTravel
from workbench.theme import SPACE, WIDE
from workbench.widgets.layout import PageHeading, button
from workbench.widgets.numbers import count
from workbench.widgets.run_curves import MOST_TICKED, RunCurves, metric_plots
from workbench.widgets.run_details import parsed
from workbench.widgets.run_filter_bar import SHELVES, RunFilterBar
from workbench.widgets.run_menu import (
    ask_before_purging,
    ask_for_name,
    fill_run_menu,
    only_wait,
    run_entries,
    some_can_stop,
)
from workbench.widgets.run_tabs import RunTabs
from workbench.widgets.runs_table import RunsTable
from workbench.widgets.states import StatefulStack

SIDES = [705, 545]
"""Pixels of the table and of the tabs at first: all seven titles can be read in the window's first size."""


class RunsPage(PageWidget):
    """Table at the left, the ticked and the selected runs at the right."""

    def make(self) -> Iterator[None]:
        context = self.context
        self.model = RunsModel(context.runs)
        self.marking = RunMarking(context)
        self._current = ""
        self._unasked = UnaskedTicks(self.model)
        self.travel = RunTravel(context, self, lambda: self.table.selected())
        self._details = QTimer(self)
        self._details.setSingleShot(True)
        self._details.timeout.connect(self._show_details)
        plots = {}
        for name, plot in metric_plots(context.theme):
            plots[name] = plot
            yield
        self.curves = RunCurves(context, self.model, plots)
        yield
        self.left = self._left()
        yield
        self._build()
        yield
        self.tabs = RunTabs(context, self.marking, self.curves)
        yield
        self._add_tabs()
        yield
        self.travel.arrived.connect(lambda run_id: self.open_state(run=run_id))
        self.model.ticked_changed.connect(self._ticks_changed)
        self.model.counts_changed.connect(self._counts_changed)
        self.bar.view_changed.connect(self._view_changed)
        self.curves.follow_changed.connect(lambda _: self._follow())
        book = context.runs
        book.records_changed.connect(self._records_changed)
        book.curves_changed.connect(self._curves_changed)
        book.marks_changed.connect(self._marks_changed)
        for signal in (book.loaded_changed, book.trouble_changed, book.purged):
            signal.connect(self._show_state)
        self._records_changed(book.records)
        self._show_state()

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
        self.split.addWidget(self.left)
        self.split.setChildrenCollapsible(False)
        self.states = StatefulStack(self.split, theme, is_page=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.heading)
        layout.addWidget(self.states, 1)

    def _add_tabs(self) -> None:
        self.split.addWidget(self.tabs)
        self.split.setStretchFactor(0, 5)
        self.split.setStretchFactor(1, 4)
        self.split.setSizes(SIDES)
        # What is asked of the page by its names: parts of its parts.
        self.plots, self.curve_states = self.curves.plots, self.curves
        self.overview, self.configuration, self.log = (
            self.tabs.overview,
            self.tabs.configuration,
            self.tabs.log_view.text,
        )

    def _left(self) -> QWidget:
        self.table = RunsTable(self.model, self.context.theme)
        self.bar = RunFilterBar(self.model, self.table, self.context.theme, self.context.settings)
        self.filter = self.bar.filter
        self.table.selectionModel().selectionChanged.connect(self._selection_changed)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._run_menu)
        self.matches = StatefulStack(self.table, self.context.theme)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(WIDE, SPACE, 0, WIDE)
        column.setSpacing(SPACE)
        column.addWidget(self.bar)
        column.addWidget(self.matches, 1)
        return side

    # News -----------------------------------------------------------------------------------------------------------

    def _records_changed(self, records: Any) -> None:
        if self._unasked.take_news():
            self._follow()
        self._want_curves()
        known = {record.id for record in records}
        if known & set(self.model.ticked):
            self.curves.show_runs()
        if self._current and not self.table.selected():
            # A run just queued here comes to the table only now.
            self.table.select(self._current)
        if not self._current and self.model.rowCount():
            running = [record.id for record in self.context.runs.with_status(RunStatus.RUNNING)]
            self.table.select(running[0] if running else self.model.ids[0])
        if self._current in known:
            self._want_details()
        self._show_buttons()

    def _curves_changed(self, run_ids: set[str]) -> None:
        self.curves.take(run_ids)
        if self._current in run_ids and self.tabs.title == "Overview":
            self._want_details()

    def _marks_changed(self, run_ids: set[str]) -> None:
        if run_ids & set(self.model.ticked):
            self.curves.show_runs()
        self._show_buttons()

    def _ticks_changed(self) -> None:
        self._want_curves()
        self.curves.feed_all(is_new=True)
        self.tabs.show_ticked(self.model.ticked)
        self._show_state()

    def _view_changed(self) -> None:
        """Other rows, or groups instead of runs: the curves follow, in a turn of their own."""
        self._want_curves()
        QTimer.singleShot(PAINTED_MS, self, self._redraw)

    def _redraw(self) -> None:
        self.curves.feed_all(is_new=False)
        self._show_state()

    def _counts_changed(self) -> None:
        """Rows have come or gone: a group may have another oldest run, whose look is the group's."""
        if self.model.is_grouped:
            self.curves.show_runs()
        self._show_state()

    def _follow(self) -> None:
        """Select and draw what has begun to train last, if that is wanted."""
        newest = self._unasked.newest
        if self.curves.follow.isChecked() and newest is not None:
            self.table.select(newest.id)
            self._current = newest.id  # its row may be its group's, and selected before
            if newest.id not in self.model.ticked:
                self.model.set_ticked([*self.model.ticked, newest.id])

    def _want_curves(self) -> None:
        """Of the drawn runs, and of those that train: the table shows their best value so far."""
        running = (record.id for record in self.context.runs.with_status(RunStatus.RUNNING))
        self.context.runs.want("runs", (*self.curves.drawn_ids(), *running))

    def _show_state(self, *_: object) -> None:
        book = self.context.runs
        self._unasked.settle()
        running, queued = book.with_status(RunStatus.RUNNING), book.with_status(RunStatus.QUEUED)
        self.heading.subtitle.setText(
            f"{count(len(book), 'run')} · {len(running)} training · {len(queued)} waiting · "
            f"{len(self.model.ticked)} drawn"
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
            self._focus_table()
        self._show_matches()
        self.curves.show_state()
        self._want_details()
        self._show_buttons()

    def _show_matches(self) -> None:
        if self.model.rowCount() or not len(self.context.runs):
            self.matches.show_content()
        elif self.filter.text():
            self.matches.show_empty("No runs match", "", "filter", "Clear the filter", lambda: self.bar.set_text(""))
        else:
            name = SHELVES[self.model.shelf].lower()
            where = "No runs are in use" if self.model.shelf is Shelf.SHOWN else f"The {name} is empty"
            self.matches.show_empty(where, "", "empty", "Show the runs", lambda: self.bar.show_shelf(Shelf.SHOWN))

    # One run --------------------------------------------------------------------------------------------------------

    @property
    def current(self) -> RunRecord | None:
        """The run whose details are shown."""
        return self.context.runs.get(self._current)

    def _selection_changed(self, _one: QItemSelection, _other: QItemSelection) -> None:
        chosen = self.table.foremost()
        if chosen is not None and chosen.id != self._current:
            self._current = chosen.id
            self._want_details()
        self._show_buttons()

    def _want_details(self) -> None:
        """Once, when the table is painted: the first news asks for them five times over."""
        self._details.start(0)

    @Slot()
    def _show_details(self) -> None:
        self._details.stop()
        self.tabs.show_record(self.current)

    def _show_buttons(self) -> None:
        chosen = self.table.selected()
        self.stop_button.setEnabled(some_can_stop(chosen))
        self.stop_button.setText("Cancel" if only_wait(chosen) else "Stop")
        self.resume_button.setEnabled(any(record.status.can_resume for record in chosen))
        self.duplicate_button.setEnabled(self.can_duplicate())

    # Commands -------------------------------------------------------------------------------------------------------

    def can_stop(self) -> bool:
        """Whether some selected run trains or waits."""
        return some_can_stop(self.table.selected())

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
        self.curves.autoscale()

    def toggle_group(self) -> None:
        """One row for the seeds of a configuration, or one a run."""
        self.bar.grouped.toggle()

    def can_star(self) -> bool:
        """Whether there is a run that could be the baseline."""
        return self.current is not None

    def toggle_star(self) -> None:
        """Make the current run its data set's baseline, or no longer."""
        record = self.current
        if record is not None:
            is_starred = self.context.runs.baselines.get(record.fingerprint) == record.id
            self.marking.star(record, is_starred=not is_starred)

    def rename(self) -> None:
        """Ask for another name of the selected runs; of a group, for all of its seeds."""
        if chosen := self.table.selected():
            called = self.model.name_of(self.table.selected_keys()[0])
            ask_for_name(self, chosen, called, lambda name: self.marking.rename(chosen, name))

    def can_shelve(self) -> bool:
        """Whether only runs that have ended are selected."""
        chosen = self.table.selected()
        return bool(chosen) and all(record.status.is_end for record in chosen)

    def archive(self) -> None:
        """Put the selected runs out of sight; out of the archive, into the trash."""
        if self.can_shelve():
            in_use = self.model.shelf is Shelf.SHOWN
            self._shelve(Shelf.ARCHIVED if in_use else Shelf.TRASHED)

    def trash(self) -> None:
        """Move the selected runs to the trash."""
        if self.can_shelve():
            self._shelve(Shelf.TRASHED)

    def restore_runs(self) -> None:
        """Take the selected runs out of the archive or the trash."""
        self._shelve(Shelf.SHOWN)

    def _shelve(self, shelf: Shelf) -> None:
        self.table.pass_on()
        self.marking.shelve(self.table.selected(), shelf)

    def can_purge(self) -> bool:
        """Whether the trash is shown and something in it selected."""
        return self.model.shelf is Shelf.TRASHED and self.can_shelve()

    def purge(self) -> None:
        """Ask, then delete the selected runs for good."""
        if not self.can_purge():
            return
        records = self.table.selected()
        self.table.pass_on()
        ask_before_purging(self, len(records), lambda: self.marking.purge(records))

    def can_undo(self) -> bool:
        """Whether a change of marks can be taken back."""
        return bool(self.marking.undo_text)

    def undo(self) -> None:
        """Take the last change of tags, notes, colours, stars or shelves back."""
        self.marking.undo()

    def _run_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chosen = self.table.selected()
        key = self.table.selected_keys()[0] if self.table.selected_keys() else ""
        fill_run_menu(menu, chosen, run_entries(self, chosen, self.model, key), self.context, self.marking)
        menu.popup(self.table.viewport().mapToGlobal(place))

    # Hooks ----------------------------------------------------------------------------------------------------------

    def page_shown(self) -> None:
        self._want_curves()
        self._focus_table()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._focus_table()

    def _focus_table(self) -> None:
        """Who comes here by a key goes on by keys: arrows, Space and B are the table's."""
        if self.window().focusWidget() is self and self.states.state == "content":
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def filter_box(self) -> QWidget:
        return self.filter

    def open_state(self, **state: Any) -> None:
        """``tick``: ids to draw, the first of which is selected; ``run``: id to select; ``tab``: title of a tab."""
        ids = [run_id for run_id in state.get("tick", ()) if isinstance(run_id, str)]
        if ids:
            self._show_all_shown()
            training = {record.id for record in self.context.runs.with_status(RunStatus.RUNNING)}
            self.model.set_ticked([*ids, *(run_id for run_id in self.model.ticked if run_id in training)])
            # The record may come with the next batch of the feed only: it is selected then, if nothing else is.
            self._current = ids[0]
            if not self.table.select(ids[0]):
                self.table.clearSelection()
        if isinstance(run_id := state.get("run"), str):
            self._show_all_shown()
            self._current = run_id
            self.table.select(run_id)
        self.tabs.choose(state.get("tab"))
        self._show_state()
        self._show_details()

    def _show_all_shown(self) -> None:
        """What another page asks for must be in the table, whatever is filtered."""
        self.bar.set_text("")
        self.bar.show_shelf(Shelf.SHOWN)

    def save_state(self) -> dict[str, Any]:
        return {
            "view": self.bar.save_state(),
            "ticked": self.model.ticked[-MOST_TICKED:],
            "seen": self._unasked.save_state(),
            "split": self.split.sizes(),
            "curves": self.curves.save_state(),
            **self.tabs.save_state(),
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        if isinstance(view := state.get("view"), dict):
            self.bar.restore_state(view | {"filter": ""})
        ticked = state.get("ticked")
        if isinstance(ticked, list):
            self.model.set_ticked([run_id for run_id in ticked if isinstance(run_id, str)])
            self._unasked.restore_state(state.get("seen"))
        sizes = state.get("split")
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(s, int) and s > 0 for s in sizes):
            self.split.setSizes(sizes)
        if isinstance(curves := state.get("curves"), dict):
            self.curves.restore_state(curves)
        self.tabs.log_view.set_level(state.get("log_level"))


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
        PageCommand("rename", "Re&name …", "rename", "F2", "can_duplicate", icon="tag"),
        PageCommand("star", "&Baseline on or off", "toggle_star", "B", "can_star", "table", icon="star"),
        PageCommand("group", "&Group seeds", "toggle_group", "G", "", "table", icon="group"),
        PageCommand("archive", "&Archive (then trash)", "archive", "Del", "can_shelve", "table", icon="archive"),
        PageCommand("trash", "&Move to the trash", "trash", "Shift+Del", "can_shelve", "table", icon="trash"),
        PageCommand("restore", "Restore from archive or trash", "restore_runs", "", "can_shelve", icon="resume"),
        PageCommand("purge", "Delete for good…", "purge", "", "can_purge", icon="trash"),
        PageCommand("undo", "&Undo tags, notes, archive …", "undo", "Ctrl+Z", "can_undo", icon="undo"),
        *(
            PageCommand(name, f"{text} …", f"travel.write_{name}", "", "travel.can_write", icon="export", menu="Write")
            for name, text in (
                ("bundle", "The run as a &bundle"),
                ("lists", "The top 20 of every &user"),
                ("embeddings", "The item &embeddings"),
            )
        ),
        PageCommand("take-in", "&Take in a bundle …", "travel.take_in", icon="download"),
        PageCommand("autoscale", "Show &all of every curve", "autoscale", "A", icon="autoscale"),
        *tab_commands("Overview", "Configuration", "Curves", "Protocol", "Log", "Recommendations", "System"),
    ),
)
