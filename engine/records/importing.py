"""Records of an import: what a file shows, what a recipe leaves, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GUESS = ""
"""Value of a recipe's column or file that is guessed."""
NO_COLUMN = "-"
"""Value of a recipe's column or file that is not used although there is one."""


@dataclass(frozen=True)
class ImportColumn:
    """A column of a file before it is imported; ``kind`` is integer, number, date, text or empty."""

    name: str
    kind: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ImportLook:
    """What the beginning of a file shows: its columns, its first rows, and the recipe with every guess filled in."""

    path: str
    size: int
    columns: tuple[ImportColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    recipe: Mapping[str, Any]
    label: str
    """The format in words."""
    problem: str = ""
    """Why it cannot be imported with this recipe, in one sentence; empty when it can."""
    title: str = ""
    """The file's own column of titles; empty where titles come from elsewhere, or there are none."""
    notes: tuple[str, ...] = ()
    """What a user should know of the guesses, a sentence each."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used: its line in the file, from 1 (its row, in formats without lines), and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class ImportStage:
    """What is left after one step of the preprocessing."""

    name: str
    label: str
    users: int
    items: int
    actions: int


@dataclass(frozen=True)
class ImportReport:
    """What an import read, dropped and keeps. ``bad_rows`` are the first thousand of ``bad_count``, and ``bad_titles``
    of ``bad_title_count``: rows that are used, only their title in the data's own column cannot be read."""

    rows: int
    bad_count: int
    bad_rows: tuple[BadRow, ...]
    stages: tuple[ImportStage, ...]
    core_rounds: int
    tied: int
    """Actions that share their time with the user's action before: their order is the recipe's ``ties``."""
    too_short: int
    """Users left with fewer than 4 actions: the protocol evaluates and trains on the others (FACTS F1)."""
    titled: int
    """Items left that have a title."""
    notes: tuple[str, ...]
    """What a user should know of it, a sentence each."""
    lines_are: str = "line"
    """``line`` or ``row``: what the numbers of bad rows count."""
    bad_title_count: int = 0
    bad_titles: tuple[BadRow, ...] = ()

    @property
    def kept(self) -> ImportStage:
        """The last stage."""
        return self.stages[-1]


@dataclass(frozen=True)
class ImportProgress:
    """How far an import is: ``share`` 0…1 of the phase that is named, seconds left where they can be told."""

    phase: str
    share: float
    seconds_left: float | None


@dataclass(frozen=True)
class ImportResult:
    """An imported data set: ``path`` is what every page and command opens. ``is_new`` is False when it was there."""

    path: str
    name: str
    fingerprint: str
    recipe: Mapping[str, Any]
    report: ImportReport
    is_new: bool
