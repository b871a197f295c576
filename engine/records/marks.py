"""What people add to runs after the fact: names, tags, notes, colours, stars, shelves; and the order of the queue.

None of it is part of a run: a finished run never changes but for its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LONGEST_NAME = 120
"""Characters of a run's name that is given later."""


class Shelf(StrEnum):
    """Where a run is kept: among the others, out of sight, or on its way out."""

    SHOWN = "shown"
    ARCHIVED = "archived"
    TRASHED = "trashed"


@dataclass(frozen=True)
class RunMarks:
    """One run's marks. ``number`` counts the workspace's runs from 0 and is never given twice: the look follows it."""

    run_id: str
    number: int
    note: str = ""
    colour: int | None = None
    """Place in the theme's series that was chosen for it; None: the run's number decides."""
    shelf: Shelf = Shelf.SHOWN
    shelved_at: datetime | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarksBefore:
    """How marks stood before a change, so that it can be undone: ``baselines`` maps data fingerprint → run or None,
    ``names`` run → what the store called it."""

    marks: tuple[RunMarks, ...] = ()
    baselines: Mapping[str, str | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class QueueState:
    """Whether the queue starts runs, how many at once by device (1 where nothing is said), and its order."""

    is_paused: bool = False
    at_once: Mapping[str, int] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    """Queued runs in the order in which they will start."""


@dataclass(frozen=True)
class MarksNews:
    """What is new of marks and queue since a reader's last look; None where nothing is."""

    marks: tuple[RunMarks, ...] = ()
    purged: frozenset[str] = frozenset()
    """Runs that are gone for good."""
    baselines: Mapping[str, str] | None = None
    """Data fingerprint → id of the starred run."""
    queue: QueueState | None = None


@dataclass(frozen=True)
class UsageSample:
    """What a run's process used at one moment. Shares are 0…1, memory is bytes; None where it cannot be told."""

    run_id: str
    attempt: int
    sequence: int
    at: datetime
    processor: float
    """Share of all cores of the machine."""
    memory: int
    """The process and its children, resident."""
    memory_free: int
    """What the machine has left."""
    gpu: float | None
    gpu_memory: int | None
    """What this process holds on the accelerator."""
