"""A process on standby does a run as one started for it would; whatever is wrong with it costs nothing but time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from engine.api import Workspace
from engine.config import preset
from engine.records import RunStatus
from engine.runs import launch, standby
from engine.runs.standby import Standby, begin, wait
from engine.store import Store
from tests.helpers.fake_training import submit
from tests.helpers.waiting import wait_for

ECHO = "import sys; line = sys.stdin.readline(); open('told', 'w').write(line)"


@pytest.fixture
def echoing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the engine, a process that only writes down what it is told."""

    def spawn(workspace: Path) -> subprocess.Popen[bytes]:
        return launch._spawn([sys.executable, "-c", ECHO], Path(os.devnull), workspace, stdin=subprocess.PIPE)

    monkeypatch.setattr(launch, "spawn_waiting", spawn)


def test_it_does_the_run_and_ends_with_it(tmp_path: Path) -> None:
    runs = Workspace(tmp_path).runs
    config = preset("sample").config.replace({"train.epochs": 1, "train.batch_size": 1024})
    runs.stand_by()
    standing = runs._standby
    assert standing is not None
    runs.stand_by()
    assert runs._standby is standing, "one is enough"
    first, second = runs.submit(config, preset="sample", seeds=(1, 1))
    process = runs.start(first.id)
    assert process.pid == standing.pid
    assert runs._standby is None
    assert wait_for(lambda: process.poll() is not None, 120)
    assert process.poll() == 0
    done = runs.get(first.id)
    assert (done.status, done.pid) == (RunStatus.FINISHED, standing.pid)
    assert f"run {first.id}, attempt 1, pid {standing.pid}" in runs.log(first.id)
    assert "epoch 1/1" in runs.log(first.id)
    other = runs.start(second.id)
    assert wait_for(lambda: other.poll() is not None, 120)
    assert runs.get(second.id).metrics == done.metrics
    runs.close()


@pytest.mark.usefixtures("echoing")
def test_it_is_told_the_run_and_nothing_else(store: Store) -> None:
    standing = Standby(store.workspace)
    process = launch.launch(store, "abc", ready=standing)
    assert process.pid == standing.pid
    wait_for(lambda: not standing.is_alive)
    assert (store.workspace / "told").read_text(encoding="utf-8") == "abc\n"


@pytest.mark.usefixtures("echoing")
def test_sent_away_it_ends(store: Store) -> None:
    standing = Standby(store.workspace)
    assert standing.is_alive
    standing.close()
    standing.close()
    wait_for(lambda: not standing.is_alive)
    assert (store.workspace / "told").read_text(encoding="utf-8") == ""
    assert standing.take("abc") is None


@pytest.mark.usefixtures("echoing")
def test_a_changed_program_is_not_run_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    source = tmp_path / "engine" / "model.py"
    source.write_text("LAYERS = 1", encoding="utf-8")
    monkeypatch.setattr(standby, "engine", SimpleNamespace(__path__=[str(tmp_path / "engine")]))
    standing = Standby(store.workspace)
    os.utime(source, ns=(0, source.stat().st_mtime_ns + 1_000_000))
    assert standing.take("abc") is None
    wait_for(lambda: not standing.is_alive)
    assert (store.workspace / "told").read_text(encoding="utf-8") == ""

    standing = Standby(store.workspace)
    (tmp_path / "engine" / "another.py").touch()
    os.utime(tmp_path / "engine" / "another.py", ns=(0, 0))
    assert standing.take("abc") is None
    wait_for(lambda: not standing.is_alive)


@pytest.mark.usefixtures("echoing")
def test_a_dead_one_leaves_the_run_to_another(store: Store) -> None:
    (run,) = submit(store)
    standing = Standby(store.workspace)
    psutil.Process(standing.pid).kill()
    wait_for(lambda: not standing.is_alive)
    process = launch.launch(store, run.id, [sys.executable, "-c", "pass"], ready=standing)
    assert process.pid != standing.pid
    wait_for(lambda: process.poll() is not None)
    assert store.get(run.id).status is RunStatus.QUEUED


def test_without_orders_it_ends(tmp_path: Path) -> None:
    assert wait(tmp_path, io.StringIO("")) == 0
    assert list(tmp_path.iterdir()) == []


def test_none_where_memory_is_short_or_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(workspace: Path) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(launch, "spawn_waiting", refuse)
    assert begin(tmp_path) is None
    monkeypatch.setattr(launch, "spawn_waiting", lambda _: pytest.fail("started all the same"))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=standby.LEAST_MEMORY - 1))
    assert begin(tmp_path) is None
