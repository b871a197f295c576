"""Starting processes: the only place that spawns. A run's process outlives whoever started it.

It has a session of its own, so a Ctrl+C in the terminal or a closed window does not reach it, and writes to the run's
log and never to a pipe, so nobody can stall it by not reading.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import psutil

import engine
from engine.errors import RunError
from engine.paths import run_log
from engine.records import RunStatus
from engine.runs import liveness
from engine.store import Store

NICENESS = 10

_detached: list[subprocess.Popen[bytes]] = []


class LaunchedRun:
    """A started training process (``engine.api.runs.RunProcess``)."""

    def __init__(
        self,
        run_id: str,
        process: subprocess.Popen[bytes],
        store: Store,
        instead: Callable[[], subprocess.Popen[bytes]] | None = None,
    ) -> None:
        """``instead`` starts another process, once, where this one ends without having begun the run."""
        self.run_id = run_id
        self._process = process
        self._store = store
        self._instead = instead
        self._is_settled = False

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Exit code, or None while it lives. Once it has ended, the run has an end in the store."""
        code = self._process.poll()
        if code is not None and self._instead is not None:
            start, self._instead = self._instead, None
            if self._store.get(self.run_id).status is RunStatus.QUEUED:
                with contextlib.suppress(OSError):
                    self._process = start()
                    return None
        if code is not None and not self._is_settled:
            liveness.settle(self._store, self.run_id, code)
            self._is_settled = True
        return code


class Ready(Protocol):
    """A process that waits for a run (``engine.runs.standby.Standby``)."""

    def take(self, run_id: str) -> subprocess.Popen[bytes] | None:
        """Give it the run; None where it cannot."""
        ...


def launch(store: Store, run_id: str, command: Sequence[str] = (), *, ready: Ready | None = None) -> LaunchedRun:
    """Start ``python -m engine run ID`` at lower priority, or have the process that is ``ready`` do it, where it can.

    ``command`` replaces it in tests. Raises ``RunError`` when the system cannot start it.
    """
    arguments = list(command) or [*_engine(), "run", run_id, "--workspace", str(store.workspace)]
    log = store.workspace / run_log(run_id)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        waiting = ready.take(run_id) if ready else None
        process = waiting or _spawn(arguments, log, store.workspace)
    except OSError as error:
        raise RunError(
            f"The training process of run {run_id} cannot be started: {error.strerror or error}.",
            f"Check that {log.parent} can be written.",
        ) from error
    if waiting is None:
        return LaunchedRun(run_id, process, store)
    # It may still be importing, and what fails there is in nobody's log.
    return LaunchedRun(run_id, waiting, store, lambda: _spawn(arguments, log, store.workspace))


def spawn_waiting(workspace: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m engine stand-by``, which reads a run's id from its input. Raises ``OSError``."""
    arguments = [*_engine(), "stand-by", "--workspace", str(workspace)]
    return _spawn(arguments, Path(os.devnull), workspace, stdin=subprocess.PIPE)


def launch_worker(workspace: Path) -> int:
    """Start ``python -m engine work``, which goes on with the queue when this process has ended; returns its pid."""
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        process = _spawn([*_engine(), "work", "--workspace", str(workspace)], workspace / "worker.log", workspace)
    except OSError as error:
        raise RunError(f"The queue's worker cannot be started: {error.strerror or error}.") from error
    return process.pid


def _engine() -> list[str]:
    # -P: the working folder must not stand on the import path, or a file random.py there would break the run.
    return [sys.executable, "-P", "-m", "engine"]


def _spawn(arguments: list[str], log: Path, folder: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    reap()
    flags = 0
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    with log.open("ab") as output:
        process = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(),
            start_new_session=os.name == "posix",
            creationflags=flags,
        )
    if os.name == "posix":
        _give_way(process.pid)
    _detached.append(process)
    return process


def reap() -> None:
    """Let go of the processes that have ended. They are kept till then: one that outlives its launcher is no leak, and
    a dead one is no zombie for longer than until the next look."""
    _detached[:] = [process for process in _detached if process.poll() is None]


def _give_way(pid: int) -> None:
    """Lower priority than the window. Where it is refused the run trains all the same."""
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process(pid).nice(NICENESS)
    # Linux desktops share the processor out by session first, and the run has one of its own: without this its
    # niceness would count among its own threads only.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


def _environment() -> dict[str, str]:
    """This process's environment; the child finds the same engine, and a crash in native code leaves a trace."""
    environment = dict(os.environ)
    root = str(Path(engine.__path__[0]).parent)
    path = [root, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path))
    return environment | {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", "PYTHONIOENCODING": "utf-8"}
