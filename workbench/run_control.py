"""What is asked of runs from the window: queue, stop, resume, cancel. Nothing here waits; answers come as callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.config import ExperimentConfig, grid, without_idle_changes
from engine.config import preset as preset_called
from engine.errors import StoreError
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
    refused = Signal(object)
    """The store did not take something: carries its ``StoreError``."""
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
        name: str = "",
    ) -> Task:
        """Queue one run per seed, of every combination of ``lists`` (path → values), all called ``name``, if not empty.

        Settings that change nothing in a run are stored as its preset has them: they were changed before the form had
        another model. Reads the data's fingerprint, so it runs in the engine process. Raises ``ConfigurationError`` for
        a combination that is refused.
        """

        def written(records: tuple[RunRecord, ...]) -> None:
            self.changed.emit()
            self.submitted.emit(records)
            if on_result is not None:
                on_result(records)

        def failed(error: BaseException) -> None:
            self._note(error)
            (on_error or self._notifier.report)(error)

        base = preset_called(preset).config
        return self._engine.run(
            self._runs.submit_all,
            tuple(without_idle_changes(one, base) for one in grid(config, lists or {}, tuple(seeds))),
            preset=preset,
            name=name,
            on_result=written,
            on_error=failed,
            urgent=True,
        )

    def stop(self, records: Iterable[RunRecord]) -> None:
        """Stop running runs with a checkpoint, take queued ones out of the queue."""
        self.stop_called([record.id for record in records if record.status in (RunStatus.RUNNING, RunStatus.QUEUED)])

    def stop_called(self, run_ids: Sequence[str]) -> None:
        """`stop`, for runs of which the ids are known."""
        if run_ids:
            self._ask(self._runs.stop_all, tuple(run_ids))

    def stop_and_wait(self, run_ids: Sequence[str], on_result: Callable[[Any], None], on_error: OnError) -> None:
        """Stop running runs; ``on_result`` comes when all have stopped."""
        self._errands.run(self._runs.stop_all, tuple(run_ids), on_result=on_result, on_error=on_error)

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
        self._errands.run(function, *arguments, on_result=lambda _: self.changed.emit(), on_error=self.report)

    def report(self, error: BaseException) -> None:
        """Show what a write failed with; that the store refused it is told to whoever shows the store's state."""
        self._note(error)
        self._notifier.report(error)

    def _note(self, error: BaseException) -> None:
        if isinstance(error, StoreError):
            self.refused.emit(error)
