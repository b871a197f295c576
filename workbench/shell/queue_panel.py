"""The queue's dock: what trains and waits, in order; pause, reorder, run next, how many at once, time left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.config import duration_text
from engine.records import RunRecord, RunStatus
from workbench.context import Context
from workbench.theme import SMALL, SPACE, set_role
from workbench.widgets.choice_box import ChoiceBox, NumberBox
from workbench.widgets.layout import button, label
from workbench.widgets.queue_time import paces, queue_text, waiting_seconds
from workbench.widgets.states import StatefulStack
from workbench.widgets.text import share_text

MOST_ROWS = 60
"""Runs that are shown; a longer queue is counted."""
DEVICES = {"cpu": "CPU", "cuda": "CUDA GPU", "mps": "Apple GPU"}


class QueueRow(QFrame):
    """One running or queued run. Alt+Up and Alt+Down move it, Alt+Home runs it next, Del ends it.

    The row has the focus, not its buttons: those come and go with its place, and Tab would take four steps a run.
    """

    def __init__(
        self, context: Context, record: RunRecord, move: Callable[[str, int], None], step: Callable[[str, int], None]
    ) -> None:
        super().__init__()
        self._context, self._id, self._move, self._step = context, record.id, move, step
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        set_role(self, "queue-row")
        self._icons: dict[QToolButton, str] = {}
        self.name = label(role="section")
        self.what = label(role="muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.up = self._tool("chevron-up", "Earlier (Alt+Up)", lambda: move(self._id, -1))
        self.down = self._tool("chevron-down", "Later (Alt+Down)", lambda: move(self._id, 1))
        self.next = self._tool("play", "Run next (Alt+Home)", lambda: move(self._id, 0))
        self.end = self._tool("cancel", "", self._end)
        texts = QHBoxLayout()
        texts.addWidget(self.name)
        texts.addStretch(1)
        texts.addWidget(self.what)
        left = QVBoxLayout()
        left.setSpacing(SMALL)
        left.addLayout(texts)
        left.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, SMALL, SMALL, SMALL)
        row.addLayout(left, 1)
        for tool in (self.next, self.up, self.down, self.end):
            row.addWidget(tool)
        context.theme.follow(self, QueueRow._draw_icons)

    def _draw_icons(self) -> None:
        for tool, icon in self._icons.items():
            tool.setIcon(self._context.theme.icon(icon, "muted"))

    def _tool(self, icon: str, tip: str, action: Callable[[], object]) -> QToolButton:
        made = QToolButton()
        made.setAutoRaise(True)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.setToolTip(tip)
        self._icons[made] = icon
        made.clicked.connect(lambda: action())
        return made

    def show_record(self, record: RunRecord, place: int, waiting: int, seconds: float | None) -> None:
        """Bring the row up to date; ``place`` is that of a waiting run, from 0, among ``waiting``."""
        runs = record.status is RunStatus.RUNNING
        name = self._context.runs.name(record)
        self.name.setText(name)
        self.bar.setVisible(runs)
        self.bar.setValue(round(1000 * (record.progress or 0)))
        self.bar.setAccessibleName(f"Progress of {name}")
        parts = [record.phase or "starting", share_text(record.progress or 0)] if runs else [f"waiting, {place + 1}."]
        if runs and record.seconds_left is not None:
            parts.append(f"{duration_text(record.seconds_left)} left")
        if not runs and seconds is not None:
            parts.append(f"at most {duration_text(seconds)}")
        if record.stop_requested and runs:
            parts = ["stopping"]
        self.what.setText(" · ".join(parts))
        self.setAccessibleName(f"{name}: {self.what.text()}")
        self.setAccessibleDescription("Del stops it." if runs else "Alt and arrows move it, Alt+Home runs it next.")
        for tool, can in ((self.next, place > 0), (self.up, place > 0), (self.down, place < waiting - 1)):
            tool.setVisible(not runs)
            tool.setEnabled(can)
            tool.setAccessibleName(f"{tool.toolTip().split(' (')[0]}: {name}")
        icon = "stop" if runs else "cancel"
        if self._icons[self.end] != icon:
            self._icons[self.end] = icon
            self._draw_icons()
        tip = "Stop with a checkpoint" if runs else "Take out of the queue"
        self.end.setToolTip(f"{tip} (Del)")
        self.end.setAccessibleName(f"{tip}: {name}")
        self.end.setEnabled(not record.stop_requested)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """With Alt, arrows move the run; without, they go to its neighbours."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: 0}
        key = Qt.Key(event.key())
        step, has_alt = steps.get(key), bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if has_alt and step is not None and not self.up.isHidden():
            self._move(self._id, step)
        elif step and not has_alt:
            self._step(self._id, step)
        elif key == Qt.Key.Key_Delete and self.end.isEnabled():
            self._end()
        else:
            super().keyPressEvent(event)

    def _end(self) -> None:
        record = self._context.runs.get(self._id)
        if record is not None:
            self._context.control.stop([record])


