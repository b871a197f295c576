"""The inspection pages on a large file: opening, sorting, filtering, moving K, Reroll; and the event loop's gaps.

Needs a display (a virtual one with a window manager will do). A made file of ``--users`` users is opened, or
``--data``. Each act is timed to its repaint; a 5 ms timer notes meanwhile how long nothing in the window could move.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.window import TIMER_MS, _window

WAIT_SECONDS = 120.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--data", default="", help="a file in place of the made one")
    parser.add_argument("--rerolls", type=int, default=30)


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = str(Path(chosen.data).absolute()) if chosen.data else make(Path(folder), chosen.users)
        code = f"from tests.benchmarks.inspection import walk; walk({folder!r}, {path!r}, {chosen.rerolls})"
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"data": chosen.data or f"{chosen.users:,} made users"} | found


def make(folder: Path, users: int) -> str:
    """Users of 5 to 24 items out of 20,000, some items far more popular than others."""
    chance = np.random.default_rng(1)
    lines = []
    for user, length in enumerate(chance.integers(5, 25, users).tolist(), 1):
        items = (chance.random(length) ** 3 * 20_000).astype(int) + 1
        lines.append(f"{user} {' '.join(map(str, items.tolist()))}")
    path = folder / "made.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


class Walk:
    """Acts in the window, timed; ``gaps`` are the event loop's, by act."""

    def __init__(self, application: Any) -> None:
        from PySide6.QtCore import QEventLoop, Qt, QTimer

        self._application = application
        self._wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        self._served: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._served.append(time.perf_counter()))
        self._timer.start(TIMER_MS)
        self.figures: dict[str, Any] = {}

    @contextmanager
    def act(self, name: str) -> Iterator[None]:
        """Note the longest gap while it lasts."""
        self._served.append(time.perf_counter())
        first = len(self._served) - 1
        yield
        self._served.append(time.perf_counter())
        widths = [later - earlier for earlier, later in itertools.pairwise(self._served[first:])]
        self.figures[f"{name}_gap_ms_max"] = 1000 * max(widths)

    def until(self, ready: Callable[[], bool]) -> None:
        """Serve events until ``ready``."""
        end = time.perf_counter() + WAIT_SECONDS
        while not ready():
            if time.perf_counter() > end:
                raise TimeoutError("the window did not get there")
            # Waits as the window's own loop does; the timer wakes it.
            self._application.processEvents(self._wait)

    def timed(self, name: str, acts: list[Callable[[], object]], widget: Any) -> None:
        """Milliseconds of each act with its repaint: median and largest."""
        times = []
        with self.act(name):
            for do in acts:
                began = time.perf_counter()
                do()
                widget.repaint()
                self._application.processEvents()
                times.append(1000 * (time.perf_counter() - began))
        self.figures |= {f"{name}_ms_median": statistics.median(times), f"{name}_ms_max": max(times)}


def walk(folder: str, path: str, rerolls: int) -> None:
    """Open ``path`` and go through the pages."""
    application, window = _window(folder)
    window.show()
    steps = Walk(application)
    began = time.perf_counter()
    with steps.act("start"):
        steps.until(lambda: bool(window.backstage.devices) and window.maker.is_done)  # a person takes longer
    steps.figures["pages_made_seconds"] = time.perf_counter() - began
    began = time.perf_counter()
    with steps.act("open"):
        window.context.session.open_dataset(path)
        window.show_page("dataset")
        page = window.page_widget("dataset")
        steps.until(lambda: page.summary is not None and page.stack.state == "content")
        steps.figures["open_to_summary_seconds"] = time.perf_counter() - began
        steps.until(lambda: page.details is not None)
        steps.figures["open_to_all_counted_seconds"] = time.perf_counter() - began
    _tables(steps, page)
    page.show_overview()
    steps.until(lambda: page.lengths.isVisible())
    moves = [lambda k=k: page.lengths.k.setValue(k) for k in (*range(1, 25), *range(24, 0, -1))]
    steps.timed("move_k", moves, page.lengths.plot)
    with steps.act("augment"):
        window.show_page("augment")
        augment = window.page_widget("augment")
        steps.until(lambda: augment.preview is not None)
    times = []
    with steps.act("reroll"):
        for _ in range(rerolls):
            steps.until(lambda: not window.context.engine.is_busy)  # a person takes longer than the engine
            before, asked = augment.preview, time.perf_counter()
            augment.reroll()
            steps.until(lambda before=before: augment.preview is not before)
            augment.chips.viewport().repaint()
            times.append(1000 * (time.perf_counter() - asked))
    steps.figures |= {"reroll_ms_median": statistics.median(times), "reroll_ms_max": max(times)}
    with steps.act("neighbours"):
        window.show_page("neighbours")
        neighbours = window.page_widget("neighbours")
        item = page.details.items.items[0]
        neighbours.walk(item)
        steps.until(lambda: neighbours.list is not None)
    window.close_without_asking()
    print(json.dumps(steps.figures))


def _tables(steps: Walk, page: Any) -> None:
    """Sort users and items by every column, both ways, and filter them by words and numbers."""
    for name, table in (("users", page.users.table), ("items", page.items.table)):
        _table(steps, page, name, table)


def _table(steps: Walk, page: Any, name: str, table: Any) -> None:
    from PySide6.QtCore import Qt

    with steps.act(f"{name}_tab"):
        page.show_tab(name)
        steps.until(lambda: table.model.rowCount() > 0)
    steps.figures[f"{name}_rows"] = table.model.rowCount()
    header = table.view.horizontalHeader()
    orders = (Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder)
    sorts = [
        lambda column=column, order=order: header.setSortIndicator(column, order)
        for column in range(table.model.columnCount())
        for order in orders
    ]
    steps.timed(f"{name}_sort", sorts, table.view.viewport())
    texts = ("1", "12", "123", "", next(iter(table.model.names)) + ">20", "")
    steps.timed(f"{name}_filter", [lambda text=text: table.field.setText(text) for text in texts], table.view)
