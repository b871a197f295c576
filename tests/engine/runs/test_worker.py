"""The worker: the queue in order, one run at a time, one worker a workspace."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.config.naming import run_name
from engine.errors import RunError, StoreError
from engine.records import RunStatus
from engine.runs import patience, worker
from engine.runs.execute import execute
from engine.runs.liveness import mark_of, this_process
from engine.store import Ending, ProcessMark, Store
from tests.helpers import fake_training
from tests.helpers.fake_training import submit, tools


class Done:
    """A process that has done its run already, in this one."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.code = execute(store, run_id, tools=tools(fake_training.quick))

    def poll(self) -> int | None:
        return self.code


def starting(order: list[str]) -> object:
    def start(store: Store, run_id: str) -> Done:
        order.append(run_id)
        return Done(store, run_id)

    return start


def test_the_queue_is_worked_off_in_order(store: Store) -> None:
    runs = submit(store, 3)
    store.cancel(runs[1].id)
    order: list[str] = []
    assert worker.work(store, lambda: True, starting(order)) == 2  # type: ignore[arg-type]
    assert order == [runs[0].id, runs[2].id]
    assert {run.status for run in store.all()} == {RunStatus.FINISHED, RunStatus.CANCELLED}
    assert store.lock_holder(worker.LOCK) is None


def test_it_stops_between_runs_when_told(store: Store) -> None:
    submit(store, 3)
    order: list[str] = []
    assert worker.work(store, lambda: len(order) < 1, starting(order)) == 1  # type: ignore[arg-type]
    assert len(store.with_status(RunStatus.QUEUED)) == 2


def test_a_second_worker_is_refused_while_the_first_lives(store: Store) -> None:
    parent = ProcessMark(this_process().host, 1, mark_of(1).created) if this_process().pid != 1 else this_process()
    store.take_lock(worker.LOCK, parent, lambda *_: True)
    with pytest.raises(RunError, match="Another worker"):
        worker.work(store, lambda: True)
    dead = ProcessMark(parent.host, parent.pid, parent.created - 1000)
    store.drop_lock(worker.LOCK, parent)
    store.take_lock(worker.LOCK, dead, lambda *_: True)
    assert worker.work(store, lambda: True) == 0


def test_it_waits_for_a_run_that_trains_here_already(store: Store) -> None:
    first, second = submit(store, 2)
    store.claim(first.id, this_process())
    looks = []
    order: list[str] = []

    def go_on() -> bool:
        looks.append(list(order))
        if len(looks) == 3:
            store.end(first.id, 1, Ending(RunStatus.FINISHED))
        return True

    assert worker.work(store, go_on, starting(order)) == 1  # type: ignore[arg-type]
    assert order == [second.id]
    assert looks[2] == []


def test_a_run_lost_on_this_host_does_not_hold_up_the_queue(store: Store) -> None:
    first, second = submit(store, 2)
    me = this_process()
    store.claim(first.id, ProcessMark(me.host, me.pid, me.created - 1000))
    order: list[str] = []
    assert worker.work(store, lambda: True, starting(order)) == 1  # type: ignore[arg-type]
    assert store.get(first.id).status is RunStatus.LOST
    assert order == [second.id]


