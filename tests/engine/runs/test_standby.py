"""A process on standby does a run as one started for it would; whatever is wrong with it costs nothing but time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from engine.api import Workspace
from engine.api.runs import Runs
from engine.config import preset
from engine.errors import RunError
from engine.records import RunStatus
from engine.runs import execute, launch, liveness, standby, worker
from engine.runs.standby import Standby, begin, wait
from engine.store import Ending, Store
from tests.helpers.fake_training import submit
from tests.helpers.waiting import wait_for

ECHO = "import sys; line = sys.stdin.readline(); open('told', 'w').write(line)"


@pytest.fixture
def echoing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the engine, a process that only writes down what it is told."""

    def spawn(workspace: Path) -> subprocess.Popen[bytes]:
        return launch._spawn([sys.executable, "-c", ECHO], Path(os.devnull), workspace, stdin=subprocess.PIPE)

    monkeypatch.setattr(launch, "spawn_waiting", spawn)


@pytest.fixture
def engine_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an engine of one file, which is what is looked at for changes."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "model.py").write_text("LAYERS = 1", encoding="utf-8")
    monkeypatch.setattr(standby, "engine", SimpleNamespace(__path__=[str(folder)]))
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Of a workspace on a machine with memory to spare."""
    monkeypatch.setattr(standby, "LEAST_MEMORY", 0)
    made = Workspace(tmp_path / "workspace").runs
    yield made
    made.close()


def test_it_does_the_run_and_ends_with_it(runs: Runs) -> None:
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


@pytest.mark.usefixtures("echoing")
def test_none_is_made_beside_a_run_or_another_worker(runs: Runs) -> None:
    (run,) = submit(runs.store)
    runs.store.claim(run.id, liveness.this_process())
    runs.stand_by()
    assert runs._standby is None
    runs.store.end(run.id, 1, Ending(RunStatus.FINISHED))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        runs.store.take_lock(worker.LOCK, liveness.mark_of(other.pid), liveness.holds)
        runs.stand_by()
        assert runs._standby is None
    runs.stand_by()
    assert runs._standby is not None, "the other one is dead"


@pytest.mark.usefixtures("echoing")
def test_one_that_is_not_the_program_any_more_is_replaced(runs: Runs, engine_of: Path) -> None:
    runs.stand_by()
    first = runs._standby
    assert first is not None
    (engine_of / "model.py").write_text("LAYERS = 22", encoding="utf-8")
    runs.stand_by()
    assert runs._standby not in (None, first)
    assert wait_for(lambda: not first.is_alive)


@pytest.mark.usefixtures("echoing")
def test_it_is_sent_away_where_the_run_cannot_be_started(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = submit(runs.store)
    runs.stand_by()
    standing = runs._standby
    assert standing is not None
    (runs.workspace / "runs").write_text("in the way", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be started"):
        runs.start(run.id)
    assert wait_for(lambda: not standing.is_alive)


@pytest.mark.skipif(os.name != "posix", reason="kills by a signal")
def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.runs.standby import Standby; "
        "print(Standby(Path(sys.argv[1])).pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=launch._environment()) as owner:
        assert owner.stdout is not None
        waiting = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
    assert wait_for(lambda: not waiting.is_running() or waiting.status() == psutil.STATUS_ZOMBIE, 60)


@pytest.mark.usefixtures("echoing")
def test_it_is_told_the_run_and_nothing_else(store: Store) -> None:
    standing = Standby(store.workspace)
    process = launch.launch(store, "abc", ready=standing)
    assert process.pid == standing.pid
    assert wait_for(lambda: not standing.is_alive)
    assert (store.workspace / "told").read_text(encoding="utf-8") == "abc\n"


@pytest.mark.usefixtures("echoing")
def test_sent_away_it_ends(store: Store) -> None:
    standing = Standby(store.workspace)
    assert standing.is_alive
    standing.close()
    standing.close()
    assert wait_for(lambda: not standing.is_alive)
    assert (store.workspace / "told").read_text(encoding="utf-8") == ""
    assert standing.take("abc") is None


@pytest.mark.usefixtures("echoing")
@pytest.mark.parametrize("change", ["written", "put back", "more", "fewer"])
def test_a_changed_program_is_not_run_as_it_was(store: Store, engine_of: Path, change: str) -> None:
    standing = Standby(store.workspace)
    model = engine_of / "model.py"
    if change == "written":
        os.utime(model, ns=(0, model.stat().st_mtime_ns + 1_000_000))
    elif change == "put back":
        os.utime(model, ns=(0, 0))
    elif change == "more":
        (engine_of / "another.py").touch()
    else:
        model.unlink()
    assert standing.take("abc") is None
    assert wait_for(lambda: not standing.is_alive)
    assert (store.workspace / "told").read_text(encoding="utf-8") == ""


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need a right there")
@pytest.mark.usefixtures("echoing")
def test_an_editors_link_to_nowhere_is_no_source(store: Store, engine_of: Path) -> None:
    standing = Standby(store.workspace)
    (engine_of / ".#model.py").symlink_to("somebody@somewhere.1234")
    assert standing.take("abc") is not None
    assert wait_for(lambda: not standing.is_alive)


@pytest.mark.usefixtures("echoing")
def test_a_run_that_it_does_not_begin_is_begun_by_another(store: Store) -> None:
    (run,) = submit(store)
    standing = Standby(store.workspace)
    process = launch.launch(store, run.id, [sys.executable, "-c", "open('done', 'w')"], ready=standing)
    assert process.pid == standing.pid
    assert wait_for(lambda: process.pid != standing.pid or process.poll() is not None)
    assert wait_for(lambda: process.poll() is not None)
    assert process.pid != standing.pid
    assert (store.workspace / "done").exists()
    assert process.poll() == 0


@pytest.mark.usefixtures("echoing")
def test_a_dead_one_leaves_the_run_to_another(store: Store) -> None:
    (run,) = submit(store)
    standing = Standby(store.workspace)
    psutil.Process(standing.pid).kill()
    assert wait_for(lambda: not standing.is_alive)
    process = launch.launch(store, run.id, [sys.executable, "-c", "pass"], ready=standing)
    assert process.pid != standing.pid
    wait_for(lambda: process.poll() is not None)
    assert store.get(run.id).status is RunStatus.QUEUED


def test_what_was_wrong_with_the_imports_is_what_the_run_tells(
    store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    troubles = iter([MemoryError("not enough"), AttributeError("partially initialized module")])

    def fail() -> None:
        raise next(troubles)

    (run,) = submit(store)
    monkeypatch.setattr(execute, "engine_tools", fail)
    monkeypatch.setattr(standby, "_speak_into", lambda _: None)
    assert wait(store.workspace, io.StringIO(f"{run.id}\n")) == 1
    assert "memory" in store.get(run.id).message
    assert "partially" not in capfd.readouterr().err


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
