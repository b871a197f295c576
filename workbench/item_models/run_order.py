"""Which runs the table shows and in which order: kept by the filter, sorted, grouped; in slices where they are many.

What sorting and filtering ask of a run is kept until the run changes. Of ten thousand runs the first look at a column
takes a tenth of a second, so it is taken in slices between which the window goes on.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.records import RunRecord, RunStatus, Shelf
from workbench.item_models.run_columns import COLUMN_IDS, COLUMNS, Column
from workbench.item_models.run_filter import RunFilter
from workbench.item_models.run_groups import counting
from workbench.run_book import RunBook

SLICE_SECONDS = 0.008
EVERY = 50
"""Runs between two looks at the clock."""


@dataclass(frozen=True)
class Arrangement:
    """Keys of the rows in their order, and the runs of every group."""

    rows: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)


def best_so_far(record: RunRecord, column: Column, book: RunBook) -> float | None:
    """A running run's best value of a metric, from its curve."""
    if not column.series or record.metrics or record.status is not RunStatus.RUNNING:
        return None
    return book.highest(record.id, column.series)


def sort_key(record: RunRecord, column: Column, book: RunBook) -> Any:
    """What a column sorts a run by; None: it has nothing to say and comes last."""
    best = best_so_far(record, column, book)
    return column.sort(record, book) if best is None else best


def group_key(book: RunBook, run_id: str) -> str:
    """Key of the row for all runs that differ from this one in their seed alone. Raises ``KeyError``."""
    return f"group:{book.line(run_id).group}"


class RunOrder:
    """``shelf``, ``is_grouped`` and ``open`` may be set; `sort_by` and `set_filter` forget what was kept."""

    def __init__(self, book: RunBook) -> None:
        self._book = book
        self.filter = RunFilter()
        self.shelf = Shelf.SHOWN
        self.is_grouped = False
        self.open: set[str] = set()
        """Groups whose runs are shown below them."""
        self.column = COLUMN_IDS.index("created")
        self.is_descending = True
        self._keys: dict[str, Any] = {}
        self._matching: dict[str, bool] = {}

    def set_filter(self, wanted: RunFilter) -> None:
        """Keep other runs."""
        self.filter = wanted
        self._matching.clear()

    def sort_by(self, column: int, *, is_descending: bool) -> None:
        """Sort by a column's place in `COLUMNS`."""
        if column != self.column:
            self._keys.clear()
        self.column, self.is_descending = column, is_descending

    def forget(self, run_ids: Iterable[str]) -> dict[str, Any]:
        """These runs have changed. Returns what they were sorted by."""
        before = {run_id: self._keys.pop(run_id, None) for run_id in run_ids}
        for run_id in before:
            self._matching.pop(run_id, None)
        return before

    def forget_keys(self, run_ids: Collection[str]) -> None:
        """Other values, in the same state: the filter says of them what it said."""
        for run_id in run_ids:
            self._keys.pop(run_id, None)

    def keeps(self, run_id: str) -> bool:
        """Whether the run is on the shelf and kept by the filter."""
        on_shelf = self._book.shelf(run_id) is self.shelf
        return on_shelf and (self.filter.is_empty or self.filter(run_id, self._book))

    def key(self, record: RunRecord) -> Any:
        """What the run is sorted by."""
        if record.id not in self._keys:
            self._keys[record.id] = sort_key(record, COLUMNS[self.column], self._book)
        return self._keys[record.id]

    def arrangement(self) -> Arrangement:
        """The rows, at once."""
        return next(found for found in self.in_slices(float("inf")) if found is not None)

    def in_slices(self, seconds: float = SLICE_SECONDS) -> Iterator[Arrangement | None]:
        """None whenever ``seconds`` have gone, and in the end the rows."""
        clock = _Clock(seconds)
        ids: Sequence[str] = self._book.on_shelf(self.shelf)
        if not self.filter.is_empty:
            known, kept = self._matching, []
            for run_id in ids:
                if run_id not in known:
                    known[run_id] = self.filter(run_id, self._book)
                if known[run_id]:
                    kept.append(run_id)
                if clock.is_over():
                    yield None
            ids = kept
        # This arrangement's own: what changes between two slices is forgotten, and must not come last for that.
        keys: dict[str, Any] = {}
        groups: dict[str, list[str]] = {}
        for run_id in ids:
            if (record := self._book.get(run_id)) is not None:
                keys[run_id] = self.key(record)
                if self.is_grouped:
                    groups.setdefault(group_key(self._book, run_id), []).append(run_id)
            if clock.is_over():
                yield None
        if not self.is_grouped:
            yield Arrangement(self._in_order(ids, keys))
            return
        rows: list[str] = []
        for key in self._in_order(list(groups), {key: self._group_key(runs, keys) for key, runs in groups.items()}):
            rows.append(key)
            if key in self.open:
                rows += self._in_order(groups[key], keys)
        yield Arrangement(rows, groups)

    def _group_key(self, runs: Sequence[str], keys: Mapping[str, Any]) -> Any:
        column = COLUMNS[self.column]
        if column.is_averaged and len(runs) > 1:
            records = [record for run_id in runs if (record := self._book.get(run_id)) is not None]
            runs = [record.id for record in counting(self._book, records)]
        known = [key for run_id in runs if (key := keys[run_id]) is not None]
        if not known:
            return None
        if column.is_share:
            return sum(known) / len(runs)
        return sum(known) / len(known) if column.is_averaged else known[0]

    def _in_order(self, rows: Sequence[str], keys: Mapping[str, Any]) -> list[str]:
        known = [key for key in rows if keys.get(key) is not None]
        known.sort(key=keys.__getitem__, reverse=self.is_descending)
        return known + [key for key in rows if keys.get(key) is None] if len(known) < len(rows) else known


class _Clock:
    """Says now and then that a slice is over; asking it costs next to nothing."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._count = 0
        self._until = time.perf_counter() + seconds

    def is_over(self) -> bool:
        """Looks at the clock every so many calls."""
        self._count += 1
        if self._count % EVERY:
            return False
        now = time.perf_counter()
        if now < self._until:
            return False
        self._until = now + self._seconds
        return True
