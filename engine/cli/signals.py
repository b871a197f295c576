"""Being asked to end: SIGTERM (`kill`, Slurm, systemd) and SIGHUP (a closed terminal) do what Ctrl+C does.

Without it such a signal ends the command at once and without a word: the run that it has started goes on, and those
behind it wait in a queue that nobody works off.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

_NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")
_BEYOND = 128
"""A shell tells the end by signal n as exit code 128 + n; so does whoever ends in its own words."""


class Ended(click.exceptions.Exit):
    """The command ends because of a signal, after it has put its things in order."""

    def __init__(self, number: int) -> None:
        super().__init__(_BEYOND + number)
        self.name = signal.Signals(number).name


class Asked:
    """Whether a signal has asked the command to end."""

    number: int | None = None

    @property
    def code(self) -> int:
        """The exit code that tells it; 0 if none has."""
        return 0 if self.number is None else _BEYOND + self.number

    def leave(self) -> None:
        """Raises `Ended` if one has."""
        if self.number is not None:
            raise Ended(self.number)


@contextmanager
def as_ctrl_c() -> Iterator[Asked]:
    """Within it the signals raise ``KeyboardInterrupt``, and `Ended` where that is not caught.

    One that comes again changes nothing: a terminal that closes says so twice. What is ignored stays ignored, or
    `nohup` would be in vain.
    """
    asked = Asked()

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if asked.number is None:
            asked.number = number
            raise KeyboardInterrupt

    previous = {}
    if threading.current_thread() is threading.main_thread():  # no other thread may, nor hears of them
        found = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        heeded = [number for number in found if signal.getsignal(number) is not signal.SIG_IGN]
        previous = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield asked
    except (KeyboardInterrupt, click.Abort):
        asked.leave()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
