"""What works behind the window: the live feed and the training thread, wired to the run book and the notifications."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.errors import EngineError
from engine.records import RunRecord
from workbench.context import Context
from workbench.live_feed import LiveFeed
from workbench.training_thread import TrainingThread, describe_end

IDLE_LOOK_MS = 500
LEAVE_SECONDS = 5.0
"""So long the program that has no window any more waits for a slow disk."""


class Backstage(QObject):
    """Starts after the first paint, ends with the window."""

    devices_known = Signal(object)
    """Carries the `DeviceInfo`s, once the engine process is warm."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.devices: tuple[Any, ...] = ()
        self.feed = LiveFeed(context.workspace.runs)
        self.training = TrainingThread(context.workspace.runs)
        book = context.runs
        self.feed.arrived.connect(book.take)
        self.feed.first_read.connect(book.set_loaded)
        self.feed.first_read.connect(self._start_training)
        self.feed.trouble.connect(book.set_trouble)
        self.feed.trouble.connect(self._on_trouble)
        book.wanted_changed.connect(self.feed.watch)
        book.records_changed.connect(self._start_training)
        context.control.changed.connect(self._nudge)
        context.control.expected.connect(self.training.expect_run)
        self.training.run_started.connect(self._nudge)
        self.training.run_ended.connect(self._on_end)
        self.training.run_lost.connect(self._on_end)
        self.training.trouble.connect(context.control.report)
        self._leaving: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read the store, to work off the queue, and to warm the engine process."""
        self.feed.start()
        self._ask_for_devices()

    def _ask_for_devices(self) -> None:
        # The answer imports torch, which takes seconds: what a page has asked for in the meantime goes first.
        if self.context.engine.is_busy:
            QTimer.singleShot(IDLE_LOOK_MS, self, self._ask_for_devices)
        else:
            self.context.run_in_engine(self.context.workspace.runs.devices, on_result=self._on_devices)

    @Slot(object)
    def _on_devices(self, devices: object) -> None:
        self.devices = tuple(devices)  # type: ignore[arg-type]
        self.devices_known.emit(self.devices)

    @Slot()
    def _nudge(self, *_: object) -> None:
        self.feed.nudge()
        self.training.nudge()

    @Slot(object)
    def _on_trouble(self, error: BaseException | None) -> None:
        if error is not None:
            self.context.notifier.report(error)

    @Slot()
    def _start_training(self, *_: object) -> None:
        if not self.training.isRunning() and not self.training.isFinished():
            # Not before the store has been read: a window that cannot read it must not start anything.
            self.training.start()

    @Slot(object)
    def _on_end(self, record: RunRecord) -> None:
        text, level = describe_end(record, self.context.runs.name(record))
        self.context.notifier.tell(text, level=level, hint=record.hint)  # type: ignore[arg-type]
        self._nudge()

    def close(self) -> None:
        """End the threads and the helper process. A training process goes on."""
        self.training.stop()
        self.feed.stop()
        self.context.close()
        # Last, when nothing here uses the store any more: interpreters end without closing what they still hold, and
        # SQLite would keep the newest runs in its log. Writing is no work for the GUI thread, so the window goes first.
        self._leaving = threading.Thread(target=self._leave_store, name="leave-store", daemon=True)
        self._leaving.start()

    def _leave_store(self) -> None:
        with contextlib.suppress(EngineError, OSError):
            self.context.workspace.runs.leave()

    def wait(self, seconds: float = LEAVE_SECONDS) -> None:
        """After `close`, and when no window is left that could stutter: until the store is left too."""
        if self._leaving is not None:
            self._leaving.join(seconds)
