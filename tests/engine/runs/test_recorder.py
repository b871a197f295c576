"""The recorder: batches, pace, stop requests, heartbeats."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import pytest

from engine.errors import StoreError
from engine.records import RunStatus
from engine.runs import recorder as recorder_module
from engine.runs.liveness import this_process
from engine.runs.recorder import Pace, Recorder
from engine.store import Ending, Store
from tests.helpers.fake_training import report, submit
from tests.helpers.waiting import wait_for


@pytest.fixture
def run_id(store: Store) -> str:
    (run,) = submit(store)
    store.claim(run.id, this_process())
    return run.id


def count_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Points of each write, as they happen."""
    writes: list[int] = []
    record = store.record

    def counted(run_id: str, attempt: int, progress: object) -> bool:
        writes.append(len(progress.points))  # type: ignore[attr-defined]
        return record(run_id, attempt, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "record", counted)
    return writes


def test_rows_come_in_batches_and_in_order(store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = count_writes(store, monkeypatch)
    began = time.monotonic()
    with Recorder(store, run_id, 1, epochs=500) as recorder:
        for epoch in range(500):
            recorder.step(epoch, 1, 2, {"next_item": 1.5})
            recorder.epoch(report(epoch))
        recorder.finish(Ending(RunStatus.FINISHED))
    assert len(writes) <= 2 * (time.monotonic() - began) + 2
    assert [point.sequence for point in store.points(run_id)] == list(range(1, 500 * 7 + 1))
    assert len(store.epochs(run_id)) == 500
    names = [point.name for point in store.points(run_id)[:7]]
    assert names == [
        *("running/next_item", "loss/next_item", "loss/contrastive", "valid/HR@20", "valid/NDCG@20"),
        *("time/train_seconds", "time/validate_seconds"),
    ]
    run = store.get(run_id)
    assert (run.status, run.epoch, run.best_epoch, run.step, run.steps) == (RunStatus.FINISHED, 499, 499, 1, 2)


def test_resume_tells_the_epochs_that_a_killed_process_could_not(store: Store, run_id: str) -> None:
    with Recorder(store, run_id, 1, epochs=4) as first:
        first.epoch(report(0))
        first.step(1, 1, 2, {"next_item": 9.0})
        first.finish(Ending(RunStatus.STOPPED))
    store.requeue(run_id)
    store.claim(run_id, this_process())
    with Recorder(store, run_id, 2, epochs=4) as second:
        second.resumed((report(0), report(1)))  # the checkpoint knows of an epoch that the store has never seen
        second.step(2, 1, 2, {"next_item": 1.0})
        second.epoch(report(2))
        second.finish(Ending(RunStatus.FINISHED))
    assert [epoch.epoch for epoch in store.epochs(run_id)] == [0, 1, 2]
    valid = [(point.attempt, point.epoch) for point in store.points(run_id) if point.name == "valid/NDCG@20"]
    assert valid == [(1, 0), (2, 1), (2, 2)]
    running = [(point.epoch, point.value) for point in store.points(run_id) if point.name == "running/next_item"]
    assert running == [(2, 1.0)]


def test_the_heart_beats_during_a_long_step(store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(recorder_module, "LOOK_SECONDS", 0.01)
    with Recorder(store, run_id, 1, epochs=3):
        first = store.get(run_id).heartbeat_at
        wait_for(lambda: store.get(run_id).heartbeat_at != first)


def test_a_stop_request_arrives_within_a_second(store: Store, run_id: str) -> None:
    with Recorder(store, run_id, 1, epochs=3) as recorder:
        assert not recorder.should_stop()
        store.request_stop(run_id)
        wait_for(recorder.should_stop, seconds=1.0)


def test_a_stale_attempt_is_told_to_stop_and_writes_no_end(store: Store, run_id: str) -> None:
    with Recorder(store, run_id, 1, epochs=3) as recorder:
        recorder.epoch(report(0))
        store.end(run_id, 1, Ending(RunStatus.LOST, "swept"))
        wait_for(recorder.should_stop)
        recorder.epoch(report(1))
        assert recorder.finish(Ending(RunStatus.FINISHED, "I am done")) is False
        assert recorder.is_stale
    assert store.get(run_id).message == "swept"
    assert [epoch.epoch for epoch in store.epochs(run_id)] in ([], [0])


def test_asking_costs_the_training_nothing(store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training thread never touches the store: it may be as slow as it likes."""
    threads: set[str] = set()
    record = store.record

    def watched(*arguments: object) -> bool:
        threads.add(threading.current_thread().name)
        return record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "record", watched)
    with Recorder(store, run_id, 1, epochs=3) as recorder:
        for step in range(10_000):
            recorder.step(0, step, 10_000, {"next_item": 1.0})
            recorder.should_stop()
        wait_for(lambda: store.get(run_id).step)
        assert threads == {"recorder"}


def test_that_the_store_can_be_read_does_not_say_that_it_can_be_written(
    store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A full disk lets the stop request be read, and refuses now with these words, now with those."""
    for name in ("LOOK_SECONDS", "WRITE_SECONDS", "HEARTBEAT_SECONDS"):
        monkeypatch.setattr(recorder_module, name, {"LOOK_SECONDS": 0.001}.get(name, 0.003))
    record, wants_stop = store.record, store.wants_stop
    refused, read, has_room = [0], [0], threading.Event()

    def record_if_there_is_room(*arguments: object) -> bool:
        if has_room.is_set():
            return record(*arguments)  # type: ignore[arg-type]
        refused[0] += 1
        raise StoreError(f"The store cannot be written ({('full', 'I/O error')[refused[0] % 2]}).")

    def counted(*arguments: object) -> bool:
        read[0] += bool(refused[0])
        return wants_stop(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "record", record_if_there_is_room)
    monkeypatch.setattr(store, "wants_stop", counted)
    with Recorder(store, run_id, 1, epochs=3) as recorder:
        recorder.epoch(report(0))
        wait_for(lambda: refused[0] > 6 and read[0] > 6)
        told = capfd.readouterr().err
        assert "again" not in told
        assert told.count("what is to be recorded waits") == 2, "once for each of the two words"
        has_room.set()
        wait_for(lambda: "The store can be written again." in capfd.readouterr().err)
    assert [epoch.epoch for epoch in store.epochs(run_id)] == [0]


def test_what_was_insisted_on_leaves_no_trouble(store: Store, run_id: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Trouble that is over must be said to be over: else the next would not be told."""
    refusals = iter([StoreError("The store is locked."), None])

    def write() -> None:
        if (error := next(refusals)) is not None:
            raise error

    with Recorder(store, run_id, 1, epochs=3) as recorder:
        assert recorder._insist_on(write)
        assert not recorder._trouble
    told = capfd.readouterr().err
    assert told.index("The store is locked.") < told.index("The store can be written again.")


def test_the_pace_foretells_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(recorder_module.time, "monotonic", lambda: clock[0])
    pace = Pace(epochs=4)
    pace.phase("correlations")
    clock[0] += 10
    # A quarter of the first epoch took 10 s: 40 s an epoch, 3.75 epochs to go.
    assert pace.step(0, 25, 100) == (0.0625, pytest.approx(150.0))
    # Reported epochs take 0.75 s each.
    assert pace.epoch(report(0)) == (0.25, pytest.approx(2.25))
    assert pace.step(1, 1, 2) == (0.375, pytest.approx(1.875))
    assert pace.epoch(report(3)) == (1.0, 0.0)


def test_an_epoch_in_which_the_computer_slept_tells_nothing_of_the_next() -> None:
    pace = Pace(epochs=10)
    for epoch, seconds in enumerate((3.0, 30_000.0, 3.0, 5.0)):
        _, left = pace.epoch(replace(report(epoch), train_seconds=seconds, validate_seconds=0.0))
        assert left <= (9 - epoch) * 3.0
    for epoch in range(4, 8):  # it is slower for good
        _, left = pace.epoch(replace(report(epoch), train_seconds=9.0, validate_seconds=0.0))
    assert left == 2 * 9.0


def test_stages_have_paces_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(recorder_module.time, "monotonic", lambda: clock[0])
    pace = Pace(epochs=4, pretrain_epochs=2)
    pace.phase("pre-training")
    clock[0] += 6
    assert pace.step(0, 1, 2) == (0.125, pytest.approx(3.5 * 12))
    # Epochs of pre-training take 3 s; how long the others take is not known yet, so they count alike.
    assert pace.epoch(replace(report(0), train_seconds=3.0, validate_seconds=0.0)) == (0.25, pytest.approx(9.0))
    assert pace.epoch(replace(report(1), train_seconds=3.0, validate_seconds=0.0)) == (0.5, pytest.approx(6.0))
    pace.phase("fine-tuning")
    clock[0] += 10
    # Half of the second stage's first epoch took 10 s: the first stage's pace is forgotten.
    assert pace.step(2, 1, 2) == (0.625, pytest.approx(1.5 * 20))
    assert pace.epoch(report(2)) == (0.75, pytest.approx(0.75))


def test_the_pace_is_bound_by_the_time_a_run_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(recorder_module.time, "monotonic", lambda: clock[0])
    pace = Pace(epochs=400, minutes=0.5)
    pace.phase("training")
    clock[0] += 10
    assert pace.step(0, 25, 100) == (pytest.approx(10 / 30), pytest.approx(20.0))
    assert pace.epoch(report(0)) == (pytest.approx(0.75 / 30), pytest.approx(29.25))
    resumed = Pace(epochs=400, minutes=0.5)
    resumed.resumed([report(n) for n in range(36)])  # 27 s
    assert resumed.epoch(report(36)) == (pytest.approx(27.75 / 30), pytest.approx(2.25))
    for epoch in range(37, 50):
        done, left = resumed.epoch(report(epoch))
    assert (done, left) == (1.0, 0.0)


def test_leaving_the_recorder_leaves_no_thread(store: Store, run_id: str) -> None:
    with Recorder(store, run_id, 1, epochs=1):
        assert any(thread.name == "recorder" for thread in threading.enumerate())
    assert not any(thread.name == "recorder" for thread in threading.enumerate())
    assert store.get(run_id).pid == os.getpid()
