"""Works off the queue from the window: starts runs' processes, watches them, and tells what happened as signals.

A run is a process of its own that the engine launches (`engine.api.runs.Runs.start`): a crash or a lack of
memory ends one run and not the window, and training may outlive it. This thread never touches a widget.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QThread, Signal

from engine.errors import EngineError, RunError
from engine.records import RunRecord, RunStatus

if TYPE_CHECKING:
    from engine.api.runs import RunProcess, Runs

POLL_SECONDS = 0.4
SWEEP_SECONDS = 3.0
EXPECT_SECONDS = 600.0
"""How long a process is kept ready for a run that somebody seems about to queue."""
RENEW_SECONDS = 30.0
"""How often the queue, once taken, is taken anew, so that other hosts hear that this window lives."""


class TrainingThread(QThread):
    """As many runs at once as the queue's rules say. Emits records, never waits for the window."""

    run_started = Signal(str)
    run_ended = Signal(object)
    """The `RunRecord` of a run that this window started, at its end."""
    run_lost = Signal(object)
    """The `RunRecord` of any run found without its process."""
    trouble = Signal(object)

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self.setObjectName("training")
        self._runs = runs
        self._wake = threading.Event()
        self._ends = False
        self._takes_runs = True
        self._processes: dict[str, RunProcess] = {}
        self._last_trouble = ""
        self._taken_at: float | None = None
        self._expected_until: float | None = None
        self._made_ready = float("-inf")

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs whose processes this window started and which still live, in the order of their start."""
        return tuple(self._processes)

    @property
    def run_id(self) -> str | None:
        """The first of them."""
        return next(iter(self._processes.copy()), None)

    @property
    def has_queue(self) -> bool:
        """Whether runs wait and this window, and no other worker, is the one to start them."""
        return self._taken_at is not None

    def nudge(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def expect_run(self) -> None:
        """Somebody is about to queue a run: have a process ready that has imported what it needs."""
        # Asked for with every key that is pressed in the form: the next look is soon enough.
        self._expected_until = time.monotonic() + EXPECT_SECONDS

    def take_no_more(self) -> None:
        """Start no further run; the one that runs goes on."""
        self._takes_runs = False

    def take_again(self) -> None:
        """Work off the queue again."""
        self._takes_runs = True
        self._wake.set()
        if not self.isRunning():
            self._ends = False
            self.start()

    def stop(self) -> None:
        """End this thread and wait for it. A training process goes on."""
        self._ends = True
        self._wake.set()
        self.wait()

    def run(self) -> None:
        swept = 0.0
        while not self._ends:
            self._wake.clear()
            try:
                self._look_after_processes()
                if time.monotonic() - swept > SWEEP_SECONDS:
                    for record in self._runs.sweep():
                        self.run_lost.emit(record)
                    swept = time.monotonic()
                self._start_what_may()
                self._keep_ready()
                self._last_trouble = ""
            except (EngineError, OSError) as error:
                self._tell(error)
            self._wake.wait(POLL_SECONDS)
        try:
            self._runs.stand_down()
            self._leave_queue()
        except (EngineError, OSError) as error:
            self._tell(error)

    def _has_queue(self) -> bool:
        """Whether this window is the one that works off the queue; becomes it where nobody else is."""
        if self._taken_at is None or time.monotonic() - self._taken_at > RENEW_SECONDS:
            self._taken_at = time.monotonic() if self._runs.take_queue() else None
        return self._taken_at is not None

    def _leave_queue(self) -> None:
        if self._taken_at is not None:
            self._taken_at = None
            self._runs.drop_queue()

    def _look_after_processes(self) -> None:
        for run_id, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            self._drop(run_id)
            record = self._runs.get(run_id)
            if not record.status.is_end:
                # It died without a word: the sweep sees that its process is gone.
                self._runs.sweep()
                record = self._runs.get(run_id)
            self.run_ended.emit(record)

    def _drop(self, run_id: str) -> None:
        # Replaced, not changed: the GUI thread may be looking at it.
        self._processes = {other: process for other, process in self._processes.items() if other != run_id}

    def _start_what_may(self) -> None:
        waits = self._takes_runs and self._runs.next_queued() is not None
        if not waits and not (self._processes and self._takes_runs):
            # Whoever else wants to work off the queue may: a terminal, a second window.
            self._leave_queue()
            return
        # Taken also while a run trains that nobody watches any more: whoever closes this window must know of the queue.
        if not self._has_queue() or not waits:
            return
        while not self._ends and (record := self._runs.next_startable(self.run_ids)) is not None:
            try:
                process = self._runs.start(record.id)
            except RunError as error:
                # An error pauses nothing but that run.
                self._runs.give_up(record.id, error.message, error.hint)
                self._tell(error)
                continue
            self._processes = {**self._processes, record.id: process}
            self.run_started.emit(record.id)

    def _keep_ready(self) -> None:
        """While a run is expected and none trains: beside one, getting ready would take its cores for nothing."""
        until, now = self._expected_until, time.monotonic()
        if until is None:
            return
        if now > until:
            self._expected_until = None
            self._runs.stand_down()
        elif not self._processes and self._takes_runs and now - self._made_ready > SWEEP_SECONDS:
            self._made_ready = now
            self._runs.stand_by()

    def _tell(self, error: Exception) -> None:
        # A store that stays away would otherwise say so twice a second.
        if str(error) != self._last_trouble:
            self._last_trouble = str(error)
            self.trouble.emit(error)


def describe_end(record: RunRecord, name: str) -> tuple[str, str]:
    """How the run of this name ended, in one sentence, and the level of the notification."""
    level = {RunStatus.FINISHED: "good", RunStatus.FAILED: "error", RunStatus.LOST: "warning"}.get(
        record.status, "info"
    )
    text = f"{name} {record.status.value}."
    if record.message:
        text = f"{text} {record.message}"
    return text, level
