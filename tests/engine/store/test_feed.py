"""The feed: whatever happens between two looks, a reader that follows the cursor holds what the store holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from engine.records import FeedBatch, FeedCursor, MetricPoint, RunRecord, RunStatus
from engine.store import Ending, ProcessMark, Progress, Store, feed
from tests.helpers.fake_training import report, submit

HERE = ProcessMark("host", 1, 1.0)


class Reader:
    """Follows the feed as the window does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cursor = FeedCursor()
        self.runs: dict[str, RunRecord] = {}
        self.points: dict[str, list[MetricPoint]] = {}

    def look(self, points_of: frozenset[str] | None = None) -> FeedBatch:
        batch = self.store.changes(self.cursor, points_of)
        self.cursor = batch.cursor
        self.runs.update({run.id: run for run in batch.runs})
        for run_id in batch.whole:
            self.points[run_id] = []
        for point in batch.points:
            self.points.setdefault(point.run_id, []).append(point)
        return batch


class Life:
    """Two runs that anything may happen to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ids = [run.id for run in submit(store, 2)]
        self.attempts = dict.fromkeys(self.ids, 0)
        self.sequences = dict.fromkeys(self.ids, 0)
        self.epochs = dict.fromkeys(self.ids, 0)

    def act(self, which: int, action: str, back: int) -> None:
        run_id = self.ids[which]
        status = self.store.get(run_id).status
        if action == "claim" and status is RunStatus.QUEUED:
            self.attempts[run_id] = self.store.claim(run_id, HERE) or 0
            self.sequences[run_id] = 0
            self.epochs[run_id] = max(0, self.epochs[run_id] - back)
            self.first = self.epochs[run_id]
        elif action == "points" and status is RunStatus.RUNNING:
            self._points(run_id)
        elif action == "heartbeat" and status is RunStatus.RUNNING:
            self.store.record(run_id, self.attempts[run_id], Progress())
        elif action == "lose" and status is RunStatus.RUNNING:
            self.store.end(run_id, self.attempts[run_id], Ending(RunStatus.LOST))
        elif action == "resume" and status is RunStatus.LOST:
            self.store.requeue(run_id)

    def _points(self, run_id: str) -> None:
        epoch = self.epochs[run_id]
        numbers = range(self.sequences[run_id] + 1, self.sequences[run_id] + 4)
        points = [(number, epoch, 0, "a", float(number)) for number in numbers]
        first = epoch if self.sequences[run_id] == 0 else None
        self.store.record(run_id, self.attempts[run_id], Progress(points, [report(epoch)], {"epoch": epoch}, first))
        self.sequences[run_id] = numbers[-1]
        self.epochs[run_id] += 1


ACTION = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["claim", "points", "points", "points", "heartbeat", "lose", "resume", "look"]),
    st.integers(0, 3),
)
BEGINNING = [(0, "claim", 0), (0, "points", 0), (0, "points", 0), (0, "lose", 0), (0, "resume", 0)]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTION, max_size=25), watched=st.lists(st.sets(st.integers(0, 1)), min_size=1, max_size=5))
def test_following_the_cursor_is_the_same_as_reading_everything(
    actions: list[tuple[int, str, int]], watched: list[set[int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder))
        life, everything, some, looks = Life(store), Reader(store), Reader(store), 0
        for which, action, back in [*BEGINNING, *actions]:
            life.act(which, action, back)
            if action == "look":
                everything.look()
                wanted = frozenset(life.ids[index] for index in watched[looks % len(watched)])
                some.look(wanted)
                for run_id in wanted:
                    assert some.points[run_id] == list(store.points(run_id))
                looks += 1
        everything.look()
        assert everything.runs == {run.id: run for run in store.all()}
        for run_id in life.ids:
            assert everything.points.get(run_id, []) == list(store.points(run_id))
        assert some.look(frozenset()).points == ()
        assert some.runs == everything.runs
        quiet = everything.look()
        assert (quiet.runs, quiet.points, quiet.whole) == ((), (), frozenset())
        store.close()


def test_only_what_changed_is_read(store: Store) -> None:
    life, reader = Life(store), Reader(store)
    life.act(0, "claim", 0)
    life.act(1, "claim", 0)
    reader.look()
    life.act(0, "points", 0)
    batch = reader.look()
    assert [run.id for run in batch.runs] == [life.ids[0]]
    assert [point.sequence for point in batch.points] == [1, 2, 3]
    life.act(0, "points", 0)
    assert [point.sequence for point in reader.look().points] == [4, 5, 6]


def test_a_quiet_store_costs_one_small_query(store: Store) -> None:
    life, reader = Life(store), Reader(store)
    life.act(0, "claim", 0)
    life.act(0, "points", 0)
    watched = frozenset(life.ids)
    reader.look(watched)
    reader.look(watched)
    asked: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *details: asked.append(details[2]))
    reader.look(watched)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_a_rewound_run_is_told_as_a_whole(store: Store) -> None:
    life, reader = Life(store), Reader(store)
    for action in ("claim", "points", "points", "lose", "resume"):
        life.act(0, action, 0)
    reader.look()
    life.act(0, "claim", 1)
    assert reader.look().whole == frozenset()
    life.act(0, "points", 0)
    batch = reader.look()
    assert batch.whole == {life.ids[0]}
    assert [(point.attempt, point.epoch) for point in batch.points] == [(1, 0)] * 3 + [(2, 1)] * 3


def test_pages_are_the_whole_store_newest_first_and_changes_tell_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, then `changes` from the first page's cursor: nothing is missed, nothing told twice."""
    monkeypatch.setattr(feed, "PAGE", 3)
    ids = [run.id for run in submit(store, 8)]
    store.marks.tag([ids[0]], ["old"])
    first = store.page()
    pages = [first]
    while pages[-1].runs:
        pages.append(store.page(pages[-1].runs[-1].id))
        if len(pages) == 2:
            store.claim(ids[7], HERE)  # on a page that is read already
            store.marks.tag([ids[7]], ["new"])
            later = submit(store, 1)[0].id
    assert [len(page.runs) for page in pages] == [3, 3, 2, 0]
    assert [run.id for page in pages for run in page.runs] == ids[::-1]
    assert first.news.queue is not None
    assert first.news.baselines == {}
    assert all(page.news.queue is None and page.news.baselines is None for page in pages[1:])
    tags = {mark.run_id: mark.tags for page in pages for mark in page.news.marks}
    assert tags == {run_id: (("old",) if run_id == ids[0] else ()) for run_id in ids}
    rest = store.changes(first.cursor, frozenset())
    assert [run.id for run in rest.runs] == [ids[7], later]
    assert {mark.run_id: mark.tags for mark in rest.news.marks} == {ids[7]: ("new",), later: ()}


def test_an_empty_store_has_no_page(store: Store) -> None:
    assert store.page().runs == ()
    assert store.changes(store.page().cursor, frozenset()).runs == ()
