"""Running runs to their ends from a terminal: start each as a process of its own, tell its progress, stop on Ctrl+C."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import click

from engine.api.runs import RunProcess, Runs
from engine.cli.frame import tell
from engine.config import STOPPING_METRIC
from engine.config.naming import run_name
from engine.errors import StoreError
from engine.records import FeedCursor, MetricPoint, RunRecord, RunStatus
from engine.runs.patience import Patience, lives

_LOOK_SECONDS = 0.2
_SWEEP_SECONDS = 3.0
_ASK_SECONDS = 1.0
_PATIENCE = 10.0
"""Seconds between a stop request and SIGTERM: large data validate for long, and a terminal can wait."""


def follow(runs: Runs, ids: Sequence[str]) -> tuple[RunRecord, ...]:
    """Start the runs one after another, wherever no other process has, and wait for the end of all. None is started
    beside a run that has its device already, nor before its turn where a worker works off the queue.

    Ctrl+C asks the running one to stop with a checkpoint and takes the others out of the queue; a second Ctrl+C stops
    waiting and leaves the process to it.
    """
    try:
        printer = Printer(runs, ids)
        _follow(runs, ids, printer)
    except KeyboardInterrupt:
        try:
            _stop(runs, ids)
        except KeyboardInterrupt:
            _request_stop(runs, ids)  # again: the first round of requests may have been cut short
            tell("Not waiting any longer; `coserec runs` tells what became of it.")
            raise click.Abort from None
        printer.update()
    return tuple(runs.get(run_id) for run_id in ids)


def _follow(runs: Runs, ids: Sequence[str], printer: Printer) -> None:
    """Look until all have ended. While the store is in trouble they train all the same, and so it is waited out."""
    with _Turn(runs) as turn:
        watch = _Watch(runs, ids, printer, turn)
        patience = Patience(tell)
        while True:
            try:
                if watch.is_over():
                    return
                patience.is_over()
            except StoreError as error:
                patience.bear(error, trains=watch.trains())
            time.sleep(_LOOK_SECONDS)


class _Watch:
    """One look after the other at the runs; each is started when it is its turn."""

    def __init__(self, runs: Runs, ids: Sequence[str], printer: Printer, turn: _Turn) -> None:
        self._runs = runs
        self._ids = ids
        self._printer = printer
        self._turn = turn
        self._process: RunProcess | None = None
        self._swept = time.monotonic()

    def trains(self) -> bool:
        """Whether a process that was started here lives."""
        return self._process is not None and lives(self._process.poll)

    def is_over(self) -> bool:
        """Look once; tells whether all have ended. Raises ``StoreError``."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        self._printer.update()
        records = [self._runs.get(run_id) for run_id in self._ids]
        waiting = [record for record in records if record.status is RunStatus.QUEUED]
        if self._process is None or self._process.run_id not in [record.id for record in waiting]:
            self._turn.leave()
        if all(record.status.is_end for record in records):
            if self._process is None:
                self._printer.update()
                return True
        elif self._process is None and waiting and not any(one.status is RunStatus.RUNNING for one in records):
            self._process = self._turn.start(waiting[0])
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._runs.sweep()
            self._swept = time.monotonic()
        return False


