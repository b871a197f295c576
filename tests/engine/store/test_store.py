"""The store's contract: claims are atomic, a stale attempt writes nothing, a finished run never changes."""

from __future__ import annotations

import dataclasses
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import RunError, StoreError, UsageError
from engine.records import RunStatus
from engine.store import Artifact, Ending, ProcessMark, Progress, StaleAttempt, Store
from engine.store.rows import new_id
from tests.helpers.fake_training import report, submit

HERE = ProcessMark("host", 4711, 1_700_000_000.125)
FINISHED = Ending(RunStatus.FINISHED, "Trained.", metrics={"test": {"HR@10": 0.25, "HR@5": 0.125}})


def running(store: Store) -> str:
    (run,) = submit(store)
    assert store.claim(run.id, HERE) == 1
    return run.id


def content(store: Store) -> list[Any]:
    """Everything that a reader can see."""
    runs = store.all()
    return [(run, store.epochs(run.id), store.points(run.id), store.artifacts(run.id)) for run in runs]


def test_ids_are_short_unique_and_sort_by_time() -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _: new_id(), range(2000)))
    assert len(set(ids)) == 2000
    assert {len(run_id) for run_id in ids} == {12}
    alone = [new_id() for _ in range(100)]
    assert alone == sorted(alone)
    assert alone[0] > max(ids)


