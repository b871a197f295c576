"""Which runs are drawn without being asked for: what trains, else what ended last; each of them once."""

from __future__ import annotations

from engine.records import RunRecord, RunStatus
from workbench.item_models.runs_model import RunsModel

MOST_TICKED_UNASKED = 8
"""A run that begins to train is ticked by itself, up to this many ticks in all."""
FIRST_ENDED = 3
"""Where nothing trains, so many of the finished runs are drawn at first."""


class UnaskedTicks:
    """Ticks runs of a `RunsModel` as news of its book arrives."""

    def __init__(self, model: RunsModel) -> None:
        self._model, self._book = model, model.book
        self._has_ticked = False
        """Something has been drawn once: who unticks all of it wants to see nothing."""
        self._seen: frozenset[str] = frozenset()
        self._restored: frozenset[str] = frozenset()
        """Ticks of an earlier window, until all runs are known."""

    def take_news(self) -> bool:
        """Tick what should be; True where some run has begun to train since the last news, whoever started it."""
        if not self._has_ticked and not self._model.ticked:
            running = [record.id for record in self._book.with_status(RunStatus.RUNNING)]
            ended = [record.id for record in self._book.with_status(RunStatus.FINISHED)]
            self._model.set_ticked(running or ended[:FIRST_ENDED])
        self._has_ticked = self._has_ticked or bool(self._model.ticked)
        return self._tick_new()

    def settle(self) -> None:
        """Forget restored ticks of runs that this workspace does not have, once all of it is read: the window has had
        another one. Where none stays, what should be drawn at first is."""
        if not self._book.is_loaded or not self._restored:
            return
        gone = {run_id for run_id in self._restored if self._book.get(run_id) is None}
        self._restored = frozenset()
        if gone:
            known = [run_id for run_id in self._model.ticked if run_id not in gone]
            self._has_ticked = bool(known)
            self._model.set_ticked(known)
            self.take_news()

    def _tick_new(self) -> bool:
        running = [record.id for record in reversed(self._book.with_status(RunStatus.RUNNING))]
        begun = [run_id for run_id in running if run_id not in self._seen]
        # What is not read yet may train still.
        self._seen = frozenset(running) if self._book.is_loaded else self._seen | frozenset(running)
        ticked = self._model.ticked
        room = max(0, MOST_TICKED_UNASKED - len(ticked))
        self._model.set_ticked([*ticked, *[run_id for run_id in begun if run_id not in ticked][:room]])
        return bool(begun)

    @property
    def newest(self) -> RunRecord | None:
        """The run that has begun to train last; None where none trains."""
        running = self._book.with_status(RunStatus.RUNNING)
        return max(running, key=lambda run: (run.started_at is not None, run.started_at, run.id), default=None)

    def save_state(self) -> list[str]:
        """Runs that trained when the window was closed, JSON-ready: what was unticked of them stays so."""
        return sorted(self._seen)

    def restore_state(self, seen: object) -> None:
        """What `save_state` gave; whatever makes no sense is passed over. Draws what trains since."""
        names = seen if isinstance(seen, list) else []
        self._seen = frozenset(name for name in names if isinstance(name, str))
        self._restored = frozenset(self._model.ticked)
        self._tick_new()
        self.settle()