class QueuePanel(QWidget):
    """Running runs, then queued ones in the order in which they will start."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.rows: dict[str, QueueRow] = {}
        self._order: list[QueueRow] = []
        """The rows from top to bottom."""
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.more = label("", "muted")
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, SMALL, 0, SMALL)
        column.addLayout(self._list)
        column.addWidget(self.more)
        column.addStretch(1)
        area = QScrollArea()
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its rows have it, and scroll
        area.setWidgetResizable(True)
        area.setWidget(inner)
        self._area = area
        self.states = StatefulStack(area, context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head())
        layout.addWidget(self.states, 1)
        for signal in (context.runs.records_changed, context.runs.loaded_changed, context.runs.queue_changed):
            signal.connect(self.refresh)
        context.runs.purged.connect(self.refresh)
        context.paces.changed.connect(self.refresh)
        self.refresh()

    def _head(self) -> QHBoxLayout:
        self.pause = button("Pause", self.toggle_pause, tip="Start no more; what trains goes on")
        self._context.theme.follow(self, QueuePanel._draw_icon)
        self.total = label("", "muted")
        self.device = ChoiceBox()
        self.device.setAccessibleName("Device whose limit is shown")
        for name, text in DEVICES.items():
            self.device.addItem(text, name)
        self.device.activated.connect(lambda _: self._show_limit())
        self.limit = NumberBox()
        self.limit.setRange(1, 64)
        self.limit.setAccessibleName("Runs at once on this device")
        self.limit.setToolTip(
            "How many runs may train on this device at the same time. Each is a process of its own; on a CPU, several "
            "at once share its cores."
        )
        self.limit.editingFinished.connect(self._set_limit)
        row = QHBoxLayout()
        row.setContentsMargins(SPACE, SMALL, SPACE, 0)
        row.setSpacing(SMALL)
        row.addWidget(self.pause)
        row.addWidget(self.total, 1)
        at_once = label("At once on", "muted")
        at_once.setBuddy(self.device)
        for widget in (at_once, self.device, self.limit):
            row.addWidget(widget)
        return row

    # What is shown --------------------------------------------------------------------------------------------------

    def refresh(self, *_: object) -> None:
        """Show what runs and waits now."""
        book = self._context.runs
        waiting = book.waiting
        wanted = [*reversed(book.with_status(RunStatus.RUNNING)), *waiting][:MOST_ROWS]
        pace = paces(book, self._context.paces.of) if waiting else {}
        for gone in set(self.rows) - {record.id for record in wanted}:
            row = self.rows.pop(gone)
            if row.hasFocus():
                self._leave(row)
            self._list.removeWidget(row)
            row.deleteLater()
        places = {record.id: place for place, record in enumerate(waiting)}
        for number, record in enumerate(wanted):
            if record.id not in self.rows:
                self.rows[record.id] = QueueRow(self._context, record, self.move_run, self.step)
            row = self.rows[record.id]
            row.show_record(record, places.get(record.id, 0), len(waiting), waiting_seconds(record, pace))
            if self._list.indexOf(row) != number:
                self._list.removeWidget(row)
                self._list.insertWidget(number, row)
        self._order_tabs([self.rows[record.id] for record in wanted])
        hidden = len(waiting) + len(book.with_status(RunStatus.RUNNING)) - len(wanted)
        self.more.setText(f"and {hidden:,} more")
        self.more.setVisible(hidden > 0)
        self._show_rules(bool(wanted))

    def _order_tabs(self, rows: list[QueueRow]) -> None:
        """Rows come later than the rest of the window: Tab would find them behind everything else."""
        if rows != self._order:
            self._order = rows
            for before, row in zip([self.limit, *rows], rows, strict=False):
                QWidget.setTabOrder(before, row)
            # A row that is moved by a key stays in sight; its place is known once the list is laid out.
            QTimer.singleShot(0, self, self._show_focused)

    def _show_focused(self) -> None:
        for row in self._order:
            if row.hasFocus():
                self._area.ensureWidgetVisible(row, 0, 0)

    def focus_first(self) -> None:
        """Give the first row the focus; Pause, where there is none."""
        self._go_to(next(iter(self._order), self.pause))

    def step(self, run_id: str, by: int) -> None:
        """Go from a run's row to its neighbour below (1) or above (-1), where there is one."""
        place = self._order.index(self.rows[run_id]) + by
        if 0 <= place < len(self._order):
            self._go_to(self._order[place])

    def _leave(self, row: QueueRow) -> None:
        """The row that has the focus is about to go: what stands in its place then has it."""
        rows = [other for other in self._order if other is row or other in self.rows.values()]
        place = rows.index(row)
        self._go_to(next(iter([*rows[place + 1 :], *reversed(rows[:place])]), self.pause))

    def _go_to(self, widget: QWidget) -> None:
        widget.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(widget, QueueRow):
            self._area.ensureWidgetVisible(widget, 0, 0)

    def _show_rules(self, has_rows: bool) -> None:
        book = self._context.runs
        is_paused = book.queue.is_paused
        self.pause.setText("Go on" if is_paused else "Pause")
        self.pause.setAccessibleName("Start runs of the queue again" if is_paused else "Pause the queue")
        self._draw_icon()
        told = queue_text(book, self._context.paces.of)
        self.total.setText(" · ".join(filter(None, ["paused" if is_paused else "", told])))
        set_role(self.total, "section" if is_paused else "muted")
        self._show_limit()
        if has_rows:
            self.states.show_content()
        else:
            hint = "The queue is paused." if is_paused else "Queue a run on the Train page."
            self.states.show_empty("Nothing is queued", hint, "queue")

    def _draw_icon(self) -> None:
        icon = "play" if self._context.runs.queue.is_paused else "pause"
        self.pause.setIcon(self._context.theme.icon(icon, "muted"))

    def _show_limit(self) -> None:
        if not self.limit.hasFocus():
            self.limit.setValue(self._context.runs.queue.at_once.get(str(self.device.currentData()), 1))

    # What can be done -----------------------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """Start no more runs, or start them again."""
        queue = self._context.workspace.queue
        self._ask(queue.unpause if self._context.runs.queue.is_paused else queue.pause)

    def move_run(self, run_id: str, step: int) -> None:
        """One place earlier (-1) or later (1), or to the front (0)."""
        order = [record.id for record in self._context.runs.waiting]
        if run_id in order:
            place = 0 if step == 0 else order.index(run_id) + step
            self._ask(self._context.workspace.queue.move, [run_id], max(place, 0))

    def _set_limit(self) -> None:
        device, count = str(self.device.currentData()), self.limit.value()
        if count != self._context.runs.queue.at_once.get(device, 1):
            self._ask(self._context.workspace.queue.set_at_once, device, count)

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._context.run_in_thread(
            function,
            *arguments,
            on_result=lambda _: self._context.control.changed.emit(),
            on_error=self._context.control.report,
        )
