"""The store's news: read off the GUI thread, one signal a batch, curves that grow and are replaced."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.errors import StoreError
from engine.records import MetricPoint, RunStatus
from tests.helpers.fake_runs import FakeRuns, make_record
from workbench.live_feed import LiveBatch, LiveFeed, curves_of, position
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
    def point(epoch: int, step: int) -> MetricPoint:
        return MetricPoint("r", 1, 1, epoch, step, "loss/total", 1.0)

    assert position(point(0, 0), 8) == 1
    assert position(point(2, 4), 8) == 2.5
    assert position(point(2, 8), 8) == 3
    assert position(point(2, 4), 0) == 3
    grouped = curves_of([point(0, 4), point(0, 0)], {"r": 8})
    assert grouped["r"]["loss/total"][0].tolist() == [0.5, 1.0]


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
