"""The import dialog's work: looking, counting and importing in a helper process of its own, with progress and Cancel.

Its own, because an import may take a minute, and the pages' helper must answer meanwhile. Cancel kills it, so it ends
at once; what it had begun to write is taken away.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.config import ImportRecipe
from engine.records import ImportProgress
from workbench.context import Context
from workbench.engine_process import EngineProcess, Task

_EVERY = 150
"""Milliseconds between two looks at the progress."""
_PAUSE = 250
"""Milliseconds without a change before it is counted."""


class ImportJob(QObject):
    """Emits, for the newest question only, `looked`, `counted`, `imported`, or `failed` (what was asked, the error)."""

    looked = Signal(object)
    counted = Signal(object)
    imported = Signal(object)
    failed = Signal(str, object)
    progressed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, context: Context, path: str, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._imports = context.workspace.imports
        self._path = path
        self._is_own = isinstance(context.engine, EngineProcess)
        self._engine = EngineProcess() if self._is_own else context.engine
        self._job = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._tasks: dict[str, Task] = {}
        self._wanted: ImportRecipe | None = None
        self._poll = QTimer(self, interval=_EVERY)
        self._poll.timeout.connect(self._ask_progress)
        self._pause = QTimer(self, interval=_PAUSE, singleShot=True)
        self._pause.timeout.connect(self._count_now)

    @property
    def is_importing(self) -> bool:
        return "import" in self._tasks

    @property
    def is_looking(self) -> bool:
        return "look" in self._tasks

    def read_other(self, path: str) -> None:
        """End what is under way for the file until now, and go on with another."""
        self.stop()
        self._wanted = None
        self._path = path

    def look(self, recipe: ImportRecipe) -> None:
        """Look at the file's beginning; a count that is under way is of an older reading and ends."""
        self.stop("count")
        self._run("look", self._imports.look, self.looked, recipe)

    def count(self, recipe: ImportRecipe, *, reads_anew: bool = False) -> None:
        """Count what the recipe leaves, after a short pause. ``reads_anew``: the rows themselves will differ, so what
        is being read now is in vain."""
        if reads_anew:
            self.stop("count")
        self._wanted = recipe
        self._engine.forget((id(self), "count"))  # an older recipe's answer would look like this one's
        self._pause.start()

    def _count_now(self) -> None:
        if self._wanted is not None:
            self._run("count", self._imports.count, self.counted, self._wanted, job=self._job)

    def run(self, recipe: ImportRecipe) -> None:
        """Import the file. A count that is reading it goes on: what it reads is what the import needs."""
        self._pause.stop()
        self._run("import", self._imports.run, self.imported, recipe, job=self._job)

    def _run(self, what: str, function: Callable[..., Any], signal: Any, *arguments: Any, **keywords: Any) -> None:
        def done(result: Any) -> None:
            self._over(what)
            signal.emit(result)

        def failed(error: BaseException) -> None:
            self._over(what)
            self.failed.emit(what, error)

        key = (id(self), what)
        self._tasks[what] = self._engine.run(
            function, self._path, *arguments, on_result=done, on_error=failed, key=key, **keywords
        )
        self._poll.start()
        self.busy_changed.emit(True)

    def _over(self, what: str) -> None:
        self._tasks.pop(what, None)
        if not self._tasks:
            self._poll.stop()
            self.busy_changed.emit(False)

    def stop(self, *what: str) -> None:
        """End what is under way (all, without names), and take away what it has left."""
        self._pause.stop()
        names = [name for name in (what or tuple(self._tasks)) if name in self._tasks]
        for name in names:
            task = self._tasks.pop(name)
            task.cancel()
        if names:
            self._context.run_in_thread(self._imports.discard, self._job)
        if not self._tasks and self._poll.isActive():
            self._poll.stop()
            self.busy_changed.emit(False)

    def _ask_progress(self) -> None:
        self._context.run_in_thread(
            self._imports.progress, self._job, on_result=self._show_progress, key=(id(self), "progress")
        )

    def _show_progress(self, progress: ImportProgress | None) -> None:
        if progress is not None and self._tasks:
            self.progressed.emit(progress)

    def close(self) -> None:
        """End everything; no signal is emitted any more."""
        self.blockSignals(True)
        self.stop()
        if self._is_own:
            self._engine.close()