def test_what_is_submitted_is_queued_in_order(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    runs = submit(store, 3, preset="sample")
    assert [run.status for run in runs] == [RunStatus.QUEUED] * 3
    assert [run.seed for run in store.with_status(RunStatus.QUEUED)] == [1, 2, 3]
    assert [run.id for run in store.all()] == sorted((run.id for run in runs), reverse=True)
    assert before < runs[0].created_at < datetime.now(UTC) + timedelta(seconds=1)
    assert runs[0].created_at.utcoffset() == timedelta(0)
    assert store.get(runs[0].id) == runs[0]
    assert runs[0].directory == store.workspace / "runs" / runs[0].id


def test_records_are_frozen(store: Store) -> None:
    (run,) = submit(store)
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.status = RunStatus.FINISHED  # type: ignore[misc]


def test_a_run_is_found_by_a_unique_beginning_or_end(store: Store) -> None:
    one, two = submit(store, 2)
    common = next(k for k in range(12) if one.id[k] != two.id[k])
    assert store.find(two.id[: common + 1]).id == two.id
    assert store.find(one.id[-5:].upper()).id == one.id
    with pytest.raises(UsageError, match="could be several runs"):
        store.find(one.id[:common])
    for wrong in ("", "nothing", "%", "_" * 12):
        with pytest.raises(UsageError, match="There is no run"):
            store.find(wrong)


def test_one_of_many_claims_wins(store: Store) -> None:
    (run,) = submit(store)
    gate = threading.Barrier(8)

    def claim(number: int) -> int | None:
        other = Store.open(store.workspace)
        gate.wait()
        try:
            return other.claim(run.id, ProcessMark("host", number, 1.0))
        finally:
            other.close()

    with ThreadPoolExecutor(8) as pool:
        won = [attempt for attempt in pool.map(claim, range(8)) if attempt is not None]
    assert won == [1]
    assert store.get(run.id).status is RunStatus.RUNNING


def test_a_claim_knows_its_process(store: Store) -> None:
    run_id = running(store)
    assert store.mark(run_id) == HERE
    assert store.get(run_id).host == "host"
    assert store.claim(run_id, HERE) is None
    assert store.claim("nobody", HERE) is None


def test_progress_is_written_with_a_heartbeat(store: Store) -> None:
    run_id = running(store)
    first = store.get(run_id).heartbeat_at
    points = [(1, 0, 1, "running/next_item", 1.5), (2, 0, 0, "loss/next_item", math.nan)]
    assert (
        store.record(run_id, 1, Progress(points, [report(0)], {"epoch": 0, "step": 7, "phase": "training"}, 0)) is False
    )
    run = store.get(run_id)
    assert (run.step, run.phase) == (7, "training")
    assert first is not None
    assert run.heartbeat_at is not None
    assert run.heartbeat_at > first
    assert [(p.sequence, p.name) for p in store.points(run_id)] == [(1, "running/next_item"), (2, "loss/next_item")]
    assert math.isnan(store.points(run_id)[1].value)
    assert store.epochs(run_id) == (report(0),)


def test_a_stop_request_reaches_the_attempt(store: Store) -> None:
    run_id = running(store)
    assert store.wants_stop(run_id, 1) is False
    assert store.request_stop(run_id).stop_requested
    assert store.wants_stop(run_id, 1) is True
    assert store.record(run_id, 1, Progress()) is True


def test_an_end_is_final(store: Store) -> None:
    run_id = running(store)
    store.end(run_id, 1, FINISHED)
    before = content(store)
    run = store.get(run_id)
    assert list(run.metrics["test"]) == ["HR@5", "HR@10"]
    assert run.ended_at is not None
    for write in (
        lambda: store.record(run_id, 1, Progress([(9, 0, 0, "x", 1.0)], [report(5)], {"epoch": 5}, 5)),
        lambda: store.end(run_id, 1, Ending(RunStatus.FAILED, "no")),
        lambda: store.put_artifact(run_id, 1, Artifact("x", "x", 1, "0")),
        lambda: store.wants_stop(run_id, 1),
    ):
        with pytest.raises(StaleAttempt):
            write()
    store.request_stop(run_id)
    with pytest.raises(RunError, match="Only a stopped, failed or lost run"):
        store.requeue(run_id)
    with pytest.raises(RunError, match="not queued"):
        store.cancel(run_id)
    assert store.fail_unclaimed(run_id, "m", "h", "t") is False
    assert content(store) == before


def test_a_stale_attempt_writes_nothing(store: Store) -> None:
    run_id = running(store)
    store.record(run_id, 1, Progress([(1, 0, 0, "loss/next_item", 1.0)], [report(0)], {}, 0))
    store.end(run_id, 1, Ending(RunStatus.LOST, "gone"))
    store.requeue(run_id)
    assert store.claim(run_id, ProcessMark("elsewhere", 1, 2.0)) == 2
    before = content(store)
    with pytest.raises(StaleAttempt):
        store.record(run_id, 1, Progress([(2, 1, 0, "loss/next_item", 9.0)], [report(1)], {"epoch": 1}, 0))
    with pytest.raises(StaleAttempt):
        store.end(run_id, 1, FINISHED)
    with pytest.raises(StaleAttempt):
        store.put_artifact(run_id, 1, Artifact("x", "x", 1, "0"))
    assert content(store) == before
    assert store.record(run_id, 2, Progress()) is False


@pytest.mark.parametrize("status", [RunStatus.STOPPED, RunStatus.FAILED, RunStatus.LOST])
def test_a_run_that_ended_early_is_queued_again(store: Store, status: RunStatus) -> None:
    run_id = running(store)
    store.end(run_id, 1, Ending(status, "why", "what to do", log_tail="tail"))
    assert store.log_tail(run_id) == "tail"
    run = store.requeue(run_id)
    assert (run.status, run.message, run.ended_at, run.stop_requested) == (RunStatus.QUEUED, "", None, False)
    assert store.claim(run_id, HERE) == 2


def test_a_resumed_history_hides_what_it_replaces(store: Store) -> None:
    run_id = running(store)
    for epoch in range(3):
        store.record(run_id, 1, Progress([(epoch + 1, epoch, 0, "a", float(epoch))], [report(epoch)], {}, 0))
    store.end(run_id, 1, Ending(RunStatus.LOST))
    store.requeue(run_id)
    store.claim(run_id, HERE)
    assert [epoch.epoch for epoch in store.epochs(run_id)] == [0, 1, 2]
    store.record(run_id, 2, Progress([(1, 1, 0, "a", 10.0)], [report(1, 0.75)], {}, 1))
    assert [(epoch.epoch, epoch.metrics["NDCG@20"]) for epoch in store.epochs(run_id)] == [(0, 0.5), (1, 0.75)]
    assert [(p.attempt, p.epoch) for p in store.points(run_id)] == [(1, 0), (2, 1)]
    store.end(run_id, 2, Ending(RunStatus.LOST))
    store.requeue(run_id)
    store.claim(run_id, HERE)
    store.record(run_id, 3, Progress([(1, 0, 0, "a", 20.0)], [], {}, 0))
    assert store.epochs(run_id) == ()
    assert [(p.attempt, p.epoch) for p in store.points(run_id)] == [(3, 0)]


def test_queued_runs_are_cancelled_running_ones_are_not(store: Store) -> None:
    one, two = submit(store, 2)
    assert store.cancel(one.id).status is RunStatus.CANCELLED
    assert store.request_stop(two.id).status is RunStatus.CANCELLED
    run_id = running(store)
    with pytest.raises(RunError, match="is running, not queued"):
        store.cancel(run_id)


def test_a_run_that_waited_to_be_resumed_can_still_be_resumed(store: Store) -> None:
    run_id = running(store)
    store.end(run_id, 1, Ending(RunStatus.LOST))
    store.requeue(run_id)
    assert store.cancel(run_id).status is RunStatus.STOPPED
    assert "what it has trained stands" in store.get(run_id).message
    store.requeue(run_id)
    assert store.request_stop(run_id).status is RunStatus.STOPPED


def test_an_artifact_is_noted_below_the_workspace(store: Store) -> None:
    run_id = running(store)
    store.put_artifact(run_id, 1, Artifact("ranks", f"runs/{run_id}/ranks.npz", 5, "ab"))
    store.put_artifact(run_id, 1, Artifact("ranks", f"runs/{run_id}/ranks.npz", 6, "cd"))
    (found,) = store.artifacts(run_id)
    assert (found.size, found.sha256, found.path) == (6, "cd", store.workspace / "runs" / run_id / "ranks.npz")


def test_a_lock_has_one_living_holder(store: Store) -> None:
    other = ProcessMark("host", 2, 2.0)
    assert store.take_lock("worker", HERE, lambda *_: True) is None
    assert store.take_lock("worker", HERE, lambda *_: True) is None
    assert store.take_lock("worker", other, lambda *_: True) == HERE
    assert store.take_lock("worker", other, lambda *_: False) is None
    store.drop_lock("worker", HERE)
    assert store.lock_holder("worker") == other
    store.drop_lock("worker", other)
    assert store.lock_holder("worker") is None


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    run_id = running(store)
    before = content(store)
    with pytest.raises(StoreError, match="UNIQUE"):
        store.record(run_id, 1, Progress([(1, 0, 0, "a", 1.0), (1, 0, 0, "b", 1.0)], [], {"step": 99}))
    assert content(store) == before


def test_readers_go_on_while_a_writer_writes(store: Store) -> None:
    run_id = running(store)
    ends = threading.Event()

    def read() -> list[int]:
        other = Store.open(store.workspace)
        counts = []
        try:
            while not ends.is_set():
                points = other.points(run_id)
                assert [p.sequence for p in points] == list(range(1, len(points) + 1))
                counts.append(len(points))
        finally:
            other.close()
        return counts

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for sequence in range(1, 120, 3):
            store.record(run_id, 1, Progress([(sequence + k, 0, k, "a", 1.0) for k in range(3)]))
        ends.set()
        seen = [reader.result() for reader in readers]
    assert all(counts == sorted(counts) and all(count % 3 == 0 for count in counts) for counts in seen)


def test_an_address_in_the_environment_moves_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSEREC_STORE_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    store = Store.open(tmp_path / "workspace")
    submit(store)
    store.close()
    assert (tmp_path / "elsewhere.db").is_file()
    assert not (tmp_path / "workspace").exists()
