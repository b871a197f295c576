"""Marks, shelves, stars, the queue's order: changed, undone, told to readers, purged."""

from __future__ import annotations

import pytest

from engine.errors import RunError, UsageError
from engine.records import LONGEST_NAME, FeedCursor, RunStatus, Shelf
from engine.runs.purging import PREFIX, purge
from engine.store import Ending, ProcessMark, Store
from tests.helpers.fake_training import submit

HERE = ProcessMark("host", 4711, 1_700_000_000.25)


def ended(store: Store, count: int) -> list[str]:
    ids = [record.id for record in submit(store, count)]
    for run_id in ids:
        assert store.claim(run_id, HERE) == 1
        store.end(run_id, 1, Ending(RunStatus.FINISHED, metrics={"test": {"NDCG@20": 0.5}}))
    return ids


def test_every_run_has_a_number_that_is_never_given_twice(store: Store) -> None:
    one, two = ended(store, 2)
    assert [mark.number for mark in store.marks.of([two, one])] == [0, 1]
    store.marks.shelve([two], Shelf.TRASHED)
    store.marks.forget(two)
    (three,) = submit(store)
    assert [mark.number for mark in store.marks.of()] == [0, 2]
    assert store.marks.of([three.id])[0].number == 2


def test_marks_are_changed_and_put_back_and_the_run_stays_as_it_was(store: Store) -> None:
    one, two = ended(store, 2)
    records = store.all()
    first = store.marks.tag([one, two], ["paper", "  best   of three "])
    second = store.marks.note(one, " good ")
    third = store.marks.colour([one], 5)
    fourth = store.marks.tag([one], remove=["paper"])
    mark = store.marks.of([one])[0]
    assert (mark.tags, mark.note, mark.colour) == (("best of three",), "good", 5)
    assert store.marks.of([two])[0].tags == ("best of three", "paper")
    assert store.all() == records
    for before in (fourth, third, second, first):
        store.marks.put_back(before)
    assert [(m.tags, m.note, m.colour) for m in store.marks.of()] == [((), "", None)] * 2


def test_runs_are_renamed_and_called_again_as_each_was(store: Store) -> None:
    one, two = ended(store, 2)
    records = store.all()
    seen = store.changes(FeedCursor()).cursor
    before = store.marks.rename([two, one, two], "  the  best ")
    assert [record.name for record in store.all()] == ["the best", "the best"]
    assert {record.id for record in store.changes(seen).runs} == {one, two}
    again = store.marks.rename([one], "")
    assert store.get(one).name == "transformer λ=0.1 seed 1", "as if nobody had named it"
    store.marks.put_back(again)
    assert store.get(one).name == "the best"
    store.marks.shelve([two], Shelf.TRASHED)
    purge(store, [two])
    store.marks.put_back(before)
    assert store.get(one) == next(record for record in records if record.id == one)


def test_a_name_is_at_most_so_long(store: Store) -> None:
    (one,) = ended(store, 1)
    name = store.get(one).name
    with pytest.raises(UsageError, match="'xxxxxxxxxxxxxxxxxxxx…' has 121 characters"):
        store.marks.rename([one], "x" * (LONGEST_NAME + 1))
    assert store.get(one).name == name
    store.marks.rename([one], "x" * LONGEST_NAME)
    assert store.get(one).name == "x" * LONGEST_NAME


@pytest.mark.parametrize("text", ["", "   ", "a,b", "x" * 65])
def test_what_is_no_tag_is_refused(store: Store, text: str) -> None:
    with pytest.raises(UsageError, match="no tag"):
        store.marks.tag(ended(store, 1), [text])


def test_one_star_a_data_set(store: Store) -> None:
    one, two = ended(store, 2)
    fingerprint = store.get(one).fingerprint
    store.marks.star(one)
    before = store.marks.star(two)
    assert store.marks.baselines() == {fingerprint: two}
    store.marks.put_back(before)
    assert store.marks.baselines() == {fingerprint: one}
    store.marks.star(two, is_starred=False)
    assert store.marks.baselines() == {fingerprint: one}, "taking away a star that is not there changes nothing"
    store.marks.star(one, is_starred=False)
    assert store.marks.baselines() == {}


