"""Errors a user can mend: one sentence of what and where, one of what to do.

Anything else that escapes the engine is our bug and keeps its full trace.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path


def did_you_mean(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """A hint with those of the ``known`` that are nearest by their letters; empty where none is as like as that."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=likeness)
    return f"Did you mean {', '.join(close)}?" if close else ""


def known_or_meant(name: str, known: Sequence[str]) -> str:
    """The hint for a name that does not exist: those that are close to it, or else all.

    >>> known_or_meant("crp", ["crop", "mask"]), known_or_meant("shout", ["crop", "mask"])
    ('Did you mean crop?', 'Known: crop, mask.')
    """
    return did_you_mean(name, known, 0.5) or f"Known: {', '.join(known)}."


class EngineError(Exception):
    """What went wrong (``message``) and what to do about it (``hint``)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross the process boundary of the warm engine process; the default pickles ``args`` alone.
        return (_rebuild, (type(self), self.__dict__))


def _rebuild(kind: type[EngineError], state: dict[str, object]) -> EngineError:
    error = kind.__new__(kind)
    Exception.__init__(error, state.get("message", ""))
    error.__dict__.update(state)
    return error


class DataError(EngineError):
    """A data file cannot be used: carries the file and, where there is one, the line."""

    def __init__(self, message: str, hint: str = "", *, path: str | Path = "", line: int | None = None) -> None:
        where = f"{path}, line {line:,}: " if line is not None else (f"{path}: " if path else "")
        super().__init__(where + message, hint)
        self.path = str(path)
        self.line = line


class ConfigurationError(EngineError):
    """A value of the configuration is refused; ``field`` is its dotted path."""

    def __init__(self, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message, hint)
        self.field = field


class UsageError(EngineError):
    """The request itself is wrong: no such file, run, item or user. The command line exits with 2."""


class RunError(EngineError):
    """A run cannot be started, stopped, resumed or finished."""


class OutOfMemoryError(RunError):
    """The device's memory ran out; the hint names batch size and length."""


class StoreError(EngineError):
    """The store cannot be opened or written."""
