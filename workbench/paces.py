"""How long epochs of runs took that have finished: read from the store off the GUI thread, once a run, and kept."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.records import RunRecord
from workbench.engine_process import Errands
from workbench.widgets.queue_time import seconds_an_epoch

if TYPE_CHECKING:
    from engine.api.runs import Runs


class Paces(QObject):
    """What the stored epochs of runs tell; until they have been read, the mean that the run's record gives."""

    changed = Signal()

    def __init__(self, runs: Runs, errands: Errands) -> None:
        super().__init__()
        self._runs = runs
        self._errands = errands
        self._known: dict[str, float | None] = {}

    def of(self, record: RunRecord) -> float | None:
        """Seconds of an epoch of the run; None of one whose times hold waiting too."""
        mean = seconds_an_epoch(record)
        if mean is None:
            return None
        if record.id not in self._known:
            self._known[record.id] = None  # asked for once, whatever comes of it
            # A store that cannot be read says so elsewhere, and here the mean is good enough.
            take, leave = partial(self._take, record.id), lambda _: None
            self._errands.run(self._runs.pace, record.id, on_result=take, on_error=leave)
        known = self._known[record.id]
        return mean if known is None else known

    def _take(self, run_id: str, seconds: float | None) -> None:
        if seconds is not None:
            self._known[run_id] = seconds
            self.changed.emit()
