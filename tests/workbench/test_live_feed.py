"""The store's news: read off the GUI thread, one signal a batch, curves that grow and are replaced."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.errors import StoreError
from engine.records import MetricPoint, PointBlock, RunStatus
from tests.helpers.fake_runs import FakeRuns, make_record
from tests.helpers.waiting import wait_for
from workbench.live_feed import ENTERED_SECONDS, LiveBatch, LiveFeed, curves_of
from workbench.run_book import RunBook, Series


@pytest.fixture
def feed(qtbot: QtBot, runs: FakeRuns):
    made = LiveFeed(runs, interval=0.02)
    yield made
    made.stop()


def test_a_batch_is_one_signal_and_is_read_elsewhere(qtbot: QtBot, runs: FakeRuns, feed: LiveFeed) -> None:
    for number in range(30):
        runs.put(make_record(f"r{number:04d}"))
    runs.add_points("r0001", "loss/total", [3.0, 2.0, 1.0])
    batches: list[LiveBatch] = []
    receiving: list[threading.Thread] = []
    feed.arrived.connect(lambda batch: (batches.append(batch), receiving.append(threading.current_thread())))
    feed.watch(["r0001"])
    with qtbot.waitSignal(feed.first_read):
        feed.start()
    qtbot.waitUntil(lambda: bool(batches))
    qtbot.wait(100)
    assert len(batches) == 1
    assert len(batches[0].runs) == 30
    assert batches[0].curves["r0001"]["loss/total"][1].tolist() == [3.0, 2.0, 1.0]
    assert threading.main_thread().name not in runs.threads
    assert receiving == [threading.main_thread()]


def test_news_goes_on_from_where_it_stopped(qtbot: QtBot, runs: FakeRuns, feed: LiveFeed) -> None:
    runs.put(make_record("r0001", status=RunStatus.RUNNING))
    runs.add_points("r0001", "loss/total", [3.0, 2.0])
    book = RunBook()
    feed.arrived.connect(book.take)
    feed.watch(["r0001"])
    feed.start()
    qtbot.waitUntil(lambda: book.curve("r0001", "loss/total")[1].tolist() == [3.0, 2.0])
    runs.add_points("r0001", "loss/total", [1.5], first_epoch=2)
    qtbot.waitUntil(lambda: book.curve("r0001", "loss/total")[1].tolist() == [3.0, 2.0, 1.5])
    assert book.curve("r0001", "loss/total")[0].tolist() == [1, 2, 3]


def test_a_store_that_cannot_be_read_says_so_once_and_recovers(qtbot: QtBot, runs: FakeRuns, feed: LiveFeed) -> None:
    told: list[object] = []
    feed.trouble.connect(told.append)
    runs.fails = StoreError("The store is locked.")
    feed.start()
    qtbot.waitUntil(lambda: len(told) == 1)
    qtbot.wait(80)
    assert len(told) == 1
    runs.fails = None
    qtbot.waitUntil(lambda: told[-1] is None)


def test_place_on_the_axis_of_epochs() -> None:
    """A step lies within its epoch, an epoch's own value at its end; NaN stays NaN; attempts follow one another."""

    def point(epoch: int, step: int, name: str = "loss/total", attempt: int = 1, value: float = 1.0) -> MetricPoint:
        return MetricPoint("r", attempt, 1, epoch, step, name, value)

    def places(*points: MetricPoint, steps: int = 8, name: str = "loss/total") -> list[float]:
        return curves_of(PointBlock.of(points), {"r": steps})["r"][name][0].tolist()

    assert places(point(0, 0), point(2, 4), point(2, 8)) == [1, 2.5, 3]
    assert places(point(2, 4), steps=0) == [3]
    assert places(point(0, 4), point(0, 0, "valid/HR@5"), point(1, 0, attempt=2)) == [0.5, 2]
    assert places(point(0, 4), point(0, 0, "valid/HR@5"), point(1, 0, attempt=2), name="valid/HR@5") == [1]
    values = curves_of(PointBlock.of([point(0, 0, value=float("nan")), point(1, 0, value=2.0)]), {})
    assert np.array_equal(values["r"]["loss/total"][1], [np.nan, 2.0], equal_nan=True)


def test_points_are_the_same_one_by_one_and_in_blocks() -> None:
    points = [MetricPoint(run, attempt, 3, 1, 2, "loss/total", 0.5) for run in ("a", "b") for attempt in (1, 1, 2)]
    blocks = PointBlock.of(points)
    assert [(block.run_id, block.attempt) for block in blocks] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert [point for block in blocks for point in block.points()] == points


def test_a_whole_history_replaces_what_was_held() -> None:
    book = RunBook()
    one = (np.array([1.0, 2.0]), np.array([0.1, 0.2]))
    book.take(LiveBatch((), {"r": {"valid/NDCG@20": one}}, frozenset()))
    book.take(LiveBatch((), {"r": {"valid/NDCG@20": (one[0][:1], one[1][:1])}}, frozenset({"r"})))
    assert book.curve("r", "valid/NDCG@20")[0].tolist() == [1.0]


def test_a_series_grows_beyond_its_buffer() -> None:
    series = Series()
    for start in range(0, 1000, 10):
        series.append((np.arange(start, start + 10.0), np.zeros(10)))
    assert series.curve[0].tolist() == list(range(1000))


def test_a_run_keeps_its_place_when_others_come() -> None:
    book = RunBook()
    book.take(LiveBatch((make_record("r2"), make_record("r1")), {}, frozenset()))
    before = book.order("r1"), book.order("r2")
    book.take(LiveBatch((make_record("r3"),), {}, frozenset()))
    assert (book.order("r1"), book.order("r2")) == before == (0, 1)
    assert [record.id for record in book.records] == ["r3", "r2", "r1"]


def test_a_large_store_comes_page_by_page_the_newest_first(qtbot: QtBot, runs: FakeRuns, feed: LiveFeed) -> None:
    """What happens while it is being read is told as well; read is the store when all of it is there."""
    runs.page_size = 10
    for number in range(35):
        runs.put(make_record(f"r{number:04d}"))
    book = RunBook()
    sizes: list[int] = []

    def arrived(batch: LiveBatch) -> None:
        book.take(batch)
        sizes.append(len(book))
        if len(sizes) == 2:
            runs.put(make_record("r0034", status=RunStatus.RUNNING))
            runs.put(make_record("r9999"))

    feed.arrived.connect(arrived)
    with qtbot.waitSignal(feed.first_read):
        feed.start()
    assert sizes[:2] == [10, 20]
    qtbot.waitUntil(lambda: len(book) == 36)
    assert book.get("r0034").status is RunStatus.RUNNING
    assert [record.id for record in book.records[:2]] == ["r9999", "r0034"]
    assert runs.pages_read == 5


def test_a_page_waits_for_the_window_but_not_for_ever(qtbot: QtBot, runs: FakeRuns, feed: LiveFeed) -> None:
    runs.page_size = 1
    for number in range(4):
        runs.put(make_record(f"r{number:04d}"))
    feed.start()
    began = time.monotonic()
    wait_for(lambda: runs.pages_read >= 3)  # no event loop runs here: nothing is entered
    assert time.monotonic() - began > ENTERED_SECONDS