def test_only_what_has_ended_is_shelved(store: Store) -> None:
    (one,) = ended(store, 1)
    (waiting,) = submit(store)
    with pytest.raises(RunError, match="is queued"):
        store.marks.shelve([one, waiting.id], Shelf.TRASHED)
    assert store.marks.of([one])[0].shelf is Shelf.SHOWN
    before = store.marks.shelve([one], Shelf.ARCHIVED)
    assert store.marks.of([one])[0].shelved_at is not None
    store.marks.put_back(before)
    assert store.marks.of([one])[0].shelved_at is None


def test_a_reader_is_told_what_is_new_and_no_more(store: Store) -> None:
    one, two = ended(store, 2)
    first = store.changes(FeedCursor())
    assert [mark.run_id for mark in first.news.marks] == [one, two]
    assert first.news.baselines == {}
    assert first.news.queue is not None
    store.marks.tag([two], ["paper"])
    second = store.changes(first.cursor)
    assert [(mark.run_id, mark.tags) for mark in second.news.marks] == [(two, ("paper",))]
    assert second.runs == ()
    assert second.news.baselines is None
    assert second.news.queue is None
    store.marks.star(two)
    store.marks.shelve([two], Shelf.TRASHED)
    purge(store, [two])
    third = store.changes(second.cursor)
    assert third.news.purged == {two}
    assert third.news.baselines == {}
    assert store.changes(third.cursor).news.purged == frozenset()


def test_purging_takes_rows_and_files_and_nothing_else(store: Store) -> None:
    one, two = ended(store, 2)
    for run_id in (one, two):
        (store.workspace / "runs" / run_id).mkdir(parents=True)
        (store.workspace / "runs" / run_id / "log.txt").write_text("log", encoding="utf-8")
    with pytest.raises(RunError, match="not in the trash"):
        purge(store, [one])
    store.marks.shelve([one], Shelf.TRASHED)
    left_by_a_crash = store.workspace / "runs" / f"{PREFIX}gone"
    left_by_a_crash.mkdir()
    assert purge(store, [one]) == (one,)
    assert sorted(path.name for path in (store.workspace / "runs").iterdir()) == [two]
    assert [record.id for record in store.all()] == [two]
    assert store.epochs(one) == ()


def test_a_purge_that_ended_half_way_is_ended_by_the_next(store: Store) -> None:
    one, two = ended(store, 2)
    store.marks.shelve([one, two], Shelf.TRASHED)
    folder = store.workspace / "runs"
    (folder / f"{PREFIX}{one}").mkdir(parents=True)  # renamed, and then the power went
    purge(store, [two])
    assert (folder / f"{PREFIX}{one}").is_dir(), "its run is still listed"
    purge(store, [one])
    assert list(folder.iterdir()) == []


def test_the_queue_is_reordered_and_newcomers_wait_behind(store: Store) -> None:
    ids = [record.id for record in submit(store, 3)]
    assert store.desk.state().order == tuple(ids)
    store.desk.move([ids[2]], 0)
    (late,) = submit(store)
    assert store.desk.state().order == (ids[2], ids[0], ids[1], late.id)
    assert [record.id for record in store.with_status(RunStatus.QUEUED)] == [ids[2], ids[0], ids[1], late.id]
    store.claim(ids[2], HERE)
    store.end(ids[2], 1, Ending(RunStatus.STOPPED))
    seen = store.changes(FeedCursor()).cursor
    store.requeue(ids[2])
    told = store.changes(seen).news.queue
    assert told is not None
    assert told.order == store.desk.state().order
    assert store.desk.state().order[-1] == ids[2], "what is queued again waits behind"
    with pytest.raises(RunError, match="does not wait"):
        store.desk.move(["nobody"], 0)


def test_the_queues_rules_are_kept(store: Store) -> None:
    store.desk.pause()
    store.desk.set_at_once("cuda", 2)
    state = store.desk.set_at_once("cpu", 3)
    assert (state.is_paused, dict(state.at_once)) == (True, {"cuda": 2, "cpu": 3})
    assert not store.desk.pause(is_paused=False).is_paused
    with pytest.raises(UsageError, match="not possible"):
        store.desk.set_at_once("cpu", 0)
