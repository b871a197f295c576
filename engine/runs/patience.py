"""Bearing with a store in trouble: a full disk or a lock holds up no run, so it should hold up nobody who watches."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.errors import StoreError

TROUBLE_SECONDS = 600.0
"""How long it is borne with where nothing trains that would be left alone."""


def lives(poll: Callable[[], int | None]) -> bool:
    """Whether a started process lives, by its ``poll``, which asks the store for nothing while it does."""
    try:
        return poll() is None
    except StoreError:
        return False  # it has ended, and that could not be written


class Patience:
    """One trouble after the other, each told once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._is_troubled = False
        self._heard = time.monotonic()

    def is_over(self) -> None:
        """The store has answered."""
        self._is_troubled = False
        self._heard = time.monotonic()

    def bear(self, error: StoreError, *, trains: bool) -> None:
        """Tell it, if it is new; raises it when it has lasted for long and nothing ``trains``."""
        if trains:
            self._heard = time.monotonic()
        if time.monotonic() - self._heard > TROUBLE_SECONDS:
            raise error
        if not self._is_troubled:
            self._is_troubled = True
            self._tell(f"{error} What trains goes on, and is followed again when the store answers.")