def test_a_store_in_trouble_is_told_once_and_the_queue_worked_off_afterwards(
    store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    submit(store, 2)
    with_status, asked = store.with_status, [0]

    def in_trouble_for_a_while(status: RunStatus) -> object:
        asked[0] += 1
        if 3 <= asked[0] < 8:
            raise StoreError("The store cannot be written.", "Make room.")
        return with_status(status)

    monkeypatch.setattr(store, "with_status", in_trouble_for_a_while)
    assert worker.work(store, lambda: True, starting([])) == 2  # type: ignore[arg-type]
    assert capfd.readouterr().err.count("The store cannot be written. Make room.") == 1
    assert {run.status for run in store.all()} == {RunStatus.FINISHED}


@pytest.mark.parametrize("lives", [True, False])
def test_a_trouble_for_long_is_borne_with_where_a_run_would_be_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, lives: bool
) -> None:
    """The clock gains an hour a look. Only where nothing trains the worker ends with the trouble."""
    now, looks = [0.0], [0]

    class Endless:
        def poll(self) -> int | None:
            return None if lives else 0

    def sleep(_: float) -> None:
        now[0] += 3600
        looks[0] += 1
        if looks[0] == 5:
            monkeypatch.undo()
            raise KeyboardInterrupt

    def refuse(_: RunStatus) -> object:
        raise StoreError("The store cannot be read.")

    def start(*_: object) -> Endless:
        monkeypatch.setattr(store, "with_status", refuse)
        return Endless()

    submit(store)
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(worker, "time", clock)
    monkeypatch.setattr(patience, "time", clock)
    with pytest.raises(KeyboardInterrupt if lives else StoreError):
        worker.work(store, lambda: True, start)  # type: ignore[arg-type]


def living() -> ProcessMark:
    """Another process that lives, as this machine's first one always does."""
    return ProcessMark(this_process().host, 1, mark_of(1).created)


def test_one_started_by_hand_waits_for_room_on_its_device(store: Store) -> None:
    first, second, third = submit(store, 3)
    assert worker.take_turn(store, first) == ""
    store.claim(first.id, this_process())
    reason = worker.take_turn(store, second)
    assert reason == f"It starts when {first.id} ({run_name(first)}) has ended: one run at a time trains on cpu."
    store.desk.set_at_once("cpu", 2)
    assert worker.take_turn(store, second) == ""
    store.claim(second.id, this_process())
    told = worker.take_turn(store, third)
    assert told.startswith("It starts when one of ")
    assert told.endswith(" has ended: 2 runs at a time train on cpu.")
    store.end(second.id, 1, Ending(RunStatus.FINISHED))
    store.desk.set_at_once("cpu", 1)
    store.end(first.id, 1, Ending(RunStatus.FINISHED))
    assert worker.take_turn(store, third) == ""


def test_one_turn_at_a_time_until_what_was_started_has_begun(store: Store) -> None:
    """Between its start and its claim a run is queued still: another terminal must not take that for room."""
    if this_process().pid == 1:
        pytest.skip("there is no other process that certainly lives")
    run, other = submit(store, 2)
    assert worker.take_turn(store, run) == ""
    assert store.lock_holder(worker.STARTING) == this_process()
    worker.leave_turn(store)
    store.take_lock(worker.STARTING, living(), lambda *_: True)
    assert worker.take_turn(store, other) == "Another terminal (pid 1) is starting one."
    assert worker.next_startable(store, ()) is None, "nor does a worker start one meanwhile"
    store.drop_lock(worker.STARTING, living())
    assert worker.next_startable(store, ()) == run
    store.claim(run.id, this_process())
    assert worker.take_turn(store, other) != ""
    assert store.lock_holder(worker.STARTING) is None, "who waits leaves the turn to others"


def test_one_started_by_hand_on_another_host_is_in_nobodys_way(store: Store) -> None:
    first, second = submit(store, 2)
    store.claim(first.id, ProcessMark("elsewhere", 1, 1.0))
    assert worker.take_turn(store, second) == ""


def test_one_started_by_hand_leaves_its_turn_to_a_worker_that_works(store: Store) -> None:
    if this_process().pid == 1:
        pytest.skip("there is no other process that certainly lives")
    (run,) = submit(store, 1)
    store.take_lock(worker.LOCK, living(), lambda *_: True)
    assert "number 1 in the queue" in worker.take_turn(store, run)
    assert "(pid 1)" in worker.take_turn(store, run)
    store.desk.pause()
    assert worker.take_turn(store, run) == "", "a queue that pauses starts nothing, and the user asked for it"
    store.desk.pause(is_paused=False)
    store.drop_lock(worker.LOCK, living())
    store.take_lock(worker.LOCK, this_process(), lambda *_: True)
    assert worker.take_turn(store, run) == ""
