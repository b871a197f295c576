"""Runs: submitted, launched, watched, stopped, resumed. The store is the only source of what is told about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.config import ExperimentConfig
from engine.records import DeviceInfo, EpochReport, FeedBatch, FeedCursor, RunRecord


class RunProcess(Protocol):
    """A started training process, in a session of its own; it outlives whoever started it."""

    run_id: str
    pid: int

    def poll(self) -> int | None:
        """Exit code, or None while it lives."""
        ...


class Runs:
    """Facade over ``engine.runs`` and ``engine.store``. Every method may touch the disk: never on the GUI thread."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def submit(
        self, config: ExperimentConfig, *, preset: str = "", seeds: Sequence[int] = (), name: str = ""
    ) -> tuple[RunRecord, ...]:
        """Store one QUEUED run per seed (or the configuration's own). Raises ``DataError`` when the data cannot be read."""
        raise NotImplementedError

    def all(self) -> tuple[RunRecord, ...]:
        """Every run, newest first."""
        raise NotImplementedError

    def get(self, run_id: str) -> RunRecord:
        """One run; an unambiguous beginning of its id is enough. Raises ``UsageError``."""
        raise NotImplementedError

    def changes(self, cursor: FeedCursor) -> FeedBatch:
        """Runs that changed and points that are new since ``cursor``; an empty cursor gives everything current."""
        raise NotImplementedError

    def epochs(self, run_id: str) -> tuple[EpochReport, ...]:
        """The run's finished epochs, of the current attempt's history only."""
        raise NotImplementedError

    def log(self, run_id: str, lines: int = 200) -> str:
        """The last lines of the run's log."""
        raise NotImplementedError

    def next_queued(self) -> RunRecord | None:
        """The oldest queued run."""
        raise NotImplementedError

    def start(self, run_id: str) -> RunProcess:
        """Start ``python -m engine run ID`` as a process of its own, at lower priority. Raises ``RunError``."""
        raise NotImplementedError

    def request_stop(self, run_id: str) -> RunRecord:
        """Ask a running run to stop with a checkpoint; a queued one is cancelled."""
        raise NotImplementedError

    def ensure_stopped(self, run_id: str, patience: float = 2.0) -> RunRecord:
        """After ``request_stop``: wait ``patience`` seconds, then SIGTERM, then kill. Blocks."""
        raise NotImplementedError

    def cancel(self, run_id: str) -> RunRecord:
        """Take a queued run out of the queue."""
        raise NotImplementedError

    def resume(self, run_id: str) -> RunRecord:
        """Queue a stopped, failed or lost run again, as a new attempt from its checkpoint. Raises ``RunError``."""
        raise NotImplementedError

    def sweep(self) -> tuple[RunRecord, ...]:
        """Mark runs LOST whose process is gone, and return them. Called every few seconds by whoever watches."""
        raise NotImplementedError

    def start_worker(self) -> int:
        """Start a headless ``coserec work`` that goes on with the queue; returns its pid."""
        raise NotImplementedError

    def work(self, should_go_on: Callable[[], bool] = lambda: True) -> int:
        """Work off the queue in this process's children, one run after another; returns how many ran."""
        raise NotImplementedError

    def export(self, run_ids: Sequence[str], destination: Path) -> Path:
        """Write the runs with configuration, metrics and epochs to ``destination`` (.json or .csv), atomically."""
        raise NotImplementedError

    def devices(self) -> tuple[DeviceInfo, ...]:
        """Devices a run can use, with free memory. Imports torch: call it in the engine process."""
        raise NotImplementedError
