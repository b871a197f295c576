"""How far an import is: phases with their shares, and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.records import ImportProgress

OnProgress = Callable[[ImportProgress], None]
EVERY = 0.1
"""Seconds between two reports of one phase."""


class Progress:
    """Turns shares of a phase into reports, a few a second. Reading takes most of the time, so time left is told there,
    with ``after`` as the time that the rest takes in proportion to the reading."""

    def __init__(self, on_progress: OnProgress | None = None, *, after: float = 0.35) -> None:
        self._on_progress = on_progress
        self._after = after
        self._phase = ""
        self._began = self._last = 0.0

    def phase(self, name: str) -> None:
        """Begin the next phase."""
        self._phase = name
        self._began = time.monotonic()
        self._last = 0.0
        self.share(0.0)

    def share(self, share: float) -> None:
        """How much of the phase is done, 0…1."""
        now = time.monotonic()
        if self._on_progress is None or (now - self._last < EVERY and share < 1):
            return
        self._last = now
        passed = now - self._began
        left = passed / share * (1 - share + self._after) if share > 0.02 and passed > 0.5 else None
        self._on_progress(ImportProgress(self._phase, share, left))
