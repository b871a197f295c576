"""Changes of marks run one after the other, in the order in which they were made."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from workbench.run_marking import _InOrder


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
