"""Stopping a run for certain: ask, then SIGTERM, then kill."""

from __future__ import annotations

import contextlib
import time

import psutil

from engine.paths import CHECKPOINT
from engine.records import RunRecord, RunStatus
from engine.runs import liveness
from engine.runs.recorder import STOPPING
from engine.store import Ending, ProcessMark, StaleAttempt, Store

_LOOK_SECONDS = 0.05
_ANSWERED = (STOPPING, "testing")
GRACE_SECONDS = 180.0
"""How long a run that has answered may take to test its best weights before it is killed after all."""
SLOW_SECONDS = 60.0
"""How long a run whose heart beats may take to answer: it looks between two steps, and on a busy machine one step can
take long. Killed, it would lose what it has learned since its last checkpoint."""


def ensure_stopped(store: Store, run_id: str, patience: float) -> RunRecord:
    """After a stop request: wait ``patience`` seconds, SIGTERM, wait as long again, kill. Returns the ended run.

    A run whose heart beats is slow rather than stuck: it is given time to end its step, and, once it has answered, to
    test what it has.

    A process on another host cannot be signalled from here: the request stands, and its state is returned as it is.
    """
    mark = store.mark(run_id)
    record = _wait(store, run_id, patience)
    if record.status is not RunStatus.RUNNING or mark is None:
        return record
    process = liveness.process_of(mark)
    if process is not None:
        with contextlib.suppress(psutil.Error):
            process.terminate()
        record = _wait(store, run_id, patience, SLOW_SECONDS)
        process = liveness.process_of(mark)
    elif mark.host != liveness.this_host():
        return record
    if record.status is RunStatus.RUNNING and process is not None:
        _kill(process)
        _mark_stopped(store, record, mark)
    elif record.status is RunStatus.RUNNING:
        liveness.sweep(store)
    return store.get(run_id)


def _wait(store: Store, run_id: str, seconds: float, slow: float = 0.0) -> RunRecord:
    """Until the run has ended, or for so many ``seconds``; ``slow`` more where its heart beats."""
    deadline = time.monotonic() + seconds
    while True:
        record = store.get(run_id)
        if record.status is not RunStatus.RUNNING:
            return record
        grace = GRACE_SECONDS if record.phase in _ANSWERED else slow
        if time.monotonic() > deadline + (grace if liveness.is_beating(record) else 0.0):
            return record
        time.sleep(_LOOK_SECONDS)


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.kill()
        process.wait(timeout=10)


def _mark_stopped(store: Store, record: RunRecord, mark: ProcessMark) -> None:
    has_checkpoint = (record.directory / CHECKPOINT).is_file()
    kept = "Its last checkpoint stands." if has_checkpoint else "It had no checkpoint yet."
    ending = Ending(
        RunStatus.STOPPED,
        f"The training process (pid {mark.pid}) did not answer the stop request and was killed. {kept}",
        "Resume goes on from the last finished epoch." if has_checkpoint else "Resume begins from the start.",
        log_tail=liveness.log_tail(store, record),
    )
    with contextlib.suppress(StaleAttempt):  # it found an end of its own at the last moment
        store.end(record.id, record.attempt, ending)
