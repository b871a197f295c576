"""The leaderboard: presets on the open data set with one time for all; what that takes, what is there, who leads."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from engine.config import presets, standing_presets
from engine.errors import ConfigurationError
from engine.paths import default_workspace
from engine.records import Leaderboard, LeaderboardPlan, LeaderboardRequest, RunRecord
from workbench.context import Context
from workbench.forms.seeds import parse_seeds, seeds_text
from workbench.item_models.leaderboard_rows import LAST, METRICS, LeaderboardModel, plan_text
from workbench.theme import SMALL, SPACE, WIDE, repolish
from workbench.widgets.cards import Elided, roomy
from workbench.widgets.choice_box import ChoiceBox, DecimalBox
from workbench.widgets.layout import button, label
from workbench.widgets.leaderboard_foot import LeaderboardFoot
from workbench.widgets.leaderboard_rehearsals import Rehearsals
from workbench.widgets.row_list import RowList
from workbench.widgets.save_dialog import ask_where
from workbench.widgets.states import StatefulStack

FILES = "CSV, a line a row (*.csv);;LaTeX table (*.tex);;Parquet (*.parquet)"
DEVICES = (("Automatic", "auto"), ("CPU", "cpu"), ("NVIDIA GPU", "cuda"), ("Apple GPU", "mps"))
MEASURING = "Comparing the finished runs on the users they share …"
_WIDEST_NOTE = 230
"""Of the column whose cells are read whole as tool tips."""
_SETTLE_MS = 250
"""A choice is planned when nothing has changed for so long."""
_REFRESH_MS = 1500
"""Runs that end together are looked at together."""


class _Ticks(RowList):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        model, index = self.model(), self.currentIndex()
        if event.key() == Qt.Key.Key_Space and index.isValid() and isinstance(model, LeaderboardModel):
            model.toggle(index.row())
            return
        super().keyPressEvent(event)


class LeaderboardDialog(QDialog):
    """Does not block the window: it may stay open while the runs train, and fills in as they end."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.plan: LeaderboardPlan | None = None
        self.board: Leaderboard | None = None
        self._is_queueing = False
        self._first = ""  # the preset in the first row, until there are results or another row is chosen
        self.rehearsals = Rehearsals(context, self)
        self._make_parts()
        self._arrange()
        self._connect()
        self.setWindowTitle("Leaderboard")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(QSize(1400, 760).boundedTo(self.screen().availableSize() * 0.94))
        self._show_data()
        self.stack.show_loading("Looking at the data and the stored runs …")
        self.setFocus()  # until the table is there; Qt would choose the seeds, as if somebody were about to type there
        self.ask()

    # Parts ----------------------------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        theme, read = self.context.theme, self.context.settings.read
        self.subtitle = Elided("", "muted", Qt.TextElideMode.ElideMiddle)
        self.seeds = QLineEdit(read("leaderboard/seeds", str, "1-3"))
        self.minutes = DecimalBox()
        self.minutes.setRange(0.1, 100_000)
        self.minutes.setDecimals(1)
        self.minutes.setSuffix(" min")
        self.minutes.setValue(float(read("leaderboard/minutes", float, 10.0)))
        self.minutes.setMaximumWidth(120)
        roomy(self.minutes)
        self.device, self.sorting = ChoiceBox(), ChoiceBox()
        for words, name in DEVICES:
            self.device.addItem(words, name)
        for name in METRICS:
            self.sorting.addItem(name, name)
        for box, key in ((self.device, "device"), (self.sorting, "metric")):
            box.setCurrentIndex(max(box.findData(read(f"leaderboard/{key}", str, "")), 0))
        self.retry = QCheckBox("Try failed runs again")
        self.model = LeaderboardModel(self._fitting(), self._remembered())
        self.model.sort_by(self.chosen_metric)
        self.table = _Ticks()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Presets of the leaderboard: Space ticks one")
        self.table.setAlternatingRowColors(True)
        self.stack = StatefulStack(self.table, theme)
        self.problem = label("", "error", wrap=True)
        self.row_note, self.notes = label("", wrap=True), label("", "muted", wrap=True)
        self.told, self.warnings = label("", "muted", wrap=True), label("", "warn", wrap=True)
        self.strongest = button(
            "Tick the strongest", self.tick_strongest, theme=theme, icon="star", tip="One preset of every recommender"
        )
        self.none = button("Untick all", lambda: self.model.set_ticked(()), theme=theme, icon="close")
        for item in (self.strongest, self.none):
            item.setAutoDefault(False)
        self.foot = LeaderboardFoot(theme)
        self._timer, self._refresh = QTimer(self), QTimer(self)
        for timer, wait in ((self._timer, _SETTLE_MS), (self._refresh, _REFRESH_MS)):
            timer.setSingleShot(True)
            timer.setInterval(wait)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.setSpacing(SPACE)
        layout.addWidget(label("Leaderboard", "page-title"))
        layout.addWidget(self.subtitle)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for caption, widget, tip in (
            ("Seeds", self.seeds, "One run a seed: 1-5, or 1, 2, 7"),
            ("Time for each run", self.minutes, "Training and validation; then the best weights are tested"),
            ("Device", self.device, "Where all of them train"),
            ("Sorted by", self.sorting, "Test metric; every row is tested against the best in it"),
        ):
            text = label(caption, "muted")
            text.setBuddy(widget)
            widget.setAccessibleName(caption)
            widget.setToolTip(tip)
            row.addWidget(text)
            row.addWidget(widget)
            row.addSpacing(SPACE)
        self.retry.setToolTip("A run that has failed stays a row that says why, unless this is ticked")
        row.addStretch(1)
        layout.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addWidget(self.strongest)
        row.addWidget(self.none)
        row.addSpacing(SPACE)
        row.addWidget(self.retry)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(self.problem)
        layout.addWidget(self.stack, 1)
        for text in (self.row_note, self.warnings, self.notes, self.told):
            layout.addWidget(text)
        layout.addWidget(self.foot)
        self.foot.keep_rooms()

    def _connect(self) -> None:
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_row())
        self.table.activated.connect(lambda index: self.model.toggle(index.row()))
        self.model.ticked_changed.connect(self._changed)
        self.seeds.textChanged.connect(self._changed)
        self.minutes.valueChanged.connect(self._changed)
        self.device.activated.connect(self._changed)
        self.retry.toggled.connect(self._changed)
        self.sorting.activated.connect(self._sort)
        self.rehearsals.changed.connect(self._show_state)
        self._timer.timeout.connect(self.ask)
        self._refresh.timeout.connect(self.ask)
        foot = self.foot
        for asked, does in (
            (foot.closed, self.close),
            (foot.copied, self.copy_command),
            (foot.exported, self.ask_where),
            (foot.compared, self.open_in_compare),
            (foot.stopped, self.stop_runs),
            (foot.queued, self.queue_runs),
        ):
            asked.connect(does)
        QShortcut(QKeySequence("Ctrl+Return"), self, foot.queue.click)
        self.context.session.dataset_changed.connect(self._data_changed)
        self.context.runs.records_changed.connect(self._records_changed)

    # What is chosen -------------------------------------------------------------------------------------------------

    def _fitting(self) -> list[Any]:
        data = self.context.session.dataset
        return [item for item in presets() if item.fits(data)]

    def _remembered(self) -> list[str]:
        stored = self.context.settings.read("leaderboard/models", list, [])
        known = {item.name for item in self._fitting()}
        names = [name for name in stored if name in known]
        return names or [item.name for item in standing_presets(self.context.session.dataset)]

    @property
    def chosen_metric(self) -> str:
        return str(self.sorting.currentData())

    def request(self) -> LeaderboardRequest:
        """What is asked for. Raises ``ConfigurationError`` for seeds that are none."""
        return LeaderboardRequest(
            data=self.context.session.dataset,
            models=self.model.ticked,
            seeds=parse_seeds(self.seeds.text()),
            minutes=round(self.minutes.value(), 1),
            device=str(self.device.currentData()),
            retry=self.retry.isChecked(),
        )

    def tick_strongest(self) -> None:
        """One preset of every recommender, the strongest that fits the data."""
        self.model.set_ticked([item.name for item in standing_presets(self.context.session.dataset)])

    def _changed(self) -> None:
        """Another choice: what is shown of the former is void, and the button waits for the new plan."""
        self.plan = self.board = None
        self.rehearsals.stop()
        self.model.set_plan(None)
        self._show_state()
        self._timer.start()

    def _sort(self) -> None:
        self.model.sort_by(self.chosen_metric)
        self._fit_columns()
        self._changed()

    def _data_changed(self, _: str) -> None:
        self._show_data()
        self.model = LeaderboardModel(self._fitting(), self._remembered())
        self.model.sort_by(self.chosen_metric)
        self.table.setModel(self.model)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_row())
        self.model.ticked_changed.connect(self._changed)
        self._changed()

    def _show_data(self) -> None:
        name, path = self.context.session.dataset_name, self.context.session.dataset
        self.subtitle.set_full(f"{name} · one split, one protocol and one time for all rows · {path}")

    # Asking ---------------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Plan what is chosen; then measure what has finished."""
        self._timer.stop()
        self._refresh.stop()
        self.rehearsals.stop()
        try:
            request = self.request()
        except ConfigurationError as error:
            self._say_problem(str(error).removeprefix("train.seed: "))
            return
        self._say_problem("")
        if not request.models:
            self.plan = None
            self.stack.show_content()
            self._show_state()
            return
        self._remember(request)
        self.context.run_in_engine(
            self.context.workspace.leaderboards.plan,
            request,
            on_result=self._planned,
            on_error=self._failed,
            key=(id(self), "plan"),
        )

    def _remember(self, request: LeaderboardRequest) -> None:
        write = self.context.settings.write
        # The strongest are others on other data; only another choice than them is remembered.
        is_strongest = set(request.models) == {item.name for item in standing_presets(request.data)}
        write("leaderboard/models", [] if is_strongest else list(request.models))
        write("leaderboard/seeds", self.seeds.text())
        write("leaderboard/minutes", request.minutes)
        write("leaderboard/device", request.device)
        write("leaderboard/metric", self.chosen_metric)

    def _planned(self, plan: LeaderboardPlan) -> None:
        is_first = self.stack.state != "content"
        self.plan = plan
        self.model.set_plan(plan)
        self.rehearsals.follow(plan)
        self.stack.show_content()
        if is_first:
            self._fit_columns()
            self.table.selectRow(0)
            self._first = self.model.order[0]
            if self.focusWidget() in (None, self):
                self.table.setFocus()  # unless somebody has gone to a field meanwhile
        self._show_state()
        if plan.finished:
            self.context.run_in_engine(
                self.context.workspace.leaderboards.board,
                plan.request,
                metric=self.chosen_metric,
                on_result=self._measured,
                on_error=self._not_measured,
                key=(id(self), "board"),
            )

    def _measured(self, board: Leaderboard) -> None:
        if self.plan is None or board.plan.request != self.plan.request or board.metric != self.chosen_metric:
            return
        self.board = board
        self.model.set_board(board)
        if self._first and self.model.order[self.table.currentIndex().row()] == self._first:
            self.table.selectRow(0)  # the best: the rows have another order than before
        self._first = ""
        self._fit_columns()
        self._show_state()

    def _failed(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        self.plan = None
        self._show_state()
        self.stack.show_error(error, "Try again", self.ask)

    def _not_measured(self, error: BaseException) -> None:
        self.context.notifier.report_bug(error)
        self.told.setText(str(error))

    def _records_changed(self, records: list[RunRecord]) -> None:
        """A run of this leaderboard is elsewhere than it was: look again, soon."""
        if self.plan is None:
            return
        known = {run.run_id: run.status for model in self.plan.models for run in model.runs if run.run_id}
        has_moved = any(record.id in known and known[record.id] != record.status for record in records)
        if has_moved and not self._refresh.isActive():
            self._refresh.start()

    # Showing --------------------------------------------------------------------------------------------------------

    def _fit_columns(self) -> None:
        self.table.resizeColumnsToContents()
        self.table.setColumnWidth(0, min(max(self.table.columnWidth(0) + WIDE, 220), 340))  # and the tick
        self.table.setColumnWidth(2, max(self.table.columnWidth(2), 90))
        place = self.model.heads.index(LAST)
        self.table.setColumnWidth(place, min(self.table.columnWidth(place), _WIDEST_NOTE))

    def _say_problem(self, text: str) -> None:
        self.problem.setText(text[:1].upper() + text[1:])
        self.problem.setVisible(bool(text))
        self.seeds.setProperty("wrong", bool(text))
        repolish(self.seeds)
        self._show_state()

    def _show_state(self) -> None:
        plan, board = self.plan, self.board
        can_copy = bool(self.model.ticked) and self.problem.text() == ""
        self.foot.show_state(plan, is_queueing=self._is_queueing, can_copy=can_copy, can_export=board is not None)
        if not self.model.ticked:
            self.told.setText("Tick the presets that take part.")
        elif plan is None:
            self.told.setText("Counting …" if self._timer.isActive() else "")
        else:
            told = MEASURING if board is None and plan.finished else plan_text(plan)
            self.told.setText(" ".join(filter(None, [told, self.rehearsals.state_text()])))
        self._show_warnings()
        notes = [*(board.notes if board else plan.notes if plan else ())]
        self.notes.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))
        self._show_row()

    def _show_warnings(self) -> None:
        """What this time is too short for, before it is spent."""
        plan = self.plan
        found = self.rehearsals.warnings(plan) if plan else {}
        self.model.set_warnings(found)
        titles = {model.preset: model.title for model in plan.models} if plan else {}
        lines = [f"{titles[name]}: {text.removesuffix('.')}." for name, text in found.items()]
        self.warnings.setText("\n".join(lines))
        self.warnings.setVisible(bool(lines))

    def _show_row(self) -> None:
        """What is to know of the current row, whole: its cell is narrow, and a tool tip is for the mouse alone."""
        index = self.table.currentIndex()
        place = index.siblingAtColumn(self.model.heads.index(LAST)) if index.isValid() else index
        text = str(self.model.data(place) or "") if index.isValid() else ""
        self.row_note.setText(f"{self.model.data(index.siblingAtColumn(0))}: {text}" if text else "")
        self.row_note.setVisible(bool(text))

    # Doing ----------------------------------------------------------------------------------------------------------

    def queue_runs(self) -> None:
        """Submit what is missing and resume what was stopped."""
        if self.plan is None or self._is_queueing:
            return
        self._is_queueing = True
        self.rehearsals.stop()
        self._show_state()
        self.context.run_in_engine(
            self.context.workspace.leaderboards.start,
            self.plan.request,
            on_result=self._queued,
            on_error=self._not_queued,
        )

    def _queued(self, plan: LeaderboardPlan) -> None:
        self.context.control.changed.emit()
        self.context.notifier.tell(
            f"The leaderboard's runs wait in the queue: {len(plan.waiting)}.", hint="Tag: leaderboard", level="good"
        )
        if isValid(self):  # it may have been closed meanwhile; what was asked for is done all the same
            self._is_queueing = False
            self._planned(plan)

    def _not_queued(self, error: BaseException) -> None:
        self.context.notifier.report(error)
        if isValid(self):
            self._is_queueing = False
            self._say_problem(str(error))
            if self.plan is not None:
                self.rehearsals.follow(self.plan)

    def stop_runs(self) -> None:
        """Stop what trains and take out of the queue what waits; `queue_runs` goes on with both."""
        if self.plan is not None:
            self.context.control.stop_called(self.plan.waiting)

    def done(self, result: int) -> None:
        """Closed: what was asked for to be shown is shown no more."""
        self._timer.stop()
        self._refresh.stop()
        self.rehearsals.stop()
        self.context.forget((id(self), "plan"), (id(self), "board"))
        super().done(result)

    def open_in_compare(self) -> None:
        """The finished runs, best first where that is known, as groups in Compare."""
        if self.plan is None or not self.plan.finished:
            return
        ranked = [run for row in self.board.rows for run in row.run_ids] if self.board else []
        self.context.session.open_page("compare", runs=[*dict.fromkeys([*ranked, *self.plan.finished])])
        self.close()  # it would stand before the page

    def copy_command(self) -> None:
        """Put the command line that does the same on the clipboard."""
        request = self.request()
        parts = ["coserec", "leaderboard", request.data, "--models", ",".join(request.models)]
        parts += ["--seeds", seeds_text(request.seeds), "--budget-minutes", f"{request.minutes:g}"]
        parts += ["--device", request.device] if request.device != "auto" else []
        parts += ["--metric", self.chosen_metric, *(["--retry"] if request.retry else [])]
        directory = self.context.workspace.directory
        parts += [] if directory == default_workspace() else ["--workspace", str(directory)]
        text = " ".join(shlex.quote(part) for part in parts)
        QGuiApplication.clipboard().setText(text)
        self.context.notifier.tell("Copied the command.", hint=text)

    def ask_where(self) -> None:
        """Ask for a file, without blocking the window; its kind says what is written."""
        ask_where(self, "Export the leaderboard", "leaderboard.csv", FILES, self.export_to)

    def export_to(self, file: str) -> None:
        """Write the table."""
        if self.board is None:
            return
        self.context.run_in_engine(
            self.context.workspace.leaderboards.export,
            self.board,
            Path(file),
            on_result=lambda path: self.context.notifier.tell(f"Wrote {path}.", level="good"),
        )


def open_leaderboard(context: Context, window: QWidget) -> LeaderboardDialog:
    """Show the leaderboard before the window: the one that is open, or a new one."""
    found = [item for item in window.findChildren(LeaderboardDialog) if item.isVisible()]
    board = found[0] if found else LeaderboardDialog(context, window)
    board.show()
    board.raise_()
    board.activateWindow()
    return board
