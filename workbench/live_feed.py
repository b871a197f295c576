"""What is new in the store, read off the GUI thread a few times a second and handed over as one batched signal.

The window has no other source: a run that a command line started looks the same as one started here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QThread, Signal

from engine.errors import EngineError
from engine.records import FeedBatch, FeedCursor, MarksNews, MetricPoint, RunRecord
from workbench.run_lines import RunLine, make_line

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""x in epochs (0.5: half of the first epoch is done), y as recorded."""


RUNS_AT_ONCE = 250
"""Runs in one batch: what the window enters between two frames."""
PAUSE_SECONDS = 0.01
SWITCH_SECONDS = 0.0005
"""A tenth of Python's own interval after which a busy thread lets another one go on."""


class Feed(Protocol):
    """The part of ``engine.api.runs.Runs`` that is read here."""

    def newest(self) -> FeedBatch: ...

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


def position(point: MetricPoint, steps: int) -> float:
    """A point's place on an axis of epochs: the share of the epoch for a step, the epoch's end for an epoch."""
    return point.epoch + (min(point.step / steps, 1.0) if 0 < point.step < steps else 1.0)


def curves_of(points: Iterable[MetricPoint], steps: Mapping[str, int]) -> dict[str, dict[str, Curve]]:
    """Points grouped by run and series, as arrays, in their order of recording."""
    grouped: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    for point in points:
        xs, ys = grouped.setdefault(point.run_id, {}).setdefault(point.name, ([], []))
        xs.append(position(point, steps.get(point.run_id, 0)))
        ys.append(point.value)
    return {
        run: {name: (np.array(xs), np.array(ys)) for name, (xs, ys) in series.items()}
        for run, series in grouped.items()
    }


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
        self._pause = threading.Event()
        self._ends = False
        self._watched: frozenset[str] = frozenset()
        self._steps: dict[str, int] = {}
        self._lines: dict[str, RunLine] = {}
        self._has_trouble = False

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
        self._pause.set()
        self.wait()

    def run(self) -> None:
        # Reading ten thousand runs is Python's work for seconds. The window asks for the interpreter at every call into
        # Qt, and would wait this long each time.
        sys.setswitchinterval(SWITCH_SECONDS)
        cursor = FeedCursor()
        is_first = True
        while not self._ends:
            self._wake.clear()
            try:
                if is_first:
                    self._look_first()
                cursor = self._read(cursor)
            except (EngineError, OSError) as error:
                self._tell_trouble(error)
            else:
                if self._has_trouble:
                    self._has_trouble = False
                    self.trouble.emit(None)
                if is_first:
                    is_first = False
                    self.first_read.emit()
            self._wake.wait(self._interval)

    def _look_first(self) -> None:
        """What a window shows first, while a large store is still being read."""
        batch = self._feed.newest()
        if batch.runs:
            lines = self._lines_of(batch.runs)
            self.arrived.emit(LiveBatch(batch.runs, {}, frozenset(), batch.news, lines))
            self._pause.wait(PAUSE_SECONDS)

    def _read(self, cursor: FeedCursor) -> FeedCursor:
        batch = self._feed.changes(cursor, self._watched)
        self._steps.update({run.id: run.steps for run in batch.runs if run.steps})
        news = batch.news
        has_news = news.marks or news.purged or news.baselines is not None or news.queue is not None
        if not (batch.runs or batch.points or batch.whole or has_news):
            return batch.cursor
        # Marks first, in the same batch as the first runs: a run in the trash must not flash up. The newest runs first.
        runs = batch.runs[::-1]
        for begin in range(0, max(len(runs), 1), RUNS_AT_ONCE):
            if self._ends:
                return cursor
            part = runs[begin : begin + RUNS_AT_ONCE]
            lines = self._lines_of(part)
            if begin == 0:
                curves = curves_of(batch.points, self._steps)
                self.arrived.emit(LiveBatch(part[::-1], curves, batch.whole, news, lines))
            else:
                # The window paints between two parts.
                self._pause.wait(PAUSE_SECONDS)
                self.arrived.emit(LiveBatch(part[::-1], {}, frozenset(), MarksNews(), lines))
        return batch.cursor

    def _lines_of(self, runs: Iterable[RunRecord]) -> dict[str, RunLine]:
        made = {run.id: make_line(run, self._lines.get(run.id)) for run in runs}
        self._lines |= made
        return made

    def _tell_trouble(self, error: Exception) -> None:
        if not self._has_trouble:
            self._has_trouble = True
            self.trouble.emit(error)
