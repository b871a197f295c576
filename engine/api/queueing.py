"""The queue: its order, whether it is paused, how many runs at once by device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.records import QueueState

if TYPE_CHECKING:
    from engine.api.runs import Runs


class Queue:
    """Facade over ``engine.store``'s desk. Every method may touch the disk and raises ``StoreError``."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def state(self) -> QueueState:
        """Rules and order."""
        return self._runs.store.desk.state()

    def worker(self) -> int | None:
        """Pid of who works it off on this machine: a window, or ``coserec work``; None where nobody does."""
        from engine.runs import worker

        found = worker.living_worker(self._runs.store)
        return None if found is None else found.pid

    def pause(self) -> QueueState:
        """Start no more runs; what trains goes on."""
        return self._runs.store.desk.pause()

    def unpause(self) -> QueueState:
        """Start runs again."""
        return self._runs.store.desk.pause(is_paused=False)

    def set_at_once(self, device: str, count: int) -> QueueState:
        """How many runs may train on ``device`` (cpu, cuda, mps) at once. Raises ``UsageError``."""
        return self._runs.store.desk.set_at_once(device, count)

    def move(self, run_ids: Sequence[str], place: int) -> QueueState:
        """Put queued runs at ``place``, from 0; 0 runs them next. Raises ``RunError`` for one that does not wait."""
        return self._runs.store.desk.move([self._runs.get(run_id).id for run_id in run_ids], place)
