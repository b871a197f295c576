"""The headless worker: works off the queue, one run after another, each a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import RunError
from engine.records import RunStatus
from engine.runs import launch, liveness
from engine.runs.launch import LaunchedRun
from engine.store import Store

LOCK = "worker"
_LOOK_SECONDS = 0.2
_SWEEP_SECONDS = 5.0
_LOCK_SECONDS = 60.0


def work(
    store: Store, should_go_on: Callable[[], bool], start: Callable[[Store, str], LaunchedRun] = launch.launch
) -> int:
    """Start queued runs until the queue is empty or ``should_go_on`` denies the next; returns how many it started.

    Waits while a run of this workspace trains on this host already, whoever started it. One worker a workspace:
    raises ``RunError`` when another one lives.
    """
    started = 0
    with _alone(store) as refresh:
        while should_go_on():
            _wait_for_others(store, should_go_on, refresh)
            waiting = store.with_status(RunStatus.QUEUED)
            if not waiting or not should_go_on():
                break
            process = start(store, waiting[0].id)
            started += 1
            while process.poll() is None:
                refresh()
                time.sleep(_LOOK_SECONDS)
    return started


def _wait_for_others(store: Store, should_go_on: Callable[[], bool], refresh: Callable[[], None]) -> None:
    swept = float("-inf")
    while should_go_on():
        if time.monotonic() - swept > _SWEEP_SECONDS:
            liveness.sweep(store)
            swept = time.monotonic()
        if not any(run.host == liveness.this_host() for run in store.with_status(RunStatus.RUNNING)):
            return
        refresh()
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _alone(store: Store) -> Iterator[Callable[[], None]]:
    me = liveness.this_process()
    renewed = time.monotonic()

    def refresh() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > _LOCK_SECONDS:
            store.take_lock(LOCK, me, liveness.holds)
            renewed = time.monotonic()

    holder = store.take_lock(LOCK, me, liveness.holds)
    if holder is not None:
        raise RunError(
            f"Another worker (pid {holder.pid} on {holder.host}) already works off the queue of {store.workspace}.",
            "It takes new runs too; there is nothing to start.",
        )
    try:
        yield refresh
    finally:
        store.drop_lock(LOCK, me)
