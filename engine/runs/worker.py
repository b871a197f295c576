"""The headless worker: works off the queue, as many runs at once as its rules say, each a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from engine.config.naming import run_name
from engine.errors import RunError, StoreError
from engine.records import RunRecord, RunStatus
from engine.runs import launch, liveness
from engine.runs.launch import LaunchedRun
from engine.runs.patience import Patience, lives
from engine.runs.recorder import say
from engine.runs.schedule import device_of, startable
from engine.store import ProcessMark, Store

LOCK = "worker"
STARTING = "starting"
_LOOK_SECONDS = 0.2
_ASK_SECONDS = 1.0
"""So often the store is asked what waits, and at once when a process has ended: at every look the questions alone took
a fortieth of a core from the training."""
_SWEEP_SECONDS = 5.0
_LOCK_SECONDS = 60.0


def work(
    store: Store, should_go_on: Callable[[], bool], start: Callable[[Store, str], LaunchedRun] = launch.launch
) -> int:
    """Start queued runs until the queue is empty or ``should_go_on`` denies the next; returns how many it started.

    Waits while the queue is paused, and while its devices have no room, whoever trains there. A run that cannot be
    started fails, and the next one is started. A store in trouble is borne with (`Patience`). One worker a workspace:
    raises ``RunError`` when another one lives.
    """
    with _alone(store) as refresh:
        queue = _Queue(store, should_go_on, start, refresh)
        patience = Patience(say)
        while True:
            try:
                if queue.is_done():
                    return queue.started
                patience.is_over()
            except StoreError as error:
                patience.bear(error, trains=queue.trains())
                time.sleep(_LOOK_SECONDS)


class _Queue:
    """One look after the other at the queue and at the processes that were started from it."""

    def __init__(
        self,
        store: Store,
        should_go_on: Callable[[], bool],
        start: Callable[[Store, str], LaunchedRun],
        refresh: Callable[[], None],
    ) -> None:
        self._store = store
        self._should_go_on = should_go_on
        self._launch = start
        self._refresh = refresh
        self._swept = self._asked = float("-inf")
        self._processes: dict[str, LaunchedRun] = {}
        self.started = 0
        """How many runs."""

    def trains(self) -> bool:
        """Whether one of the processes lives."""
        return any(lives(process.poll) for process in self._processes.values())

    def is_done(self) -> bool:
        """Look once, start what may start, wait a little; tells whether nothing is left. Raises ``StoreError``."""
        running = {run_id: process for run_id, process in self._processes.items() if process.poll() is None}
        has_ended, self._processes = len(running) < len(self._processes), running
        goes_on = self._should_go_on()
        if running and not has_ended and goes_on and time.monotonic() - self._asked < _ASK_SECONDS:
            self._rest()
            return False
        self._asked = time.monotonic()
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            liveness.sweep(self._store)
            self._swept = time.monotonic()
        waiting = [run for run in self._store.with_status(RunStatus.QUEUED) if run.id not in running]
        if (not goes_on or not waiting) and not running:
            return True
        record = next_startable(self._store, running) if goes_on and waiting else None
        if record is not None:
            self._start(record)
            self._asked = float("-inf")  # there may be room for another one
        else:
            self._rest()
        return False

    def _rest(self) -> None:
        self._refresh()
        time.sleep(_LOOK_SECONDS)

    def _start(self, record: RunRecord) -> None:
        try:
            self._processes[record.id] = self._launch(self._store, record.id)
        except RunError as error:
            # An error pauses nothing but that run.
            self._store.fail_unclaimed(record.id, error.message, error.hint, "")
        else:
            self.started += 1


def next_startable(store: Store, starting: Iterable[str]) -> RunRecord | None:
    """The next run that may start on this host; ``starting`` are those started whose claim may not be written yet."""
    if _other_holder(store, STARTING) is not None:  # what a terminal starts has no device yet
        return None
    own = set(starting)
    queued = store.with_status(RunStatus.QUEUED)
    begun = [run for run in queued if run.id in own]
    return startable([run for run in queued if run.id not in own], [*_training(store), *begun], store.desk.state())


def is_free_for(store: Store) -> bool:
    """Whether a run that this process starts could begin now: none trains here, and nobody else works off the queue."""
    return _other_holder(store, LOCK) is None and not _training(store)


def take_turn(store: Store, record: RunRecord) -> str:
    """Why whoever wants the queued ``record`` to run should not start it now, as a sentence. Empty: it is this
    process's turn, and nobody else's until `leave_turn`: between its start and its claim a run has no device yet.

    Two runs that each compute with all cores ruin each other (`engine.training.threads`). So one that is started by
    hand leaves its turn to the worker, where one works, and waits for room on its device, where none does.
    """
    holder = store.take_lock(STARTING, liveness.this_process(), liveness.holds)
    if holder is not None:
        return f"Another terminal (pid {holder.pid}) is starting one."
    is_its_turn = False
    try:
        reason = _reason_to_wait(store, record)
        is_its_turn = not reason
        return reason
    finally:
        if not is_its_turn:
            leave_turn(store)


def leave_turn(store: Store) -> None:
    """What was started in this process's turn has begun, or never will."""
    store.drop_lock(STARTING, liveness.this_process())


def _reason_to_wait(store: Store, record: RunRecord) -> str:
    state = store.desk.state()
    worker = _other_holder(store, LOCK)
    if worker is not None and not state.is_paused:
        place = state.order.index(record.id) + 1 if record.id in state.order else 1
        return f"It is number {place} in the queue, which the window or `coserec work` (pid {worker.pid}) works off."
    here = _training(store)
    # A queue that pauses starts nothing by itself; this one was asked for.
    if startable([record], here, replace(state, is_paused=False)) is not None:
        return ""
    device = device_of(record)
    busy = [f"{run.id} ({run_name(run)})" for run in here if device_of(run) == device]
    if len(busy) == 1:
        return f"It starts when {busy[0]} has ended: one run at a time trains on {device}."
    return f"It starts when one of {', '.join(busy)} has ended: {len(busy)} runs at a time train on {device}."


def _training(store: Store) -> list[RunRecord]:
    """The runs that train on this host."""
    return [run for run in store.with_status(RunStatus.RUNNING) if run.host == liveness.this_host()]


def living_worker(store: Store) -> ProcessMark | None:
    """The process on this host that works off the queue."""
    return _living_holder(store, LOCK)


def _living_holder(store: Store, lock: str) -> ProcessMark | None:
    holder = store.lock_holder(lock)
    return None if holder is None or liveness.process_of(holder) is None else holder


def _other_holder(store: Store, lock: str) -> ProcessMark | None:
    """Another living process on this host that has the lock."""
    holder = _living_holder(store, lock)
    return None if holder == liveness.this_process() else holder


@contextmanager
def _alone(store: Store) -> Iterator[Callable[[], None]]:
    me = liveness.this_process()
    renewed = time.monotonic()

    def refresh() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > _LOCK_SECONDS:
            store.take_lock(LOCK, me, liveness.holds)
            renewed = time.monotonic()

    holder = store.take_lock(LOCK, me, liveness.holds)
    if holder is not None:
        raise RunError(
            f"Another worker (pid {holder.pid} on {holder.host}) already works off the queue of {store.workspace}.",
            "It takes new runs too; there is nothing to start.",
        )
    try:
        yield refresh
    finally:
        with suppress(StoreError):  # the dead lose it
            store.drop_lock(LOCK, me)
