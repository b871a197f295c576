"""What the table of runs must know of a run again and again: its name, what a filter looks into, its group.

Made once a run where possible, off the GUI thread: with ten thousand runs, naming them all takes most of a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.config.filtering import record_text
from engine.config.grouping import group_key, seed_of
from engine.records import RunRecord
from workbench.run_names import run_name


@dataclass(frozen=True, slots=True)
class RunLine:
    """``text`` is what a filter's words look into, but for the marks, which change later; ``group`` is the same for
    runs on the same data that differ in their seed alone, ``seed`` is None where a seed changes nothing."""

    record: RunRecord
    name: str
    text: str
    group: int
    seed: int | None


def make_line(record: RunRecord, before: RunLine | None = None) -> RunLine:
    """The run's line; what has not changed of a run is taken from its line before."""
    if before is not None and before.record.name == record.name and before.record.config == record.config:
        if before.record.status is record.status:
            return replace(before, record=record)
        return replace(before, record=record, text=record_text(record, before.name))
    name = run_name(record)
    group = hash((record.fingerprint, group_key(record.config)))
    return RunLine(record, name, record_text(record, name), group, seed_of(record))
