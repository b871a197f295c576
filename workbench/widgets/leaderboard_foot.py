"""The leaderboard's buttons. They keep their places whatever they say: what stands under the mouse stays what it is."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from engine.records import LeaderboardPlan
from workbench.item_models.leaderboard_rows import queue_text
from workbench.theme import SMALL, Theme
from workbench.widgets.layout import button, keep_room
from workbench.widgets.numbers import count

_LONGEST_COMPARE = "Open 1,000 runs in Compare"
_LONGEST_QUEUE = "Queue 100 runs, 100 waiting · at most 24 h 00 min"
_LONGEST_STOP = "Stop 100 runs"


class LeaderboardFoot(QWidget):
    """Close, Copy, Export, Compare and Queue at the right; Stop, which comes and goes, by itself at the left."""

    closed = Signal()
    copied = Signal()
    exported = Signal()
    compared = Signal()
    stopped = Signal()
    queued = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.stop = button(
            "Stop", self.stopped.emit, theme=theme, icon="stop", tip="With checkpoints; Queue goes on with them"
        )
        self.close_button = button("Close", self.closed.emit)
        self.copy = button("Copy as command", self.copied.emit, theme=theme, icon="copy")
        self.save = button(
            "Export …", self.exported.emit, theme=theme, icon="export", tip="The table as CSV, LaTeX, Parquet"
        )
        self.compare = button(
            "Open in Compare",
            self.compared.emit,
            theme=theme,
            icon="compare",
            tip="The finished runs, in their groups",
        )
        self.queue = button(
            "Queue",
            self.queued.emit,
            role="primary",
            tip="Submit what is missing, resume what was stopped (Ctrl+Return)",
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SMALL)
        row.addWidget(self.stop)
        row.addStretch(1)
        for item in (self.close_button, self.copy, self.save, self.compare, self.queue):
            row.addWidget(item)
        keep = self.stop.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # or in a narrow window the others would make room for it
        self.stop.setSizePolicy(keep)
        # No default button: Return after a seed or a choice would queue hours of training.
        for item in self.findChildren(QPushButton):
            item.setAutoDefault(False)

    def keep_rooms(self) -> None:
        """Make the buttons whose words change as wide as they may become; once the style is known."""
        keep_room(self.stop, _LONGEST_STOP)
        keep_room(self.compare, _LONGEST_COMPARE)
        keep_room(self.queue, _LONGEST_QUEUE)

    def show_state(self, plan: LeaderboardPlan | None, *, is_queueing: bool, can_copy: bool, can_export: bool) -> None:
        """Say what each button will do with this plan."""
        self.queue.setText("Queueing …" if is_queueing else queue_text(plan))
        self.queue.setEnabled(bool(plan and (plan.new or plan.resumes)) and not is_queueing)
        done, waiting = (len(plan.finished), len(plan.waiting)) if plan else (0, 0)
        self.stop.setVisible(waiting > 0)
        self.stop.setText(f"Stop {count(waiting, 'run')}")
        self.compare.setEnabled(done > 0)
        self.compare.setText(f"Open {done:,} runs in Compare" if done > 1 else "Open in Compare")
        self.save.setEnabled(can_export)
        self.copy.setEnabled(can_copy)
