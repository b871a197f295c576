"""Whether a run's process still lives, and what becomes of a run whose process does not.

A process is known by its id *and* its creation time: the system gives ids out again.
"""

from __future__ import annotations

import os
import platform
from datetime import datetime, timedelta
from functools import cache

import psutil

from engine.paths import run_log
from engine.records import RunRecord, RunStatus
from engine.store import Ending, ProcessMark, StaleAttempt, Store
from engine.store.tables import now

SILENCE = timedelta(minutes=10)
"""A run on another host is lost after this long without a heartbeat: its processes cannot be looked at from here."""
FRESH = timedelta(seconds=15)
"""A heartbeat comes every two seconds; on a machine that is short of everything, later."""
_CLOCK_TOLERANCE = 2.0
"""Seconds by which the system's idea of a creation time may move when its clock is set."""


@cache
def this_host() -> str:
    """Name of this machine, as runs are stored with it."""
    return platform.node()


def this_process() -> ProcessMark:
    """The calling process."""
    return mark_of(os.getpid())


def mark_of(pid: int) -> ProcessMark:
    """A process of this host. Raises ``psutil.NoSuchProcess``."""
    return ProcessMark(this_host(), pid, psutil.Process(pid).create_time())


def process_of(mark: ProcessMark) -> psutil.Process | None:
    """The living process of that mark on this host; None when it is gone or a zombie."""
    if mark.host != this_host():
        return None
    try:
        process = psutil.Process(mark.pid)
        if abs(process.create_time() - mark.created) > _CLOCK_TOLERANCE:
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def is_beating(record: RunRecord) -> bool:
    """Whether the run was heard of within the last seconds, so that it is slow rather than stuck."""
    return record.heartbeat_at is not None and now() - record.heartbeat_at < FRESH


def holds(mark: ProcessMark, heard_at: datetime | None) -> bool:
    """Whether the process lives, or, on another host, was heard of lately."""
    if mark.host == this_host():
        return process_of(mark) is not None
    return heard_at is not None and now() - heard_at < SILENCE


def sweep(store: Store) -> tuple[RunRecord, ...]:
    """Mark runs LOST whose process is gone; returns them. Raises ``StoreError``.

    In a store that may only be read here they stay as they were told.
    """
    if not store.can_write:
        return ()
    lost = []
    for record in store.with_status(RunStatus.RUNNING):
        mark = store.mark(record.id)
        if mark is None or holds(mark, record.heartbeat_at):
            continue
        if _lose(store, record, mark):
            lost.append(store.get(record.id))
    return tuple(lost)


def _lose(store: Store, record: RunRecord, mark: ProcessMark) -> bool:
    if mark.host == this_host():
        message = f"The training process (pid {mark.pid}) is gone without a word."
        hint = "It was killed or the machine restarted; if memory was short, lower train.batch_size. Resume goes on."
    else:
        message = f"{mark.host} has not been heard of since {record.heartbeat_at:%Y-%m-%d %H:%M} UTC."
        hint = "Resume goes on from the last finished epoch."
    try:
        store.end(record.id, record.attempt, Ending(RunStatus.LOST, message, hint, log_tail=log_tail(store, record)))
    except StaleAttempt:
        return False  # it ended, or was claimed anew, between the two looks
    return True


def settle(store: Store, run_id: str, code: int) -> None:
    """After a launched process has ended with ``code``: give its run an end if it has given itself none."""
    record = store.get(run_id)
    if record.status is RunStatus.QUEUED and code:
        # It never claimed the run: without this the queue would start it again for ever.
        tail = log_tail(store, record)
        last = tail.strip().splitlines()[-1] if tail.strip() else f"exit code {code}"
        store.fail_unclaimed(run_id, f"The training process ended before it began: {last}", "See the log.", tail)
    elif record.status is RunStatus.RUNNING:
        sweep(store)


def log_tail(store: Store, record: RunRecord, lines: int = 50) -> str:
    """The last lines of the run's log; of the store's own copy when the file is gone."""
    return tail_of_file(store.workspace / run_log(record.id), lines) or store.log_tail(record.id)


def tail_of_file(path: os.PathLike[str], lines: int) -> str:
    """The last ``lines`` lines of a text file, read from its end; empty when it cannot be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 (a PathLike)
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 400 * lines))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
