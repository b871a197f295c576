"""The runs facade in memory: what the window asks of ``engine.api.runs.Runs``, without a disk or a training."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.api import Workspace
from engine.api.comparisons import Comparisons
from engine.config import ExperimentConfig
from engine.errors import RunError, UsageError
from engine.records import (
    DeviceInfo,
    EpochReport,
    FeedBatch,
    FeedCursor,
    MetricPoint,
    PointBlock,
    QueueState,
    RunRecord,
    RunStatus,
    StoredWeights,
    UsageSample,
)
from engine.runs.schedule import startable

EPOCH = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def make_record(run_id: str = "r0001", **changes: Any) -> RunRecord:
    """A queued run of the sample preset, with fields changed."""
    config = ExperimentConfig()
    own = changes.get("config", {}).get("model", {}).get("name", "transformer")
    base = RunRecord(
        id=run_id,
        name=f"{own} λ=0.1 seed {changes.get('seed', 1)}" if own != "popularity" else own,
        status=RunStatus.QUEUED,
        attempt=0,
        preset="sample",
        config=config.model_dump(mode="json"),
        dataset="sample",
        fingerprint="abc",
        seed=1,
        created_at=EPOCH,
        started_at=None,
        ended_at=None,
        heartbeat_at=None,
        pid=None,
        host="here",
        device="cpu",
        phase="",
        epoch=0,
        epochs=20,
        step=0,
        steps=8,
        progress=None,
        seconds_left=None,
        best_epoch=None,
        hybrid_started=None,
        stop_requested=False,
        message="",
        hint="",
        metrics={},
        versions={"coserec-workbench": "0.1.0"},
        directory=Path("runs") / run_id,
    )
    return replace(base, **changes)


@dataclass
class FakeProcess:
    """A training process that ends when the test says so."""

    run_id: str
    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        return self.code


class FakeRuns:
    """In memory, thread-safe; `put` and `add_points` are the training's side of it."""

    def __init__(self, records: Iterable[RunRecord] = ()) -> None:
        self._lock = threading.RLock()
        self._records = {record.id: record for record in records}
        self._changed = dict.fromkeys(self._records, 1)
        self._points: list[MetricPoint] = []
        self.page_size = 0
        self.pages_read = 0
        self._revision = 1
        self.processes: list[FakeProcess] = []
        self.workers = 0
        self.has_other_worker = False
        self.calls: list[tuple[str, Any]] = []
        self.threads: set[str] = set()
        self.fails: Exception | None = None
        self.rules = QueueState()
        self.paces: dict[str, float] = {}
        """Run → seconds of one of its epochs, as its stored epochs tell."""

    def __reduce__(self) -> tuple[Any, ...]:
        # In the engine process there is nothing to ask but the devices.
        return (FakeRuns, ())

    # The training's side

    def put(self, record: RunRecord) -> None:
        with self._lock:
            self._revision += 1
            self._records[record.id] = record
            self._changed[record.id] = self._revision

    def change(self, run_id: str, **changes: Any) -> RunRecord:
        with self._lock:
            self.put(replace(self._records[run_id], **changes))
            return self._records[run_id]

    def add_points(self, run_id: str, name: str, values: Sequence[float], first_epoch: int = 0) -> None:
        with self._lock:
            self._revision += 1
            for offset, value in enumerate(values):
                number = len(self._points) + 1
                self._points.append(MetricPoint(run_id, 1, number, first_epoch + offset, 0, name, value))

    # The facade's side

    def submit(
        self, config: ExperimentConfig, *, preset: str = "", seeds: Sequence[int] = (), name: str = ""
    ) -> tuple[RunRecord, ...]:
        self._enter("submit", tuple(seeds))
        made = []
        for seed in seeds or (config.train.seed,):
            seeded = config.replace({"train.seed": seed})
            run_id = f"r{len(self._records) + 1:04d}"
            record = make_record(
                run_id,
                seed=seed,
                preset=preset,
                name=name or seeded.short(),
                config=seeded.model_dump(mode="json"),
                created_at=EPOCH + timedelta(minutes=len(self._records)),
                epochs=config.train.epochs,
            )
            self.put(record)
            made.append(record)
        return tuple(made)

    def submit_all(
        self, configs: Sequence[ExperimentConfig], *, preset: str | Sequence[str] = "", name: str = ""
    ) -> tuple[RunRecord, ...]:
        names = [preset] * len(configs) if isinstance(preset, str) else preset
        pairs = zip(configs, names, strict=True)
        return tuple(record for config, own in pairs for record in self.submit(config, preset=own, name=name))

    def all(self) -> tuple[RunRecord, ...]:
        self._enter("all", None)
        return tuple(self._records[key] for key in sorted(self._records, reverse=True))

    def with_weights(self, path: str) -> tuple[StoredWeights, ...]:
        """Those with a best epoch, of the fake shop's fingerprint."""
        self._enter("with_weights", path)
        found = (self._records[key] for key in sorted(self._records, reverse=True))
        return tuple(
            StoredWeights(record, record.directory / "best.pt", True)
            for record in found
            if record.best_epoch is not None and record.fingerprint == "f00d"
        )

    def stand_by(self) -> None:
        self._enter("stand_by", None)

    def stand_down(self) -> None:
        self._enter("stand_down", None)

    def get(self, run_id: str) -> RunRecord:
        if run_id not in self._records:
            raise UsageError(f"There is no run {run_id}.")
        return self._records[run_id]

    def changes(self, cursor: FeedCursor, points_of: Collection[str] | None = None) -> FeedBatch:
        self.threads.add(threading.current_thread().name)
        if self.fails is not None:
            raise self.fails
        with self._lock:
            runs = tuple(r for key, r in sorted(self._records.items()) if self._changed[key] > cursor.revision)
            known = {run_id for run_id, _ in cursor.seen}
            wanted = set(self._records) if points_of is None else set(points_of)
            points = tuple(
                point
                for point in self._points
                if point.run_id in wanted and point.sequence > cursor.seen.get((point.run_id, 1), 0)
            )
            last = max((point.sequence for point in self._points), default=0)
            seen = dict.fromkeys(((run_id, 1) for run_id in wanted), last)
            return FeedBatch(runs, PointBlock.of(points), FeedCursor(seen, self._revision), frozenset(wanted - known))

    def page(self, before: str = "") -> FeedBatch:
        """Nothing, and all by `changes`; with ``page_size`` that many, as the store does."""
        self.threads.add(threading.current_thread().name)
        if self.fails is not None:
            raise self.fails
        if not self.page_size:
            return FeedBatch((), (), FeedCursor())
        with self._lock:
            older = [
                record for key, record in sorted(self._records.items(), reverse=True) if not before or key < before
            ]
            self.pages_read += 1
            return FeedBatch(tuple(older[: self.page_size]), (), FeedCursor({}, self._revision))

    def epochs(self, run_id: str) -> tuple[EpochReport, ...]:
        self._enter("epochs", run_id)
        return ()

    def usage(self, run_id: str, after: tuple[int, int] = (0, 0)) -> tuple[UsageSample, ...]:
        self._enter("usage", (run_id, after))
        return ()

    def log(self, run_id: str, lines: int = 200) -> str:
        self._enter("log", (run_id, lines))
        return f"log of {run_id}\n"

    def next_queued(self) -> RunRecord | None:
        with self._lock:
            queued = [r for _, r in sorted(self._records.items()) if r.status is RunStatus.QUEUED]
            return queued[0] if queued else None

    def next_startable(self, starting: Collection[str] = ()) -> RunRecord | None:
        with self._lock:
            ordered = [r for _, r in sorted(self._records.items())]
            queued = [r for r in ordered if r.status is RunStatus.QUEUED and r.id not in starting]
            running = [r for r in ordered if r.status is RunStatus.RUNNING or r.id in starting]
            return startable(queued, running, self.rules, auto="cpu")

    def give_up(self, run_id: str, message: str, hint: str = "") -> None:
        self.change(run_id, status=RunStatus.FAILED, message=message, hint=hint)

    def start(self, run_id: str) -> FakeProcess:
        self._enter("start", run_id)
        process = FakeProcess(run_id, 1000 + len(self.processes))
        self.processes.append(process)
        self.change(run_id, status=RunStatus.RUNNING, attempt=1, pid=process.pid, started_at=EPOCH)
        return process

    def request_stop(self, run_id: str) -> RunRecord:
        self._enter("request_stop", run_id)
        return self.change(run_id, stop_requested=True)

    def ensure_stopped(self, run_id: str, patience: float = 2.0) -> RunRecord:
        self._enter("ensure_stopped", (run_id, patience))
        for process in self.processes:
            if process.run_id == run_id:
                process.code = 0
        return self.change(run_id, status=RunStatus.STOPPED, ended_at=EPOCH)

    def stop_all(self, run_ids: Sequence[str], patience: float = 2.0) -> tuple[RunRecord, ...]:
        for run_id in run_ids:
            if self._records[run_id].status is RunStatus.QUEUED:
                self.cancel(run_id)
            else:
                self.request_stop(run_id)
                self.ensure_stopped(run_id, patience)
        return tuple(self._records[run_id] for run_id in run_ids)

    def cancel(self, run_id: str) -> RunRecord:
        self._enter("cancel", run_id)
        return self.change(run_id, status=RunStatus.CANCELLED)

    def resume(self, run_id: str) -> RunRecord:
        self._enter("resume", run_id)
        if not self._records[run_id].status.can_resume:
            raise RunError(f"Run {run_id} cannot be resumed.")
        return self.change(run_id, status=RunStatus.QUEUED)

    def sweep(self) -> tuple[RunRecord, ...]:
        return ()

    def take_queue(self) -> bool:
        self._enter("take_queue", None)
        return not self.has_other_worker

    def drop_queue(self) -> None:
        self._enter("drop_queue", None)

    def start_worker(self) -> int:
        self._enter("start_worker", None)
        self.workers += 1
        return 4242

    def leave(self) -> None:
        self._enter("leave", None)

    def pace(self, run_id: str) -> float | None:
        self._enter("pace", run_id)
        return self.paces.get(run_id)

    def devices(self) -> tuple[DeviceInfo, ...]:
        return (DeviceInfo("cpu", "CPU, 2 cores", 8 << 30, 5 << 30),)

    def _enter(self, name: str, argument: Any) -> None:
        self.threads.add(threading.current_thread().name)
        self.calls.append((name, argument))


def fake_workspace(directory: Path, runs: FakeRuns | None = None) -> Workspace:
    """A workspace whose runs are in memory."""
    workspace = Workspace(directory)
    workspace.runs = runs or FakeRuns()  # type: ignore[assignment]
    workspace.comparisons = Comparisons(workspace.runs)
    return workspace
