"""A locked store and a full disk hold up neither a step nor a run: what is to be written waits."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event, text

from engine.errors import RunError, StoreError
from engine.records import RunStatus, TrainingResult
from engine.runs.execute import execute
from engine.runs.liveness import this_process
from engine.runs.recorder import Recorder
from engine.store import Ending, Store
from engine.store.database import open_database
from tests.helpers import fake_training
from tests.helpers.fake_training import report, submit, tools
from tests.helpers.waiting import wait_for


def impatient(store: Store) -> Store:
    """The same store, waiting a moment only for a lock."""
    return Store(open_database(store.workspace / "coserec.db", patience=0.05), store.workspace)


def other_process(store: Store) -> closing[sqlite3.Connection]:
    """A connection that stands for another process."""
    path = store.workspace / "coserec.db"
    return closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False))


def fill_disk(store: Store) -> Callable[[], None]:
    """From now on every new page is one too many (SQLITE_FULL); returns what makes room again."""
    pages = [1]

    def limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")

    store.database.close()
    event.listen(store.database.engine, "begin", limit, insert=True)

    def make_room() -> None:
        pages[0] = 1_000_000

    return make_room


def test_training_goes_on_while_another_process_holds_the_lock(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)
    store.claim(run.id, this_process())
    child = impatient(store)
    with other_process(store) as other, Recorder(child, run.id, 1, epochs=3) as recorder:
        other.execute("BEGIN IMMEDIATE")
        recorder.epoch(report(0))
        wait_for(lambda: "is busy: another process" in capfd.readouterr().err)
        assert store.epochs(run.id) == ()
        recorder.epoch(report(1))
        other.execute("ROLLBACK")
        wait_for(lambda: len(store.epochs(run.id)) == 2)
        wait_for(lambda: "can be written again" in capfd.readouterr().err)
        recorder.finish(Ending(RunStatus.FINISHED))
    child.close()
    assert store.get(run.id).status is RunStatus.FINISHED


def test_the_end_waits_for_the_lock(store: Store) -> None:
    (run,) = submit(store)
    child = impatient(store)
    with other_process(store) as other:

        def trains(*arguments: Any, **options: Any) -> TrainingResult:
            found = fake_training.quick(*arguments, **options)
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(0.6, other.execute, ["ROLLBACK"]).start()
            return found

        assert execute(child, run.id, tools=tools(trains)) == 0
    child.close()
    assert store.get(run.id).status is RunStatus.FINISHED
    assert len(store.epochs(run.id)) == 3


def test_a_full_disk_is_waited_out_and_nothing_is_lost(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)
    store.claim(run.id, this_process())
    with Recorder(store, run.id, 1, epochs=600) as recorder:
        make_room = fill_disk(store)
        for epoch in range(300):
            recorder.epoch(report(epoch))
        wait_for(lambda: "Training goes on; what is to be recorded waits." in capfd.readouterr().err)
        make_room()
        recorder.epoch(report(300))
        assert recorder.finish(Ending(RunStatus.FINISHED))
    assert len(store.epochs(run.id)) == 301
    assert [point.sequence for point in store.points(run.id)] == list(range(1, 301 * 6 + 1))


class FullLog(io.TextIOBase):
    """A log on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [RunError("No room for it.", "Make room."), MemoryError(), ZeroDivisionError("x")])
def test_a_run_without_a_log_has_an_end_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    (run,) = submit(store)

    def trains(*_: Any, listener: Recorder, **__: Any) -> TrainingResult:
        listener.epoch(report(0))
        raise error

    monkeypatch.setattr(sys, "stderr", FullLog())
    assert execute(store, run.id, tools=tools(trains)) == 1
    found = store.get(run.id)
    assert found.status is RunStatus.FAILED
    assert found.message
    assert found.hint
    assert len(store.epochs(run.id)) == 1


def test_an_end_without_the_logs_last_lines_is_an_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = submit(store)

    def refuse(_: str) -> str:
        raise StoreError("The store cannot be read.")

    monkeypatch.setattr(store, "log_tail", refuse)
    assert execute(store, run.id, tools=tools(fake_training.broken)) == 1
    assert store.get(run.id).message == "ZeroDivisionError: an example of a fault"


def test_the_sentence_of_a_full_disk(store: Store) -> None:
    fill_disk(store)
    with pytest.raises(StoreError, match="disk is full") as caught:
        submit(store, 200)
    assert caught.value.hint == "Make room on the disk."


def test_an_end_that_cannot_be_written_is_given_up_and_swept(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)

    def trains(*arguments: Any, **options: Any) -> TrainingResult:
        found = fake_training.quick(*arguments, **options)
        with store.database.write() as (session, _):
            session.execute(text("CREATE TRIGGER refuse BEFORE INSERT ON metrics BEGIN SELECT RAISE(FAIL, 'no'); END"))
        return found

    assert execute(store, run.id, tools=tools(trains), insist=0.3) == 1
    assert "this end is not recorded" in capfd.readouterr().err
    # Nothing of the end is there, half an end neither: the sweep will find the process gone, and Resume repeats it.
    assert store.get(run.id).status is RunStatus.RUNNING
    assert store.artifacts(run.id) == ()
