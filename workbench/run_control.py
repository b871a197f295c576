"""What is asked of runs from the window: queue, stop, resume, cancel. Nothing here waits; answers come as callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.config import ExperimentConfig, grid, without_idle_changes
from engine.config import preset as preset_called
from engine.records import RunRecord, RunStatus
from workbench.engine_process import EngineProcess, Errands, OnError, Task
from workbench.notifications import Notifier

if TYPE_CHECKING:
    from engine.api.runs import Runs


class RunControl(QObject):
    """Sends requests to the store off the GUI thread and tells `changed` when one has been written."""

    changed = Signal()
    """Something was written: whoever polls may look at once."""
    submitted = Signal(object)
    """Carries the new `RunRecord`s."""
    expected = Signal()
    """A run may be queued soon."""

    def __init__(self, runs: Runs, engine: EngineProcess | Errands, errands: Errands, notifier: Notifier) -> None:
        super().__init__()
        self._runs = runs
        self._engine = engine
        self._errands = errands
        self._notifier = notifier

    def submit(
        self,
        config: ExperimentConfig,
        *,
        preset: str,
        seeds: Sequence[int],
        on_result: Callable[[tuple[RunRecord, ...]], None] | None = None,
        on_error: OnError | None = None,
        lists: Mapping[str, Sequence[Any]] | None = None,
    ) -> Task:
        """Queue one run per seed, of every combination of ``lists`` (path → values).

        Settings that change nothing in a run are stored as its preset has them: they were changed before the form had
        another model. Reads the data's fingerprint, so it runs in the engine process. Raises ``ConfigurationError`` for
        a combination that is refused.
        """

        def written(records: tuple[RunRecord, ...]) -> None:
            self.changed.emit()
            self.submitted.emit(records)
            if on_result is not None:
                on_result(records)

        base = preset_called(preset).config
        return self._engine.run(
            self._runs.submit_all,
            tuple(without_idle_changes(one, base) for one in grid(config, lists or {}, tuple(seeds))),
            preset=preset,
            on_result=written,
            on_error=on_error or self._notifier.report,
            urgent=True,
        )

    def stop(self, records: Iterable[RunRecord]) -> None:
        """Stop running runs with a checkpoint, take queued ones out of the queue."""
        for record in records:
            if record.status is RunStatus.RUNNING:
                self._ask(_stop, self._runs, record.id)
            elif record.status is RunStatus.QUEUED:
                self._ask(self._runs.cancel, record.id)

    def stop_called(self, run_ids: Sequence[str]) -> None:
        """`stop`, for runs of which the ids are known: what waits leaves the queue first, lest it starts meanwhile."""
        self._ask(_stop_called, self._runs, tuple(run_ids))

    def stop_and_wait(self, run_ids: Sequence[str], on_result: Callable[[Any], None], on_error: OnError) -> None:
        """Stop running runs; ``on_result`` comes when all have stopped."""
        self._errands.run(_stop_all, self._runs, tuple(run_ids), on_result=on_result, on_error=on_error)

    def resume(self, records: Iterable[RunRecord]) -> None:
        """Queue stopped, failed or lost runs again, from their checkpoints."""
        for record in records:
            if record.status.can_resume:
                self._ask(self._runs.resume, record.id)

    def hand_over(self, stop_own: Callable[[], None], on_result: Callable[[Any], None], on_error: OnError) -> None:
        """Hand the queue to a headless worker, once ``stop_own`` has ended the window's own work on it."""

        def change() -> int:
            stop_own()
            return self._runs.start_worker()

        self._errands.run(change, on_result=on_result, on_error=on_error)

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._errands.run(function, *arguments, on_result=lambda _: self.changed.emit(), on_error=self._notifier.report)


def _stop_all(runs: Runs, run_ids: Sequence[str]) -> None:
    # Asked all at once, then waited for: they write their checkpoints side by side.
    for run_id in run_ids:
        runs.request_stop(run_id)
    for run_id in run_ids:
        runs.ensure_stopped(run_id)


def _stop_called(runs: Runs, run_ids: Sequence[str]) -> None:
    records = [runs.get(run_id) for run_id in run_ids]
    for record in records:
        if record.status is RunStatus.QUEUED:
            runs.cancel(record.id)
    _stop_all(runs, [record.id for record in records if record.status is RunStatus.RUNNING])


def _stop(runs: Runs, run_id: str) -> RunRecord:
    # The request alone is enough for a healthy run; the second call waits and then insists.
    runs.request_stop(run_id)
    return runs.ensure_stopped(run_id)
