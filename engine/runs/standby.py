"""A process on standby: it has imported what training needs before anybody asks for a run, and then does one.

Importing takes longer than anything else between Queue and a small run's first step. The process waits for a run's id
on its standard input and ends with it, as one that was started for the run does; when its owner is gone it reads the
end of the input and ends. Whatever is wrong with it, the run is started without it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import psutil

import engine
from engine.paths import run_log
from engine.runs import execute, launch
from engine.store import Store

LEAST_MEMORY = 1 << 30
"""Bytes that must be free for a process that only waits."""

Sources = frozenset[tuple[str, int, int]]
"""Path, time of the last change [ns] and size of every source file."""


class Standby:
    """The owner's side. For one thread at a time."""

    def __init__(self, workspace: Path) -> None:
        """Start it. Raises ``OSError`` where the system cannot."""
        self._sources = sources()
        workspace.mkdir(parents=True, exist_ok=True)
        self._process = launch.spawn_waiting(workspace)

    @property
    def pid(self) -> int:
        """The process's id, and that of the run which it is given."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still waits."""
        return self._process.poll() is None

    @property
    def is_current(self) -> bool:
        """Whether it lives and has imported the program as it is now: somebody may be writing a model."""
        return self.is_alive and sources() == self._sources

    def take(self, run_id: str) -> subprocess.Popen[bytes] | None:
        """Give it the run to do; None where it cannot: it is sent away, and nothing has happened to the run."""
        if self.is_current:
            with contextlib.suppress(OSError):
                self._tell(f"{run_id}\n".encode())
                return self._process
        self.close()
        return None

    def close(self) -> None:
        """Send it away, unless it has a run; it ends by itself, and at once where it waits already."""
        with contextlib.suppress(OSError):
            self._tell(b"")

    def _tell(self, line: bytes) -> None:
        stream = self._process.stdin
        if stream is not None and not stream.closed:
            with stream:
                stream.write(line)


def begin(workspace: Path) -> Standby | None:
    """One that gets ready; None where memory is short or the system refuses."""
    if psutil.virtual_memory().available < LEAST_MEMORY:
        return None
    try:
        return Standby(workspace)
    except OSError:
        return None


def sources() -> Sources:
    """The engine's source files as they are now. One that cannot be looked at is none: editors leave such links."""
    found = set()
    # Not `Path.rglob`: that takes three times as long, and the window's threads wait meanwhile.
    for folder, _, names in os.walk(engine.__path__[0]):
        for name in names:
            if name.endswith(".py"):
                with contextlib.suppress(OSError):
                    status = os.stat(path := os.path.join(folder, name))  # noqa: PTH116, PTH118
                    found.add((path, status.st_mtime_ns, status.st_size))
    return frozenset(found)


def wait(workspace: Path, orders: TextIO) -> int:
    """The process's own side: get ready, read a run's id from ``orders``, do it; returns its exit code.

    0 where no order comes. What it says goes to the run's log.
    """
    trouble: Exception | None = None
    try:
        execute.engine_tools()
    except Exception as error:  # the run fails of it, and tells it in its log: asked again, Python would tell another
        trouble = error

    def tools() -> execute.Tools:
        if trouble is not None:
            raise trouble
        return execute.engine_tools()

    run_id = orders.readline().strip()
    if not run_id:
        return 0
    _speak_into(workspace / run_log(run_id))
    store = Store.open(workspace)
    try:
        return execute.execute(store, run_id, tools=tools)
    finally:
        store.close()


def _speak_into(log: Path) -> None:
    """Point this process's output at the log, below Python too: a crash in native code writes its trace there."""
    with log.open("ab") as output:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(output.fileno(), stream.fileno())
