"""kill -9: of the training process, of whoever launched it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.records import RunStatus
from engine.runs.execute import execute
from engine.runs.liveness import sweep
from engine.store import Store
from tests.helpers import fake_training
from tests.helpers.fake_training import start, submit, tools
from tests.helpers.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")


def test_a_killed_run_is_lost_and_resumes_from_its_checkpoint(store: Store) -> None:
    (run,) = submit(store, epochs=4)
    process = start(store, run.id, "endless")
    wait_for(lambda: [point for point in store.points(run.id) if point.name == "running/next_item"])
    os.kill(process.pid, signal.SIGKILL)
    # Nobody has reaped it: the sweep sees through the zombie.
    (lost,) = wait_for(lambda: sweep(store), seconds=5)
    assert (lost.id, lost.status) == (run.id, RunStatus.LOST)
    assert f"pid {process.pid}" in lost.message
    # Its first thread is a zombie at once; it can be waited for when the others are gone too.
    wait_for(lambda: process.poll() is not None)
    assert process.poll() == -signal.SIGKILL
    before = store.points(run.id)
    assert {point.epoch for point in before} == {0, 1}

    store.requeue(run.id)
    assert execute(store, run.id, tools=tools(fake_training.quick)) == 0
    found = store.get(run.id)
    assert (found.status, found.attempt) == (RunStatus.FINISHED, 2)
    assert [epoch.epoch for epoch in store.epochs(run.id)] == [0, 1, 2, 3]
    # Steps of the second epoch that the killed process had told of are void.
    attempts = {point.attempt for point in store.points(run.id) if point.epoch == 1}
    assert attempts == {2}


def test_whoever_launched_it_knows_at_once(store: Store) -> None:
    (run,) = submit(store)
    process = start(store, run.id, "endless")
    wait_for(lambda: store.epochs(run.id))
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: process.poll() is not None)
    assert store.get(run.id).status is RunStatus.LOST


def test_training_outlives_its_launcher(store: Store) -> None:
    (run,) = submit(store)
    code = (
        "import sys; from pathlib import Path; from engine.store import Store;"
        "from tests.helpers.fake_training import start;"
        "process = start(Store.open(Path(sys.argv[1])), sys.argv[2], 'endless');"
        "print(process.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.workspace), run.id],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdout is not None
        pid = int(launcher.stdout.readline())
        wait_for(lambda: store.epochs(run.id))
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
    assert sweep(store) == ()
    heard = store.get(run.id).heartbeat_at
    wait_for(lambda: store.get(run.id).heartbeat_at != heard)
    assert psutil.pid_exists(pid)
    store.request_stop(run.id)
    wait_for(lambda: store.get(run.id).status is RunStatus.STOPPED)
