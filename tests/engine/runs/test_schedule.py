"""Who starts next: by order, device and rules."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import RunError
from engine.records import QueueState, RunRecord, RunStatus
from engine.runs import worker
from engine.runs.execute import execute
from engine.runs.schedule import device_of, startable
from engine.store import Store
from tests.helpers import fake_training
from tests.helpers.fake_runs import make_record
from tests.helpers.fake_training import submit, tools


def on(run_id: str, device: str) -> RunRecord:
    return make_record(run_id, config={"train": {"device": device}})


def test_a_busy_device_holds_up_only_its_own() -> None:
    queued = [on("a", "cuda"), on("b", "cuda"), on("c", "cpu")]
    state = QueueState()
    assert startable(queued, [], state, "cpu").id == "a"  # type: ignore[union-attr]
    assert startable(queued, [on("x", "cuda")], state, "cpu").id == "c"  # type: ignore[union-attr]
    assert startable(queued, [on("x", "cuda"), on("y", "auto")], state, "cpu") is None
    two = QueueState(at_once={"cuda": 2})
    assert startable(queued, [on("x", "cuda"), on("y", "cpu")], two, "cpu").id == "a"  # type: ignore[union-attr]
    assert startable(queued, [], QueueState(is_paused=True), "cpu") is None


def test_auto_is_whatever_the_machine_has() -> None:
    assert device_of(on("a", "auto"), "cuda") == "cuda"
    assert device_of(make_record("a", config={}), "mps") == "mps"
    assert device_of(on("a", "cpu"), "cuda") == "cpu"


def test_the_worker_starts_in_the_order_of_the_queue_and_passes_over_what_cannot_start(store: Store) -> None:
    one, two, three = (run.id for run in submit(store, 3))
    store.desk.move([three], 0)
    order: list[str] = []

    class Done:
        def poll(self) -> int:
            return 0

    def start(of: Store, run_id: str) -> Any:
        order.append(run_id)
        if run_id == one:
            raise RunError("It cannot be started.", "Look at the folder.")
        execute(of, run_id, tools=tools(fake_training.quick))
        return Done()

    assert worker.work(store, lambda: True, start) == 2
    assert order == [three, one, two]
    assert (store.get(one).status, store.get(one).message) == (RunStatus.FAILED, "It cannot be started.")


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_the_worker_keeps_to_how_many_at_once(store: Store, at_once: int) -> None:
    submit(store, 4)
    for device in ("cpu", "cuda", "mps"):
        store.desk.set_at_once(device, at_once)
    most, alive = 0, []

    class Slow:
        def __init__(self, run_id: str) -> None:
            self.run_id, self.looks = run_id, 0

        def poll(self) -> int | None:
            self.looks += 1
            if self.looks < 3:
                return None
            if self in alive:
                alive.remove(self)
                execute(store, self.run_id, tools=tools(fake_training.quick))
            return 0

    def start(_: Store, run_id: str) -> Any:
        nonlocal most
        alive.append(Slow(run_id))
        most = max(most, len(alive))
        return alive[-1]

    assert worker.work(store, lambda: True, start) == 4
    assert most == at_once
