"""What is new in the store, read off the GUI thread a few times a second and handed over as one batched signal.

The window has no other source: a run that a command line started looks the same as one started here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QThread, QTimer, Signal, Slot

from engine.errors import EngineError
from engine.records import FeedBatch, FeedCursor, MarksNews, PointBlock, RunRecord
from workbench import garbage
from workbench.run_lines import RunLine, make_line

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""x in epochs (0.5: half of the first epoch is done), y as recorded."""


ENTERED_SECONDS = 0.25
"""So long at most the next page waits for the window to have entered and painted the last one."""
PAINTED_MS = 6
"""What has changed is painted 5 ms later, since platforms gather updates: whoever changes the next thing waits for
that, or both come in one turn."""
SWITCH_SECONDS = 0.0005
"""A tenth of Python's own interval after which a busy thread lets another one go on."""


class Feed(Protocol):
    """The part of ``engine.api.runs.Runs`` that is read here."""

    def page(self, before: str = "") -> FeedBatch: ...

    def changes(self, cursor: FeedCursor, points_of: Collection[str] | None = None) -> FeedBatch: ...


@dataclass(frozen=True)
class LiveBatch:
    """What is new since the batch before: ``curves`` maps run → series → what to append, ``whole`` what to replace."""

    runs: tuple[RunRecord, ...]
    curves: Mapping[str, Mapping[str, Curve]]
    whole: frozenset[str]
    news: MarksNews = field(default_factory=MarksNews)
    lines: Mapping[str, RunLine] = field(default_factory=dict)
    """Lines of ``runs``, made off the GUI thread; what is missing the run book makes."""


def curves_of(blocks: Iterable[PointBlock], steps: Mapping[str, int]) -> dict[str, dict[str, Curve]]:
    """Points grouped by run and series, as arrays, in their order of recording.

    A point's place on an axis of epochs is the share of the epoch for a step, the epoch's end for an epoch.
    """
    parts: dict[str, dict[str, list[Curve]]] = {}
    for block in blocks:
        run = parts.setdefault(block.run_id, {})
        for name, curve in _series(block, steps.get(block.run_id, 0)):
            run.setdefault(name, []).append(curve)
    return {run: {name: _joined(curves) for name, curves in series.items()} for run, series in parts.items()}


def _series(block: PointBlock, steps: int) -> Iterator[tuple[str, Curve]]:
    epoch, step, values = (np.array(column, dtype=np.float64) for column in (block.epochs, block.steps, block.values))
    xs = epoch + np.where((step > 0) & (step < steps), step / max(steps, 1), 1.0)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(block.names))}
    series = np.array([numbers[name] for name in block.names])
    for name, number in numbers.items():
        is_its = series == number
        yield name, (xs[is_its], values[is_its])


def _joined(curves: Sequence[Curve]) -> Curve:
    """The curves of several attempts one after the other."""
    if len(curves) == 1:
        return curves[0]
    return np.concatenate([xs for xs, _ in curves]), np.concatenate([ys for _, ys in curves])


class LiveFeed(QThread):
    """Polls the store. `arrived` carries a `LiveBatch`, at most one every ``interval`` seconds."""

    arrived = Signal(object)
    first_read = Signal()
    """The store has been read once: an empty list of runs now means that there are none."""
    trouble = Signal(object)
    """The store cannot be read (an exception), once; None when it can again."""

    def __init__(self, feed: Feed, interval: float = 0.3) -> None:
        super().__init__()
        self.setObjectName("live-feed")
        self._feed = feed
        self._interval = interval
        self._wake = threading.Event()
        self._entered = threading.Event()
        self._ends = False
        self._watched: frozenset[str] = frozenset()
        self._steps: dict[str, int] = {}
        self._lines: dict[str, RunLine] = {}
        self._has_trouble = False
        self._has_read = False
        self.arrived.connect(self._on_arrived)

    def watch(self, run_ids: Iterable[str]) -> None:
        """Of these runs the points are wanted too, not only the records."""
        wanted = frozenset(run_ids)
        if wanted != self._watched:
            self._watched = wanted
            self._wake.set()

    def nudge(self) -> None:
        """Read now: something has just been asked of the store."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._ends = True
        self._wake.set()
        self._entered.set()
        self.wait()

    @Slot(object)
    def _on_arrived(self, _: object) -> None:
        """In the window's thread: once it has painted what has just arrived, the next page is read."""
        # First when all has been entered, then when it is painted: Qt waits some milliseconds before it paints.
        QTimer.singleShot(0, lambda: QTimer.singleShot(PAINTED_MS, self._entered.set))

    def run(self) -> None:
        # Reading ten thousand runs is Python's work for seconds. The window asks for the interpreter at every call into
        # Qt, and would wait this long each time.
        sys.setswitchinterval(SWITCH_SECONDS)
        cursor = FeedCursor()
        before: str | None = ""
        while not self._ends:
            self._wake.clear()
            try:
                if before is not None:
                    cursor, before = self._read_page(cursor, before)
                cursor = self._read(cursor)
            except (EngineError, OSError) as error:
                self._tell_trouble(error)
            else:
                self._tell_recovery()
                if before is not None:
                    continue
                if not self._has_read:
                    self._has_read = True
                    self.first_read.emit()
            self._wake.wait(self._interval)

    def _read_page(self, cursor: FeedCursor, before: str) -> tuple[FeedCursor, str | None]:
        """Hand over one page of a store, the newest runs first: what a window shows while a large one is being read.

        Returns the cursor for all that happens after the first page, and where the next page begins; None: nowhere.
        """
        batch = self._feed.page(before)
        if batch.runs:
            self._entered.clear()
            self._hand_over(batch)
            # Reading and painting would otherwise take the interpreter from each other, and both last longer.
            self._entered.wait(ENTERED_SECONDS)
            garbage.keep()
        return batch.cursor if not before else cursor, batch.runs[-1].id if batch.runs else None

    def _read(self, cursor: FeedCursor) -> FeedCursor:
        batch = self._feed.changes(cursor, self._watched)
        news = batch.news
        has_news = news.marks or news.purged or news.baselines is not None or news.queue is not None
        if batch.runs or batch.blocks or batch.whole or has_news:
            self._hand_over(batch)
        return batch.cursor

    def _hand_over(self, batch: FeedBatch) -> None:
        self._steps.update({run.id: run.steps for run in batch.runs if run.steps})
        lines = self._lines_of(batch.runs)
        curves = curves_of(batch.blocks, self._steps)
        # Marks in the same batch as their runs: one in the trash must not flash up.
        self.arrived.emit(LiveBatch(batch.runs, curves, batch.whole, batch.news, lines))

    def _lines_of(self, runs: Iterable[RunRecord]) -> dict[str, RunLine]:
        made = {run.id: make_line(run, self._lines.get(run.id)) for run in runs}
        self._lines |= made
        return made

    def _tell_recovery(self) -> None:
        if self._has_trouble:
            self._has_trouble = False
            self.trouble.emit(None)

    def _tell_trouble(self, error: Exception) -> None:
        if not self._has_trouble:
            self._has_trouble = True
            self.trouble.emit(error)
