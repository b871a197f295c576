"""Who lives: process id and creation time together, a heartbeat on other hosts."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from engine.records import RunStatus
from engine.runs import liveness
from engine.runs.liveness import holds, process_of, settle, sweep, this_host, this_process
from engine.store import ProcessMark, Progress, Store
from engine.store.tables import now
from tests.helpers.fake_training import submit
from tests.helpers.waiting import wait_for


def claimed(store: Store, mark: ProcessMark) -> str:
    (run,) = submit(store)
    store.claim(run.id, mark)
    return run.id


def gone() -> ProcessMark:
    """A process that has ended and was reaped."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    mark = ProcessMark(this_host(), process.pid, psutil.Process(process.pid).create_time())
    process.wait()
    return mark


def test_this_process_lives() -> None:
    found = process_of(this_process())
    assert found is not None
    assert found.pid == os.getpid()


def test_an_id_that_was_given_out_again_is_another_process() -> None:
    me = this_process()
    assert process_of(ProcessMark(me.host, me.pid, me.created - 60)) is None
    assert process_of(ProcessMark("elsewhere", me.pid, me.created)) is None


def test_a_zombie_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        mark = liveness.mark_of(process.pid)
        assert process_of(mark) is not None
        process.kill()
        wait_for(lambda: process_of(mark) is None)


def test_the_sweep_finds_the_gone_and_leaves_the_living(store: Store) -> None:
    dead, alive = claimed(store, gone()), claimed(store, this_process())
    (lost,) = sweep(store)
    assert (lost.id, lost.status) == (dead, RunStatus.LOST)
    assert "is gone without a word" in lost.message
    assert "Resume" in lost.hint
    assert store.get(alive).status is RunStatus.RUNNING
    assert sweep(store) == ()


def test_another_host_is_lost_after_long_silence_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = claimed(store, ProcessMark("elsewhere", 1, 1.0))
    store.record(run_id, 1, Progress())
    assert sweep(store) == ()
    later = now() + timedelta(minutes=11)
    monkeypatch.setattr(liveness, "now", lambda: later)
    (lost,) = sweep(store)
    assert lost.message.startswith("elsewhere has not been heard of since")


def test_a_lock_on_another_host_counts_while_it_is_renewed() -> None:
    mark = ProcessMark("elsewhere", 1, 1.0)
    assert holds(mark, now())
    assert not holds(mark, now() - timedelta(minutes=11))
    assert not holds(mark, None)


def test_a_process_that_never_claimed_its_run_fails_it(store: Store) -> None:
    (run,) = submit(store)
    run.directory.mkdir(parents=True)
    (run.directory / "log.txt").write_text("Traceback …\nModuleNotFoundError: No module named 'torch'\n", "utf-8")
    settle(store, run.id, 1)
    run = store.get(run.id)
    assert run.status is RunStatus.FAILED
    assert run.message.endswith("before it began: ModuleNotFoundError: No module named 'torch'")
    assert "Traceback" in store.log_tail(run.id)


def test_settling_leaves_a_run_that_another_process_has(store: Store) -> None:
    run_id = claimed(store, this_process())
    settle(store, run_id, 0)
    assert store.get(run_id).status is RunStatus.RUNNING
    (waiting,) = submit(store)
    settle(store, waiting.id, 0)
    assert store.get(waiting.id).status is RunStatus.QUEUED


def test_the_tail_of_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"line {number} ü\n" for number in range(200_000)), encoding="utf-8")
    assert liveness.tail_of_file(path, 3).splitlines() == [f"line {number} ü" for number in (199_997, 199_998, 199_999)]
    assert liveness.tail_of_file(tmp_path / "none", 3) == ""
