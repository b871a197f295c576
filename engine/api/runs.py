"""Runs: submitted, launched, watched, stopped, resumed. The store is the only source of what is told about them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from engine.config import ExperimentConfig, own_name, parse, total_epochs
from engine.errors import ConfigurationError, RunError
from engine.records import (
    ArtifactRecord,
    DeviceInfo,
    EpochReport,
    FeedBatch,
    FeedCursor,
    MetricPoint,
    RunRecord,
    RunStatus,
    StoredWeights,
    UsageSample,
)

if TYPE_CHECKING:
    from engine.runs.standby import Standby
    from engine.store import Store  # SQLAlchemy is slow to import, and the window's first paint does not need it


class RunProcess(Protocol):
    """A started training process, in a session of its own; it outlives whoever started it."""

    run_id: str

    @property
    def pid(self) -> int:
        """The process's id."""
        ...

    def poll(self) -> int | None:
        """Exit code, or None while it lives. Once it has ended, its run has an end in the store."""
        ...


class Runs:
    """Facade over ``engine.runs`` and ``engine.store``. Every method may touch the disk: never on the GUI thread.

    Every method that takes a run's id takes an unambiguous beginning of it too, and raises ``UsageError`` otherwise.
    Every method raises ``StoreError`` when the store cannot be opened, read or written. Safe to use from several
    threads; pickled, it opens the store anew.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._standby: Standby | None = None
        self._standby_lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"workspace": self.workspace}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["workspace"])  # type: ignore[misc]

    @property
    def store(self) -> Store:
        """The workspace's store, opened at first use. Raises ``StoreError``."""
        from engine.store import Store

        with self._lock:
            if self._store is None:
                self._store = Store.open(self.workspace)
            return self._store

    def close(self) -> None:
        """Give the store's connections back, and what is on standby; the next use opens it again."""
        self.stand_down()
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def leave(self) -> None:
        """`close` for good, with the whole store in its file: whoever copies that file alone has every run.

        Waits for no other process that uses the store; where one does, the last to close it does the rest.
        """
        with self._lock:
            store = self._store
        if store is not None:
            store.fold()  # by hand: SQLite does it at the last close only, and a helper that was killed never closed
        self.close()

    def submit(
        self, config: ExperimentConfig, *, preset: str = "", seeds: Sequence[int] = (), name: str = ""
    ) -> tuple[RunRecord, ...]:
        """Store one QUEUED run per seed (or the configuration's own); one in all where a seed changes nothing.

        Raises ``DataError`` for data that cannot be read, or that leave nobody to train on, ``ConfigurationError`` for
        a device that this machine does not have, and for settings that the data make impossible.

        A relative data path is stored as an absolute one: the training process has another working folder.
        """
        from engine.config.grouping import seeds_for

        kept = seeds_for(config.model_dump(mode="json"), seeds)
        each = [config.replace({"train.seed": seed}) for seed in kept] if kept else [config]
        return self.submit_all(each, preset=preset, name=name)

    def submit_all(
        self, configs: Sequence[ExperimentConfig], *, preset: str | Sequence[str] = "", name: str = ""
    ) -> tuple[RunRecord, ...]:
        """Store one QUEUED run per configuration, all or none of them: the runs of a grid. Raises as `submit` does.

        ``preset`` is one for all, or one for each.
        """
        from engine.data.dataset import SAMPLE, load, locate
        from engine.data.fits import refuse_impossible
        from engine.store import NewRun

        devices = {config.train.device for config in configs} - {"auto", "cpu"}
        if devices:
            from engine.training.device import resolve

            for device in sorted(devices):
                resolve(device)  # type: ignore[arg-type]
        datasets = {path: load(path) for path in dict.fromkeys(config.data.path for config in configs)}
        for config in configs:
            refuse_impossible(config, datasets[config.data.path])
        new = []
        names = [preset] * len(configs) if isinstance(preset, str) else preset
        for config, own in zip(configs, names, strict=True):
            dataset = datasets[config.data.path]
            if config.data.path != SAMPLE:
                config = config.replace({"data.path": str(locate(config.data.path))})
            new.append(
                NewRun(
                    name=name or config.short(),
                    config=config.model_dump(mode="json"),
                    schema_version=config.schema_version,
                    dataset=dataset.name,
                    dataset_path=config.data.path,
                    fingerprint=dataset.fingerprint,
                    seed=config.train.seed,
                    epochs=total_epochs(config),
                    preset=own_name(own),
                )
            )
        return self.store.submit(new)

    def all(self) -> tuple[RunRecord, ...]:
        """Every run, newest first."""
        return self.store.all()

    def get(self, run_id: str) -> RunRecord:
        """One run; an unambiguous beginning of its id is enough. Raises ``UsageError``."""
        return self.store.find(run_id)

    def with_weights(self, path: str) -> tuple[StoredWeights, ...]:
        """Runs of the data in ``path`` that have weights on the disk, newest first: what other pages offer.

        They are told by the data's fingerprint, so a copy of the file has the same. Raises ``DataError`` and
        ``UsageError`` for a file that cannot be read.
        """
        from engine.api.stored_weights import with_weights

        return with_weights(self, path)

    def page(self, before: str = "") -> FeedBatch:
        """Some of the runs older than ``before``, with their marks, the newest first; none: there are no older ones.

        A large store is read page by page by who must show the newest soon. `changes` from the cursor of the first
        page tells what has happened since.
        """
        return self.store.page(before)

    def changes(self, cursor: FeedCursor, points_of: Collection[str] | None = None) -> FeedBatch:
        """Runs that changed and points that are new since ``cursor``; an empty cursor gives everything current.

        With ``points_of``, points come of these runs only (records of all): a window names the runs whose curves it
        draws. A run that is named for the first time, or again, comes with its whole history and stands in ``whole``;
        so does a run whose earlier points are void since it was resumed from an earlier epoch.
        """
        return self.store.changes(cursor, points_of)

    def points(self, run_id: str) -> tuple[MetricPoint, ...]:
        """Every point of the run's current history."""
        return self.store.points(self.get(run_id).id)

    def epochs(self, run_id: str) -> tuple[EpochReport, ...]:
        """The run's finished epochs, of the current attempt's history only."""
        return self.store.epochs(self.get(run_id).id)

    def artifacts(self, run_id: str) -> tuple[ArtifactRecord, ...]:
        """The run's files: checkpoint, best weights, the users' ranks."""
        return self.store.artifacts(self.get(run_id).id)

    def usage(self, run_id: str, after: tuple[int, int] = (0, 0)) -> tuple[UsageSample, ...]:
        """What the run's process used of the machine, beyond (attempt, sequence), oldest first."""
        return self.store.usage(self.get(run_id).id, after)

    def log(self, run_id: str, lines: int = 200) -> str:
        """The last lines of the run's log."""
        from engine.runs import liveness

        return liveness.log_tail(self.store, self.get(run_id), lines)

    def next_queued(self) -> RunRecord | None:
        """The oldest queued run."""
        return next(iter(self.store.with_status(RunStatus.QUEUED)), None)

    def next_startable(self, starting: Collection[str] = ()) -> RunRecord | None:
        """The queued run that may start on this machine now, by the queue's order and rules; None where none may.

        ``starting`` are runs that the caller has started already and whose claim may not be written yet.
        """
        from engine.runs import worker

        return worker.next_startable(self.store, tuple(starting))

    def take_turn(self, run_id: str) -> str:
        """Why the caller should not `start` that queued run now, as a sentence: it is a worker's to start, or its
        device has no room. Empty: start it, then `leave_turn` once it has begun; nobody else gets a turn meanwhile."""
        from engine.runs import worker

        return worker.take_turn(self.store, self.get(run_id))

    def leave_turn(self) -> None:
        """Let others start runs again."""
        from engine.runs import worker

        worker.leave_turn(self.store)

    def pace(self, run_id: str) -> float | None:
        """Seconds that an epoch of another such run will take, by the stored epochs of this one; None without any."""
        from engine.runs.pace import seconds_an_epoch

        record = self.get(run_id)
        return seconds_an_epoch(record, self.store.epochs(record.id))

    def give_up(self, run_id: str, message: str, hint: str = "") -> None:
        """A queued run that cannot be started: FAILED with this sentence. One that was claimed is left alone."""
        self.store.fail_unclaimed(self.get(run_id).id, message, hint, "")

    def stand_by(self) -> None:
        """Have a process ready for the next `start`, which then saves the time of its imports (2 s, 0.2 GB until then).

        Does nothing where one waits already, one would take its cores from a run that trains here, another worker works
        off the queue, or memory is short. Call it again while it is wanted: a process that has imported what is not the
        program any more is replaced. It ends with this process at the latest.
        """
        from engine.runs import standby, worker

        is_wanted = worker.is_free_for(self.store)
        with self._standby_lock:
            if self._standby is not None and not self._standby.is_current:
                self._standby.close()
                self._standby = None
            if self._standby is None and is_wanted:
                self._standby = standby.begin(self.workspace)

    def stand_down(self) -> None:
        """Send away what `stand_by` keeps ready."""
        standby = self._relieve()
        if standby is not None:
            standby.close()

    def _relieve(self) -> Standby | None:
        with self._standby_lock:
            standby, self._standby = self._standby, None
        return standby

    def await_orders(self, orders: TextIO) -> int:
        """Be what `stand_by` keeps ready: do the run whose id comes as a line of ``orders``; returns its exit code."""
        from engine.runs.standby import wait

        return wait(self.workspace, orders)

    def start(self, run_id: str) -> RunProcess:
        """Start ``python -m engine run ID`` as a process of its own, at lower priority. Raises ``RunError``."""
        from engine.runs.launch import launch

        record = self.get(run_id)
        if record.status is not RunStatus.QUEUED:
            raise RunError(f"Run {record.id} is {record.status}, not queued.", "Resume it, or submit a new run.")
        standby = self._relieve()
        try:
            return launch(self.store, record.id, ready=standby)
        finally:
            if standby is not None:
                standby.close()  # nothing where it has taken the run

    def execute(self, run_id: str) -> int:
        """Do a queued run in this very process, as the started child does; returns its exit code. Imports torch."""
        from engine.runs.execute import execute

        return execute(self.store, self.get(run_id).id)

    def request_stop(self, run_id: str) -> RunRecord:
        """Ask a running run to stop with a checkpoint; a queued one is cancelled."""
        return self.store.request_stop(self.get(run_id).id)

    def ensure_stopped(self, run_id: str, patience: float = 2.0) -> RunRecord:
        """After ``request_stop``: wait ``patience`` seconds, then SIGTERM, wait as long again, then kill. Blocks.

        A run whose heart beats has a minute more to end its step, and once it has answered three to test what it has.
        """
        from engine.runs.stopping import ensure_stopped

        return ensure_stopped(self.store, self.get(run_id).id, patience)

    def stop_all(self, run_ids: Sequence[str], patience: float = 2.0) -> tuple[RunRecord, ...]:
        """Stop running runs with a checkpoint and take queued ones out of the queue; the others are left as they are.

        All are asked before any is waited for, and all are waited for at once, as `ensure_stopped` does. What waits is
        asked first: the end of a running one would start it.
        """
        from concurrent.futures import ThreadPoolExecutor

        named = [self.get(run_id) for run_id in run_ids]
        in_turn = sorted(named, key=lambda record: record.status is not RunStatus.QUEUED)
        found = {record.id: self.request_stop(record.id) for record in in_turn}
        running = [run_id for run_id, record in found.items() if record.status is RunStatus.RUNNING]
        with ThreadPoolExecutor(max(len(running), 1)) as waiting:
            ended = waiting.map(lambda run_id: self.ensure_stopped(run_id, patience), running)
            found.update((record.id, record) for record in ended)
        return tuple(found[record.id] for record in named)

    def cancel(self, run_id: str) -> RunRecord:
        """Take a queued run out of the queue; one that waited to be resumed is STOPPED again and keeps its checkpoint.

        Raises ``RunError`` when it is not queued.
        """
        return self.store.cancel(self.get(run_id).id)

    def resume(self, run_id: str) -> RunRecord:
        """Queue a stopped, failed or lost run again, as a new attempt from its checkpoint. Raises ``RunError``."""
        return self.resume_all((run_id,))[0]

    def resume_all(self, run_ids: Sequence[str]) -> tuple[RunRecord, ...]:
        """`resume` of several runs: none is queued where one of them cannot go on."""
        records = [self.get(run_id) for run_id in run_ids]
        for record in sorted(records, key=lambda record: record.status.can_resume):
            if not record.status.can_resume:
                self.store.requeue(record.id)  # says why not
            try:
                parse(record.config)
            except ConfigurationError as error:
                raise RunError(f"Run {record.id} cannot go on: today's program refuses {error.message}") from None
        return tuple(self.store.requeue(record.id) for record in records)

    def sweep(self) -> tuple[RunRecord, ...]:
        """Mark runs LOST whose process is gone, and return them. Called every few seconds by whoever watches."""
        from engine.runs import launch, liveness

        launch.reap()
        return liveness.sweep(self.store)

    def take_queue(self) -> bool:
        """Be the one that works off the queue, as `work` is while it lasts: for a caller that starts runs itself.

        False while another worker of this workspace lives, and where the store may only be read. Call it again every
        minute or so while it is held, and `drop_queue` when no longer needed; the dead lose it.
        """
        from engine.runs import liveness, worker

        store = self.store
        return store.can_write and store.take_lock(worker.LOCK, liveness.this_process(), liveness.holds) is None

    def drop_queue(self) -> None:
        """Leave the queue to others."""
        from engine.runs import liveness, worker

        self.store.drop_lock(worker.LOCK, liveness.this_process())

    def start_worker(self) -> int:
        """Start a headless ``coserec work`` that goes on with the queue; returns its pid, or that of one that lives."""
        from engine.runs import launch, liveness, worker

        holder = self.store.lock_holder(worker.LOCK)
        if holder is not None and liveness.process_of(holder) is not None:
            return holder.pid
        return launch.launch_worker(self.workspace)

    def work(self, should_go_on: Callable[[], bool] = lambda: True) -> int:
        """Work off the queue in this process's children, one run after another; returns how many it started.

        Raises ``RunError`` when another worker of this workspace lives.
        """
        from engine.runs import worker

        return worker.work(self.store, should_go_on)

    def export(self, run_ids: Sequence[str], destination: Path) -> Path:
        """Write the runs with configuration, metrics and epochs to ``destination``, atomically.

        No ids means every run; .json, or .csv and .parquet with a line an epoch.

        Raises ``UsageError`` for another suffix.
        """
        from engine.runs.export import export

        records = [self.get(run_id) for run_id in run_ids] if run_ids else list(self.all())
        return export([(record, self.store.epochs(record.id)) for record in records], destination)

    def devices(self) -> tuple[DeviceInfo, ...]:
        """Devices a run can use, with free memory. Imports torch: call it in the engine process."""
        from engine.training.device import devices

        return devices()
