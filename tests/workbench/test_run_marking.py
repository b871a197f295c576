"""Changes of marks run one after the other, in the order in which they were made, and are taken back in the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import RunError
from engine.records import MarksBefore
from tests.helpers.fake_runs import make_record
from workbench.context import Context
from workbench.run_marking import MOST_UNDONE, RunMarking, _InOrder


def test_calls_run_in_their_order_whichever_thread_takes_them_first() -> None:
    in_order, said = _InOrder(), []
    calls = [in_order(said.append) for _ in range(3)]
    begun = threading.Barrier(3)

    def run(number: int) -> None:
        begun.wait(10)
        calls[number](number)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(run, (2, 1, 0)))
    assert said == [0, 1, 2]


def test_one_that_fails_lets_the_next_go_on() -> None:
    in_order, said = _InOrder(), []
    first, second = in_order(lambda: 1 / 0), in_order(said.append)
    with ThreadPoolExecutor(2) as threads:
        later, earlier = threads.submit(second, "second"), threads.submit(first)
        assert isinstance(earlier.exception(10), ZeroDivisionError)
        later.result(10)
    assert said == ["second"]


class _Threads:
    """Stands for the window's context and its store: threads run and tell of it when the test says so."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.told: list[str] = []
        self.waiting: list[Callable[[], None]] = []
        self.workspace = SimpleNamespace(marks=self)
        self.control = SimpleNamespace(
            changed=SimpleNamespace(emit=lambda: None), report=lambda e: self.told.append(str(e))
        )
        self.notifier = SimpleNamespace(tell=self.told.append)

    def note(self, run_id: str, text: str) -> MarksBefore:
        if text == "refused":
            raise RunError("The store refuses.")
        self.done.append(text)
        return MarksBefore(baselines={run_id: f"before {text}"})

    def put_back(self, before: MarksBefore) -> None:
        self.done += [str(was) for was in before.baselines.values()]

    def run_in_thread(self, function: Any, *, on_result: Any, on_error: Any) -> None:
        def run() -> None:
            try:
                result = function()
            except RunError as error:
                on_error(error)
            else:
                on_result(result)

        self.waiting.append(run)

    def run_all(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


@pytest.fixture
def threads() -> _Threads:
    return _Threads()


@pytest.fixture
def marking(threads: _Threads) -> RunMarking:
    return RunMarking(cast("Context", threads))


def test_a_change_can_be_undone_before_it_has_been_made(marking: RunMarking, threads: _Threads) -> None:
    """Ctrl+Z right behind a change is meant for that one, never for the one before."""
    record = make_record("r0001")
    marking.note(record, "first")
    threads.run_all()
    marking.note(record, "second")
    assert marking.undo_text == "the note"
    marking.undo()
    threads.run_all()
    assert threads.done == ["first", "second", "before second"]
    assert threads.told == ["Undone: the note."]
    marking.undo()
    threads.run_all()
    assert threads.done[-1] == "before first"
    assert marking.undo_text == ""


@pytest.mark.parametrize("is_undone_at_once", [False, True])
def test_a_change_that_the_store_refuses_is_told_once_and_cannot_be_undone(
    marking: RunMarking, threads: _Threads, is_undone_at_once: bool
) -> None:
    record = make_record("r0001")
    marking.note(record, "first")
    threads.run_all()
    marking.note(record, "refused")
    if is_undone_at_once:
        marking.undo()
    threads.run_all()
    assert threads.told == ["The store refuses."]
    assert marking.undo_text == "the note"
    marking.undo()
    threads.run_all()
    assert threads.done == ["first", "before first"]
    assert marking.undo_text == ""


def test_only_so_many_changes_are_kept(marking: RunMarking, threads: _Threads) -> None:
    for number in range(MOST_UNDONE + 2):
        marking.note(make_record("r0001"), str(number))
    threads.run_all()
    while marking.undo_text:
        marking.undo()
    threads.run_all()
    assert threads.done[-1] == "before 2"
