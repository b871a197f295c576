"""Work off the GUI thread: one warm process for what computes, and a few threads for what only waits.

`EngineProcess` holds one process with the engine already imported (previews, statistics, devices). Cancel kills it and
starts another, so even a computation that never looks up ends at once. `Errands` runs short waits (store, log files).
Both hand the result, or the error, to the GUI thread.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.errors import EngineError

OnResult = Callable[[Any], None]
OnError = Callable[[BaseException], None]


class Task:
    """A piece of background work. One of its two callbacks is called, on the GUI thread; none if it is cancelled."""

    def __init__(
        self,
        owner: _Background,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        on_result: OnResult | None,
        on_error: OnError | None,
        key: object,
    ) -> None:
        self._owner = owner
        self.function = function
        self.arguments = arguments
        self.keywords = keywords
        self.on_result = on_result
        self.on_error = on_error
        self.key = key
        self.state = "waiting"
        """``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``."""

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def cancel(self) -> None:
        """End the work; its callbacks will not be called. Does nothing when it is over."""
        if not self.is_over:
            self._owner._cancel(self)


class _Background(QObject):
    """A queue of tasks in front of an executor. Lives on the GUI thread; only `_settled` is emitted from elsewhere."""

    busy_changed = Signal(bool)
    failed = Signal(object)
    """An error that no task took care of."""
    _settled = Signal(object, object)

    lanes = 1

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Task] = deque()
        self._running: dict[Future[Any], Task] = {}
        self._closed = False
        self._settled.connect(self._on_settled, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting or self._running)

    def run(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
        key: object = None,
        urgent: bool = False,
        **keywords: Any,
    ) -> Task:
        """Run ``function(*arguments, **keywords)``. A task with the ``key`` of an earlier one replaces it: only the
        newest answer arrives. ``urgent`` overtakes what waits."""
        task = Task(self, function, arguments, keywords, on_result, on_error, key)
        if self._closed:
            task.state = "cancelled"
            return task
        if key is not None:
            self.forget(key)
        if urgent:
            self._waiting.appendleft(task)
        else:
            self._waiting.append(task)
        self._next()
        self.busy_changed.emit(True)
        return task

    def forget(self, key: object) -> None:
        """The answer of the task with that ``key``, if one is on its way, arrives no more."""
        # A superseded computation that already runs is left to end: replacing the process costs more than it saves.
        for old in [task for task in self._waiting if task.key == key]:
            self._waiting.remove(old)
            old.state = "cancelled"
        for old in self._running.values():
            if old.key == key:
                old.state = "cancelled"

    def _executor(self) -> Executor:
        raise NotImplementedError

    def _next(self) -> None:
        while self._waiting and len(self._running) < self.lanes and not self._closed:
            task = self._waiting.popleft()
            task.state = "running"
            try:
                future = self._executor().submit(task.function, *task.arguments, **task.keywords)
            except BrokenProcessPool:
                # It died between two tasks (for want of memory, say). A second failure is the task's to report.
                self._replace()
                future = self._executor().submit(task.function, *task.arguments, **task.keywords)
            self._running[future] = task
            future.add_done_callback(self._announce)

    def _announce(self, future: Future[Any]) -> None:
        if not self._closed:
            self._settled.emit(self, future)

    def _replace(self) -> None:
        """Drop the executor; the next task makes a new one."""

    @Slot(object, object)
    def _on_settled(self, _sender: object, future: Future[Any]) -> None:
        task = self._running.pop(future, None)
        if task is None or self._closed:
            return
        result: Any = None
        error: Exception | None = None
        try:
            result = future.result()
        except CancelledError:
            task.state = "cancelled"
        except BrokenProcessPool:
            self._replace()
            error = EngineError("The helper process ended unexpectedly.", "Try again; it may have run out of memory.")
        except Exception as problem:
            error = problem
        self._next()
        if task.state != "cancelled":
            self._hand_over(task, result, error)
        if not self.is_busy:
            self.busy_changed.emit(False)

    def _hand_over(self, task: Task, result: Any, error: BaseException | None) -> None:
        if error is None:
            task.state = "done"
            if task.on_result is not None:
                task.on_result(result)
            return
        task.state = "failed"
        if task.on_error is not None:
            task.on_error(error)
        else:
            self.failed.emit(error)

    def _cancel(self, task: Task) -> None:
        was_running = task.state == "running"
        task.state = "cancelled"
        if task in self._waiting:
            self._waiting.remove(task)
        if was_running:
            self._abandon(task)
        if not self.is_busy:
            self.busy_changed.emit(False)

    def _abandon(self, task: Task) -> None:
        """Stop caring about a running task."""

    def close(self) -> None:
        """End everything; no callback is called any more."""
        self._closed = True
        self._waiting.clear()


def _enter_helper() -> None:
    """First thing in the helper process: give way to the window, and end with it, however it ends."""
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


class EngineProcess(_Background):
    """The one warm process. Functions, arguments and results are pickled: facade methods and records are fine."""

    restarted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pool: ProcessPoolExecutor | None = None

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("spawn"), initializer=_enter_helper
            )
        return self._pool

    @property
    def pid(self) -> int | None:
        """The helper's process id, None while there is none."""
        processes = (self._pool._processes or {}) if self._pool else {}
        return next(iter(processes), None)

    def _kill(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        # Until Python 3.14's kill_workers the pool offers no public way to end a worker that computes.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)

    def _replace(self) -> None:
        self._kill()
        self.restarted.emit()

    def _abandon(self, task: Task) -> None:
        self._running = {future: other for future, other in self._running.items() if other is not task}
        self._replace()
        self._next()

    def close(self) -> None:
        super().close()
        self._kill()
        self._running.clear()


class Errands(_Background):
    """A few threads for waits: reading a log, asking a run to stop. A running errand cannot be cancelled."""

    lanes = 4  # a stop waits in one of them for as long as a run takes to answer

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(self.lanes, thread_name_prefix="errand")

    def _executor(self) -> ThreadPoolExecutor:
        return self._threads

    def close(self) -> None:
        super().close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._running.clear()
