"""Changes of marks run one after the other, in the order in which they were made, and are taken back in the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from engine.records import MarksBefore
from tests.helpers.fake_runs import make_record
from workbench.run_marking import RunMarking, _InOrder


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


def test_the_last_change_is_undone_first_whichever_is_told_of_first() -> None:
    told: list[Any] = []
    silent = SimpleNamespace(emit=lambda: None)
    marks: Any = SimpleNamespace(note=None, colour=None, put_back=None)
    context: Any = SimpleNamespace(
        workspace=SimpleNamespace(marks=marks),
        control=SimpleNamespace(changed=silent, report=None),
        run_in_thread=lambda function, *given, on_result, on_error, **rest: told.append((on_result, given)),  # noqa: ARG005
    )
    marking, record = RunMarking(context), make_record("r0001")
    marking.note(record, "good")
    marking.colour([record], 3)
    for place, (done, _) in reversed(list(enumerate(told))):  # the second thread's word comes first
        done(MarksBefore(baselines={"change": str(place)}))
    assert marking.undo_text == "the colour"
    marking.undo()
    marking.undo()
    assert [given[0].baselines["change"] for _, given in told[2:]] == ["1", "0"]
