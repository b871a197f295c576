"""Python's search for garbage: off while much is being made, on again afterwards, and never over what stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from workbench import garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()


def test_put_off_and_gone_on_with() -> None:
    garbage.put_off()
    assert not gc.isenabled()
    garbage.go_on()
    assert gc.isenabled()


def test_what_is_kept_is_not_walked_again() -> None:
    held = [[number] for number in range(1000)]
    garbage.keep()
    walked = {id(item) for item in gc.get_objects()}
    assert not any(id(item) in walked for item in held)
    fresh = [held]
    assert id(fresh) in {id(item) for item in gc.get_objects()}


def test_what_nobody_refers_to_is_freed_all_the_same() -> None:
    class Thing:
        gone = 0

        def __del__(self) -> None:
            Thing.gone += 1

    thing = Thing()
    garbage.keep()
    del thing
    assert Thing.gone == 1
