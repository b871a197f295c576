"""All runs as the store tells them, held on the GUI thread: records, curves, and the look that each run keeps.

Filled by the live feed alone. Pages read it and listen to its signals; nobody else writes into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from engine.records import MarksNews, QueueState, RunMarks, RunRecord, RunStatus, Shelf
from workbench.live_feed import Curve, LiveBatch
from workbench.run_lines import RunLine, make_line
from workbench.run_names import (
    dataset_name,
    given_name,
    group_name,
    nobodys_name,
    run_name,
    with_data,
)


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
    marks_changed = Signal(object)
    """Carries the set of run ids whose marks, or whose data set's star, have changed."""
    purged = Signal(object)
    """Carries the set of run ids that are gone for good."""
    queue_changed = Signal()
    loaded_changed = Signal()
    trouble_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._records: dict[str, RunRecord] = {}
        self._places: dict[str, int] = {}
        self._newest_first: list[RunRecord] | None = None
        self._by_status: dict[RunStatus, set[str]] = {}
        self._on_shelf: dict[Shelf, list[str]] = {}
        self._lines: dict[str, RunLine] = {}
        self._data: dict[str, Counter[str]] = {}
        """Where runs started from → names of the data sets that they are of."""
        self._marks: dict[str, RunMarks] = {}
        self._tags: Counter[str] = Counter()
        self.baselines: dict[str, str] = {}
        """Data fingerprint → id of its starred run."""
        self.queue = QueueState()
        self._curves: dict[str, dict[str, Series]] = {}
        self._wanted: dict[str, frozenset[str]] = {}
        self.is_loaded = False
        """Whether the store has been read: before, an empty book means nothing."""
        self.trouble: BaseException | None = None

    def __len__(self) -> int:
        return len(self._records)

    @property
    def records(self) -> list[RunRecord]:
        """All runs, newest first (ids sort by time of creation). Not to be changed."""
        if self._newest_first is None:
            self._newest_first = [self._records[run_id] for run_id in reversed(self._places)]
        return self._newest_first

    def get(self, run_id: str) -> RunRecord | None:
        return self._records.get(run_id)

    def line(self, run_id: str) -> RunLine:
        """The run's name, text and group. Raises ``KeyError``."""
        return self._lines[run_id]

    def name(self, record: RunRecord) -> str:
        """What the run is called everywhere: with its data set, where others began alike on another."""
        line = self._lines.get(record.id)
        name = run_name(record) if line is None else line.name
        return self._with_data(name, record)

    def name_of_group(self, records: Sequence[RunRecord]) -> str:
        """What runs that differ in their seed alone are called together: a name that somebody gave all of them, or that
        of their configuration; of runs without a preset, their model."""
        first = records[0]
        if len({given_name(record) for record in records}) == 1:
            return group_name(self.name(first))
        return self._with_data(nobodys_name(first), first)

    def _with_data(self, name: str, record: RunRecord) -> str:
        is_alone = len(self._data.get(record.preset, ())) < 2
        return name if is_alone else with_data(name, dataset_name(record))

    def marks(self, run_id: str) -> RunMarks:
        """What is said of the run; nothing, where the store has not told yet."""
        return self._marks.get(run_id) or RunMarks(run_id, self._places.get(run_id, 0))

    @property
    def tags(self) -> list[str]:
        """Tags that some run has, sorted."""
        return sorted(+self._tags)

    def shelf(self, run_id: str) -> Shelf:
        """Where the run is kept."""
        mark = self._marks.get(run_id)
        return Shelf.SHOWN if mark is None else mark.shelf

    def on_shelf(self, shelf: Shelf) -> list[str]:
        """Ids of the runs that are kept there, newest first. Not to be changed."""
        if shelf not in self._on_shelf:
            self._on_shelf[shelf] = [run_id for run_id in reversed(self._places) if self.shelf(run_id) is shelf]
        return self._on_shelf[shelf]

    def baseline(self, record: RunRecord) -> RunRecord | None:
        """The starred run of the record's data set."""
        return self._records.get(self.baselines.get(record.fingerprint, ""))

    def with_status(self, *statuses: RunStatus) -> list[RunRecord]:
        """Runs of these states, newest first."""
        ids = [run_id for status in statuses for run_id in self._by_status.get(status, ())]
        return [self._records[run_id] for run_id in sorted(ids, reverse=True)]

    @property
    def waiting(self) -> list[RunRecord]:
        """Queued runs in the order in which they will start."""
        known = {run_id: place for place, run_id in enumerate(self.queue.order)}
        queued = self.with_status(RunStatus.QUEUED)[::-1]
        return sorted(queued, key=lambda record: known.get(record.id, len(known)))

    def order(self, run_id: str) -> int:
        """What the run's colour, dash and marker follow, for good: chosen, or by its number. Where another drawn one
        has them already, `workbench.item_models.run_looks` gives it others."""
        mark = self._marks.get(run_id)
        if mark is not None:
            return mark.number if mark.colour is None else mark.colour
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
        renamed = self._enter_runs(batch)
        self._take_news(batch.news)
        for run_id in batch.whole:
            self._curves.pop(run_id, None)
        for run_id, series in batch.curves.items():
            held = self._curves.setdefault(run_id, {})
            for name, curve in series.items():
                held.setdefault(name, Series()).append(curve)
        if batch.runs:
            told = {record.id for record in batch.runs}
            others = tuple(record for record in renamed if record.id not in told and record.id in self._records)
            self.records_changed.emit((*batch.runs, *others))
        changed = set(batch.curves) | set(batch.whole)
        if changed:
            self.curves_changed.emit(changed)

    def _enter_runs(self, batch: LiveBatch) -> list[RunRecord]:
        """Returns the runs that are called otherwise now."""
        single = {preset for preset, names in self._data.items() if len(names) == 1}
        for record in batch.runs:
            before = self._records.get(record.id)
            if before is not None and before.status is not record.status:
                self._by_status[before.status].discard(record.id)
            self._by_status.setdefault(record.status, set()).add(record.id)
            self._records[record.id] = record
            self._data.setdefault(record.preset, Counter())[dataset_name(record)] += before is None
            line = batch.lines.get(record.id)
            self._lines[record.id] = line or make_line(record, self._lines.get(record.id))
        if len(self._places) < len(self._records):
            self._on_shelf.clear()
            self._places = {run_id: place for place, run_id in enumerate(sorted(self._records))}
        if batch.runs:
            self._newest_first = None
        return self._of_presets({preset for preset in single if len(self._data[preset]) > 1})

    def _of_presets(self, names: Collection[str]) -> list[RunRecord]:
        return [record for record in self._records.values() if record.preset in names] if names else []

    def _take_news(self, news: MarksNews) -> None:
        changed = {mark.run_id for mark in news.marks}
        for mark in news.marks:
            before = self.marks(mark.run_id)
            if before.shelf is not mark.shelf:
                self._on_shelf.clear()
            if before.tags != mark.tags:
                self._tags.update(mark.tags)
                self._tags.subtract(before.tags)
            self._marks[mark.run_id] = mark
        if news.baselines is not None and dict(news.baselines) != self.baselines:
            old, self.baselines = self.baselines, dict(news.baselines)
            moved = {data for data in {*old, *self.baselines} if old.get(data) != self.baselines.get(data)}
            changed |= {run_id for run_id, record in self._records.items() if record.fingerprint in moved}
        if news.purged:
            self._forget(news.purged)
        if changed - news.purged:
            self.marks_changed.emit(changed - news.purged)
        if news.queue is not None:
            self.queue = news.queue
            self.queue_changed.emit()

    def _forget(self, run_ids: Iterable[str]) -> None:
        gone = set(run_ids)
        several = {preset for preset, names in self._data.items() if len(names) > 1}
        for run_id in gone:
            record = self._records.pop(run_id, None)
            if record is not None:
                self._by_status[record.status].discard(run_id)
                self._data[record.preset] -= Counter({dataset_name(record): 1})
            self._tags.subtract(self.marks(run_id).tags)
            for held in (self._lines, self._marks, self._curves):
                held.pop(run_id, None)  # type: ignore[attr-defined]
        self._places = {run_id: place for place, run_id in enumerate(sorted(self._records))}
        self._newest_first = None
        self._on_shelf.clear()
        self.purged.emit(gone)
        renamed = self._of_presets({preset for preset in several if len(self._data[preset]) < 2})
        if renamed:
            self.records_changed.emit(tuple(renamed))

    @Slot()
    def set_loaded(self) -> None:
        self.is_loaded = True
        self.loaded_changed.emit()

    @Slot(object)
    def set_trouble(self, error: BaseException | None) -> None:
        """The store cannot be read (or can again: None)."""
        self.trouble = error
        self.trouble_changed.emit()
