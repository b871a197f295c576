"""All runs as the store tells them, held on the GUI thread: records, curves, and the look that each run keeps.

Filled by the live feed alone. Pages read it and listen to its signals; nobody else writes into it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from engine.records import RunRecord, RunStatus
from workbench.live_feed import Curve, LiveBatch


class Series:
    """A curve that grows: appending copies only when the buffer is full."""

    def __init__(self) -> None:
        self._x = np.empty(64)
        self._y = np.empty(64)
        self._count = 0

    def append(self, curve: Curve) -> None:
        """Add points at the end."""
        xs, ys = curve
        needed = self._count + len(xs)
        if needed > len(self._x):
            room = max(needed, 2 * len(self._x))
            self._x, self._y = _grown(self._x, self._count, room), _grown(self._y, self._count, room)
        self._x[self._count : needed] = xs
        self._y[self._count : needed] = ys
        self._count = needed

    @property
    def curve(self) -> Curve:
        """x in epochs and y; views of the buffer, not copies."""
        return self._x[: self._count], self._y[: self._count]


def _grown(values: NDArray[np.float64], count: int, room: int) -> NDArray[np.float64]:
    larger = np.empty(room)
    larger[:count] = values[:count]
    return larger


NOTHING: Curve = (np.empty(0), np.empty(0))


class RunBook(QObject):
    """Records and curves by run id."""

    records_changed = Signal(object)
    """Carries the changed `RunRecord`s of one batch."""
    curves_changed = Signal(object)
    """Carries the set of run ids whose curves have changed."""
    wanted_changed = Signal(object)
    """Carries the frozen set of run ids whose curves someone shows."""
    loaded_changed = Signal()
    trouble_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._records: dict[str, RunRecord] = {}
        self._places: dict[str, int] = {}
        self._curves: dict[str, dict[str, Series]] = {}
        self._wanted: dict[str, frozenset[str]] = {}
        self.is_loaded = False
        """Whether the store has been read: before, an empty book means nothing."""
        self.trouble: BaseException | None = None

    def __len__(self) -> int:
        return len(self._records)

    @property
    def records(self) -> list[RunRecord]:
        """All runs, newest first (ids sort by time of creation)."""
        return [self._records[run_id] for run_id in reversed(self._places)]

    def get(self, run_id: str) -> RunRecord | None:
        return self._records.get(run_id)

    def with_status(self, *statuses: RunStatus) -> list[RunRecord]:
        """Runs of these states, newest first."""
        return [record for record in self.records if record.status in statuses]

    def order(self, run_id: str) -> int:
        """The run's place by creation, from 0: what its colour, dash and marker follow, everywhere and for good."""
        return self._places.get(run_id, 0)

    def series_names(self, run_ids: Iterable[str]) -> list[str]:
        """Names of the series that any of the runs has, losses first."""
        names = {name for run_id in run_ids for name in self._curves.get(run_id, {})}
        groups = ("loss", "valid", "test", "time")
        return sorted(names, key=lambda name: ([*groups, name.split("/")[0]].index(name.split("/")[0]), name))

    def curve(self, run_id: str, name: str) -> Curve:
        """x in epochs and y of one series; empty where there is none."""
        series = self._curves.get(run_id, {}).get(name)
        return series.curve if series else NOTHING

    def highest(self, run_id: str, name: str) -> float | None:
        """The highest value of one series; None while there is none."""
        _, values = self.curve(run_id, name)
        return float(values.max()) if len(values) else None

    def has_curves(self, run_id: str) -> bool:
        return bool(self._curves.get(run_id))

    def want(self, who: str, run_ids: Iterable[str]) -> None:
        """``who`` shows the curves of these runs, and of no others any more: only such curves are read."""
        before = self.wanted
        self._wanted[who] = frozenset(run_ids)
        if self.wanted != before:
            self.wanted_changed.emit(self.wanted)

    @property
    def wanted(self) -> frozenset[str]:
        """Runs whose curves someone shows."""
        return frozenset().union(*self._wanted.values())

    @Slot(object)
    def take(self, batch: LiveBatch) -> None:
        """Enter one batch of the live feed."""
        for record in batch.runs:
            self._records[record.id] = record
        if len(self._places) < len(self._records):
            self._places = {run_id: place for place, run_id in enumerate(sorted(self._records))}
        for run_id in batch.whole:
            self._curves.pop(run_id, None)
        for run_id, series in batch.curves.items():
            held = self._curves.setdefault(run_id, {})
            for name, curve in series.items():
                held.setdefault(name, Series()).append(curve)
        if batch.runs:
            self.records_changed.emit(batch.runs)
        changed = set(batch.curves) | set(batch.whole)
        if changed:
            self.curves_changed.emit(changed)

    @Slot()
    def set_loaded(self) -> None:
        self.is_loaded = True
        self.loaded_changed.emit()

    @Slot(object)
    def set_trouble(self, error: BaseException | None) -> None:
        """The store cannot be read (or can again: None)."""
        self.trouble = error
        self.trouble_changed.emit()
