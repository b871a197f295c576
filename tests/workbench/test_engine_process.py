"""Background work: answers on the GUI thread, the newest answer only, Cancel kills."""

from __future__ import annotations

import os
import threading
import time

import pytest
from pytestqt.qtbot import QtBot

from engine.errors import DataError
from workbench.engine_process import EngineProcess, Errands


def refuse(path: str) -> None:
    raise DataError("is empty.", "Choose another.", path=path, line=3)


def die() -> None:
    os._exit(3)


def block_for_ever() -> None:
    threading.Event().wait()


@pytest.fixture
def process(qtbot: QtBot) -> EngineProcess:
    made = EngineProcess()
    yield made
    made.close()


def test_the_result_comes_to_the_gui_thread_from_another_process(qtbot: QtBot, process: EngineProcess) -> None:
    got: list[tuple[int, threading.Thread]] = []
    process.run(os.getpid, on_result=lambda pid: got.append((pid, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(got), timeout=20_000)
    assert got[0][0] != os.getpid()
    assert got[0][1] is threading.main_thread()
    assert not process.is_busy


def test_an_engine_error_keeps_its_words_across_the_process(qtbot: QtBot, process: EngineProcess) -> None:
    got: list[BaseException] = []
    process.run(refuse, "a.txt", on_error=got.append)
    qtbot.waitUntil(lambda: bool(got), timeout=20_000)
    assert isinstance(got[0], DataError)
    assert str(got[0]) == "a.txt, line 3: is empty. Choose another."


def test_cancel_kills_the_process_and_the_next_task_gets_a_new_one(qtbot: QtBot, process: EngineProcess) -> None:
    called: list[object] = []
    task = process.run(block_for_ever, on_result=called.append, on_error=called.append)
    qtbot.waitUntil(lambda: process.pid is not None)
    first = process.pid
    pids: list[int] = []
    process.run(os.getpid, on_result=pids.append)
    task.cancel()
    qtbot.waitUntil(lambda: bool(pids), timeout=20_000)
    assert task.state == "cancelled"
    assert called == []
    assert pids[0] != first


def test_a_helper_that_dies_is_an_error_and_is_replaced(qtbot: QtBot, process: EngineProcess) -> None:
    got: list[BaseException] = []
    pids: list[int] = []
    process.run(die, on_error=got.append)
    process.run(os.getpid, on_result=pids.append)
    qtbot.waitUntil(lambda: bool(pids), timeout=20_000)
    assert "ended unexpectedly" in str(got[0])


def test_only_the_newest_answer_of_a_key_arrives(qtbot: QtBot) -> None:
    errands = Errands()
    gate = threading.Event()
    got: list[str] = []

    def slow(text: str) -> str:
        gate.wait(10)
        return text

    tasks = [errands.run(slow, text, key="search", on_result=got.append) for text in ("a", "ab", "abc")]
    gate.set()
    qtbot.waitUntil(lambda: not errands.is_busy)
    assert got == ["abc"]
    assert [task.state for task in tasks] == ["cancelled", "cancelled", "done"]
    errands.close()


def test_an_error_nobody_takes_is_announced(qtbot: QtBot) -> None:
    errands = Errands()
    with qtbot.waitSignal(errands.failed) as blocker:
        errands.run(refuse, "b.txt")
    assert isinstance(blocker.args[0], DataError)
    errands.close()


def test_nothing_is_called_after_close(qtbot: QtBot) -> None:
    errands = Errands()
    got: list[float] = []
    errands.run(time.monotonic, on_result=got.append)
    errands.close()
    qtbot.wait(20)
    assert got == []
    assert errands.run(time.monotonic, on_result=got.append).state == "cancelled"
