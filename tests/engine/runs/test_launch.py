"""Processes: in a session of their own, writing to the log, stopped for certain."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from engine.errors import RunError
from engine.records import RunRecord, RunStatus
from engine.runs import launch as launch_module
from engine.runs import stopping
from engine.runs.launch import LaunchedRun, launch
from engine.runs.stopping import ensure_stopped
from engine.store import Store
from tests.helpers.fake_training import start, submit
from tests.helpers.waiting import wait_for


def begun(store: Store, kind: str) -> tuple[RunRecord, LaunchedRun]:
    """A run whose process has told of its first epoch."""
    (run,) = submit(store)
    process = start(store, run.id, kind)
    wait_for(lambda: store.epochs(run.id))
    return run, process


def test_a_launched_run_finishes_and_logs(store: Store) -> None:
    (run,) = submit(store)
    process = start(store, run.id, "quick")
    assert wait_for(lambda: process.poll() is not None)
    assert process.poll() == 0
    run = store.get(run.id)
    assert (run.status, run.pid) == (RunStatus.FINISHED, process.pid)
    assert "epoch 3/3" in (run.directory / "log.txt").read_text(encoding="utf-8")


def test_two_processes_of_one_run_train_once(store: Store) -> None:
    (run,) = submit(store)
    processes = [start(store, run.id, "quick") for _ in range(3)]
    for process in processes:
        wait_for(lambda process=process: process.poll() is not None)
        assert process.poll() == 0
    assert store.get(run.id).attempt == 1
    assert [epoch.epoch for epoch in store.epochs(run.id)] == [0, 1, 2]
    assert (run.directory / "log.txt").read_text(encoding="utf-8").count("there is nothing to do here") == 2


@pytest.mark.skipif(os.name != "posix", reason="sessions and niceness are POSIX")
def test_it_has_a_session_of_its_own_and_gives_way(store: Store) -> None:
    (run,) = submit(store)
    process = start(store, run.id, "endless")
    wait_for(lambda: store.get(run.id).status is RunStatus.RUNNING)
    assert os.getsid(process.pid) == process.pid
    assert psutil.Process(process.pid).nice() > psutil.Process().nice() or psutil.Process().nice() >= 10
    group = Path(f"/proc/{process.pid}/autogroup")
    if group.exists():  # Linux that shares the processor out by session
        assert group.read_text(encoding="ascii").split()[-2:] == ["nice", "10"]
    store.request_stop(run.id)
    assert ensure_stopped(store, run.id, 10).status is RunStatus.STOPPED
    wait_for(lambda: process.poll() is not None)


def test_a_request_is_obeyed_with_a_checkpoint(store: Store) -> None:
    run, process = begun(store, "endless")
    store.request_stop(run.id)
    found = ensure_stopped(store, run.id, patience=10)
    assert found.status is RunStatus.STOPPED
    assert found.message.startswith("Stopped as asked after 1 epoch")
    assert (run.directory / "checkpoint.pt").is_file()
    wait_for(lambda: process.poll() is not None)
    assert process.poll() == 0


def test_a_signal_does_what_a_request_does(store: Store) -> None:
    run, process = begun(store, "endless")
    psutil.Process(process.pid).terminate()
    wait_for(lambda: process.poll() is not None)
    assert store.get(run.id).status is RunStatus.STOPPED


def test_who_is_slow_may_end_its_step(store: Store) -> None:
    """Its heart beats, so it is not stuck; killed, it would lose what it has learned since its last checkpoint."""
    run, process = begun(store, "ponderous")
    store.request_stop(run.id)
    found = ensure_stopped(store, run.id, patience=0.2)
    assert found.message.startswith("Stopped as asked after 1 epoch")
    wait_for(lambda: process.poll() is not None)


def test_who_does_not_listen_is_killed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "SLOW_SECONDS", 0.5)
    (run,) = submit(store)
    process = start(store, run.id, "stubborn")
    wait_for(lambda: store.get(run.id).phase == "training")
    store.request_stop(run.id)
    found = ensure_stopped(store, run.id, patience=0.2)
    assert found.status is RunStatus.STOPPED
    assert "was killed. Its last checkpoint stands." in found.message
    wait_for(lambda: process.poll() is not None)
    assert store.requeue(run.id).status is RunStatus.QUEUED


def test_who_has_answered_may_finish_its_test(store: Store) -> None:
    """Testing the best weights of a large data set takes longer than the patience with a run that does not answer."""
    run, process = begun(store, "thorough")
    store.request_stop(run.id)
    wait_for(lambda: store.get(run.id).phase in ("stopping", "testing"))
    found = ensure_stopped(store, run.id, patience=0.2)
    assert found.status is RunStatus.STOPPED
    assert found.message.startswith("Stopped as asked after 1 epoch")
    wait_for(lambda: process.poll() is not None)


def test_a_process_that_cannot_be_started_is_one_sentence(store: Store) -> None:
    (run,) = submit(store)
    with pytest.raises(RunError, match="cannot be started"):
        launch(store, run.id, ["/nowhere/python"])
    assert store.get(run.id).status is RunStatus.QUEUED


def test_a_process_that_dies_before_its_claim_fails_the_run(store: Store) -> None:
    (run,) = submit(store)
    process = launch(store, run.id, [sys.executable, "-c", "raise SystemExit('no such thing')"])
    wait_for(lambda: process.poll() is not None)
    run = store.get(run.id)
    assert (run.status, run.message) == (
        RunStatus.FAILED,
        "The training process ended before it began: no such thing",
    )


def test_the_child_finds_this_engine_and_not_the_folders_files() -> None:
    first = Path(launch_module._environment()["PYTHONPATH"].split(os.pathsep)[0])
    assert (first / "engine").samefile(Path(launch_module.__file__).parent.parent)
    assert "-P" in launch_module._engine()