class _Turn:
    """Starts a run when its turn has come, and tells once what it waits for. Nobody else has one until it is left."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._told = self._heard = ""
        self._asked = float("-inf")
        self._is_taken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(StoreError):  # the dead lose it; and a Ctrl+C on its way must not become another error
            self.leave()

    def start(self, record: RunRecord) -> RunProcess | None:
        """Start it; None where it is to wait, or was asked about just now."""
        if time.monotonic() - self._asked < _ASK_SECONDS:
            return None
        reason = self._runs.take_turn(record.id)
        if not reason:
            self._is_taken = True
            return self._runs.start(record.id)
        self._asked = time.monotonic()
        if self._told != reason == self._heard:  # what has passed a second later is not worth a line
            self._told = reason
            tell(f"{record.id} ({run_name(record)}) waits. {reason}")
        self._heard = reason
        return None

    def leave(self) -> None:
        """What was started has begun, or never will."""
        if self._is_taken:
            self._runs.leave_turn()
            self._is_taken = False


def _stop(runs: Runs, ids: Sequence[str]) -> None:
    """Stop them all and wait. Asked first and told afterwards: whoever read it may be gone, as a `tee` behind a pipe is
    that the same Ctrl+C has ended."""
    refused = _request_stop(runs, ids)
    for told in dict.fromkeys(map(str, refused.values())):
        tell(told)
    _wait_for_end(runs, ids)
    # The store may be writable again: while the one was waited for, time has passed.
    for run_id, error in _request_stop(runs, list(refused)).items():
        tell(f"That {run_id} is to stop is not in the store: {error.message} `coserec stop {run_id}` asks again.")


def _request_stop(runs: Runs, ids: Sequence[str]) -> dict[str, StoreError]:
    """Ask all; what the store has refused."""
    refused = {}
    for run_id in reversed(ids):  # the queue's end first, or stopping one would start the next
        try:
            runs.request_stop(run_id)
        except StoreError as error:
            refused[run_id] = error
    return refused


def _wait_for_end(runs: Runs, ids: Sequence[str]) -> None:
    has_told = False
    for run_id in ids:
        with suppress(StoreError):  # told already; the others are waited for all the same
            if runs.get(run_id).status is RunStatus.RUNNING:
                if not has_told:
                    has_told = True
                    tell("Stopping with a checkpoint … (Ctrl+C again: do not wait)")
                runs.ensure_stopped(run_id, _PATIENCE)


class Printer:
    """Tells what is new in the store about some runs: a line an epoch, a line a change of state."""

    def __init__(self, runs: Runs, ids: Sequence[str]) -> None:
        self._runs = runs
        self._ids = frozenset(ids)
        self._cursor = FeedCursor()
        self._told: dict[str, RunStatus] = {}
        self._before = {run_id: _attempts_before(runs.get(run_id)) for run_id in ids}
        """The attempts that were over when this began: their epochs were told then."""

    def update(self) -> None:
        """Print what has happened since the last call."""
        batch = self._runs.changes(self._cursor, self._ids)
        self._cursor = batch.cursor
        mine = {record.id: record for record in batch.runs if record.id in self._ids}
        for record in mine.values():
            if not record.status.is_end:
                self._tell_state(record)
        self._tell_epochs(batch.points, mine)
        for record in mine.values():
            if record.status.is_end:
                self._tell_state(record)

    def _tell_state(self, record: RunRecord) -> None:
        if self._told.get(record.id) is not record.status:
            self._told[record.id] = record.status
            parts = (record.id, f"({run_name(record)})", f"{record.status}.", record.message, record.hint)
            tell(" ".join(filter(None, parts)))

    def _tell_epochs(self, points: Sequence[MetricPoint], records: dict[str, RunRecord]) -> None:
        epochs: dict[tuple[str, int], list[MetricPoint]] = {}
        for point in points:
            is_new = point.attempt > self._before.get(point.run_id, 0)
            if is_new and not point.name.startswith("running/"):
                epochs.setdefault((point.run_id, point.epoch), []).append(point)
        for (run_id, epoch), found in epochs.items():
            record = records.get(run_id)
            shown = [point for point in found if _is_shown(point.name)]
            values = "  ".join(f"{point.name.partition('/')[2]} {point.value:.4g}" for point in shown)
            seconds = sum(point.value for point in found if point.name.startswith("time/"))
            left = record.seconds_left if record is not None else None
            tail = "" if left is None else f"  (at most {_duration(left)} left)"
            total = "" if record is None else f"/{record.epochs}"
            tell(f"{run_id} epoch {epoch + 1}{total}  {values}  {seconds:.2f} s{tail}")


def _attempts_before(record: RunRecord) -> int:
    """Attempts that have ended: of a queued run all, of one that another process has begun meanwhile not the last."""
    return record.attempt if record.status is RunStatus.QUEUED else max(record.attempt - 1, 0)


def _is_shown(name: str) -> bool:
    """Losses and the metric that early stopping follows: a line must stay a line."""
    return name.startswith("loss/") or name == f"valid/{STOPPING_METRIC}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
