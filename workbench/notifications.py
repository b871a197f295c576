"""One channel for everything the user must know: kept, readable again, never a modal box.

Two kinds of errors: what the user can mend (`EngineError`: a sentence and what to do) and our own bugs (full trace, on
demand).
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Literal

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from engine.errors import EngineError

OFFSCREEN_LIMITS = "This plugin does not support"
"""Begins what Qt's off-screen platform says about window managers: there is none, and nothing is missing."""

Level = Literal["info", "good", "warning", "error"]


@dataclass(frozen=True)
class Notification:
    """One message. ``hint`` says what to do, ``details`` is a trace or other long text shown on demand."""

    level: Level
    text: str
    hint: str = ""
    details: str = ""
    at: datetime = field(default_factory=datetime.now)


class Notifier(QObject):
    """Collects notifications. Safe to use from any thread: the list changes on the GUI thread only."""

    added = Signal(object)
    _arrived = Signal(object)

    KEPT = 500

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Notification] = []
        self._arrived.connect(self._keep, Qt.ConnectionType.AutoConnection)

    def tell(self, text: str, *, level: Level = "info", hint: str = "", details: str = "") -> None:
        """Show a message."""
        self._arrived.emit(Notification(level, text, hint, details))

    def report(self, error: BaseException) -> None:
        """Show an error: an `EngineError` by its sentence, anything else as our bug with its trace."""
        if isinstance(error, EngineError):
            self.tell(error.message, level="error", hint=error.hint)
            return
        trace = "".join(traceback.format_exception(error))
        name = type(error).__name__
        self.tell(f"Something went wrong inside the workbench ({name}: {error}).", level="error", details=trace)

    def report_bug(self, error: BaseException) -> None:
        """Show our bugs only: an `EngineError` stands where it happened, with what to do."""
        if not isinstance(error, EngineError):
            self.report(error)

    def _keep(self, item: Notification) -> None:
        self.items.append(item)
        del self.items[: -self.KEPT]
        self.added.emit(item)


def install_hooks(notifier: Notifier) -> None:
    """Uncaught exceptions and Qt's own messages become notifications, and still reach the terminal."""

    def on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if not isinstance(error, KeyboardInterrupt):
            notifier.report(error.with_traceback(trace))

    def on_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if text.startswith(OFFSCREEN_LIMITS):
            return
        print(f"Qt: {text}", file=sys.stderr)
        if kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
            notifier.tell(f"Qt reports: {text}", level="warning")

    sys.excepthook = on_exception
    qInstallMessageHandler(on_qt_message)


def remove_hooks() -> None:
    """Put the previous hooks back (tests, and the end of the program)."""
    sys.excepthook = sys.__excepthook__
    qInstallMessageHandler(None)
