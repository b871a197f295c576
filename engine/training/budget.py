"""A run's time: how many seconds it has trained, over all its attempts, and whether that is as long as it may.

What counts is the wall clock from before the neighbours are counted to the end of an epoch's validation, of every
attempt, less what an attempt has trained past its last checkpoint and lost. The test at the end does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """``minutes`` 0: there is no limit. The clock, in seconds, can be another one in tests."""

    def __init__(self, minutes: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = 60.0 * minutes if minutes > 0 else float("inf")
        self._clock = clock
        self._before = 0.0
        self._began: float | None = None
        self._ended: float | None = None

    def begin(self) -> None:
        """The clock runs from now on."""
        self._began, self._ended = self._clock(), None

    def end(self) -> None:
        """Training is over: what follows does not count."""
        self._ended = self._clock()

    def restore(self, seconds: float) -> None:
        """Go on after ``seconds`` of earlier attempts, with the clock at now: what this attempt has made anew, the
        first one has paid for."""
        self._before = seconds
        self.begin()

    @property
    def spent(self) -> float:
        """Seconds."""
        if self._began is None:
            return self._before
        return self._before + (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def is_spent(self) -> bool:
        """Whether the run has had all its time."""
        return self.spent >= self.limit
