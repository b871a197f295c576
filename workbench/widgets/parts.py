"""Work that is done part by part in the engine process: progress, time left, Cancel; other questions go in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from workbench.context import Context
from workbench.engine_process import Task
from workbench.theme import SMALL
from workbench.widgets.cards import label

Call = Callable[[int], tuple[Callable[..., Any], tuple[Any, ...]]]
"""From a part's number to a picklable function and its arguments."""


class PartsBar(QWidget):
    """Asks for the parts one after another and tells of each. Cancel drops what is left at once."""

    part_done = Signal(int, object)
    """Part's number and its result."""
    finished = Signal()
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._task: Task | None = None
        self._call: Call | None = None
        self._part = self._total = 0
        self._began = 0.0
        self._round = 0
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.left = label("", "muted")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SMALL)
        row.addWidget(self.bar, 1)
        row.addWidget(self.left)
        row.addWidget(self.cancel_button)
        keep = self.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.setSizePolicy(keep)
        self.hide()

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self, total: int, call: Call) -> None:
        """Ask for parts 0 … total − 1; what was running is dropped."""
        self.stop()
        self._call, self._part, self._total, self._began = call, 0, total, time.monotonic()
        self.bar.setRange(0, total)
        self.bar.setValue(0)
        self.left.setText("starting …")
        self.show()
        self._ask()

    def stop(self) -> None:
        """Ask for no more parts, and want no answer. The part that runs is short: killing it costs the warm process."""
        self._task = None
        self._round += 1
        self.hide()

    @Slot()
    def cancel(self) -> None:
        """End the work at once."""
        task = self._task
        if task is not None:
            self.stop()
            task.cancel()
            self.cancelled.emit()

    def _ask(self) -> None:
        assert self._call is not None
        function, arguments = self._call(self._part)
        now = self._round
        self._task = self._context.run_in_engine(
            function,
            *arguments,
            on_result=lambda result: self._answered(result) if now == self._round else None,
            on_error=lambda error: self._not_answered(error) if now == self._round else None,
            key=(id(self), "part"),
        )

    def _answered(self, result: object) -> None:
        part = self._part
        self._part += 1
        self.part_done.emit(part, result)
        if self._task is None:
            return  # whoever was told has stopped it
        self.bar.setValue(self._part)
        if self._part >= self._total:
            self._task = None
            self.hide()
            self.finished.emit()
            return
        seconds = (time.monotonic() - self._began) / self._part * (self._total - self._part)
        self.left.setText(f"about {max(1, round(seconds))} s left")
        self._ask()

    def _not_answered(self, error: BaseException) -> None:
        self._task = None
        self.hide()
        self.failed.emit(error)
