"""Runs along parallel axes, one a setting, the last the metric: where each value stands, for the window and for files.

Numbers stand between the least and the greatest, by their logarithm where they span two powers of ten or more; other
values stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDE = 100.0
"""From this ratio of the greatest to the least on, numbers stand by their logarithm."""
MOST_NAMED = 8
"""Values of an axis that are all written beside it; of more, the least and the greatest."""
NEAREST = 0.05
"""Of an axis: ticks nearer to each other than this would be written upon each other."""


@dataclass(frozen=True)
class ParallelRun:
    """One run through all axes: ``values`` are those of the settings, None where it lacks one or does not read it;
    ``y`` is the metric, ``family`` the same for runs of one preset and model."""

    run_id: str
    name: str
    values: tuple[Any, ...]
    y: float
    family: str = ""


@dataclass(frozen=True, eq=False)
class ParallelAxis:
    """``places`` [R] of the runs' values from 0, below, to 1; ``ticks`` are places with what stands there."""

    name: str
    places: NDArray[np.float64]
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False


@dataclass(frozen=True)
class ParallelRuns:
    """R runs by the settings in which they differ, and one metric: what a grid is looked at by."""

    fields: tuple[str, ...]
    metric: str
    split: str
    runs: tuple[ParallelRun, ...]

    def told_by_most(self, most: int) -> tuple[str, ...]:
        """The ``most`` fields that the most runs have a value of, in their order: runs of several models have little
        in common. Of two as common ones that which differs within a family: it is a grid's own."""
        chosen = sorted(range(len(self.fields)), key=lambda place: (self._missing(place), not self._varies(place)))
        return tuple(self.fields[place] for place in sorted(chosen[:most]))

    def _missing(self, place: int) -> int:
        return sum(run.values[place] is None for run in self.runs)

    def _varies(self, place: int) -> bool:
        """Whether two runs of one family have different values of the field."""
        first: dict[str, Any] = {}
        told = [run for run in self.runs if run.values[place] is not None]
        return any(first.setdefault(run.family, run.values[place]) != run.values[place] for run in told)

    def axes(self, shown: Sequence[str] = ()) -> tuple[ParallelAxis, ...]:
        """The axes of the fields ``shown`` (all, if empty) in their order, and last that of the metric."""
        fields = [name for name in self.fields if not shown or name in shown]
        made = [axis_of(name, [run.values[self.fields.index(name)] for run in self.runs]) for name in fields]
        return (*made, axis_of(f"{self.split} {self.metric}", [run.y for run in self.runs]))


def axis_of(name: str, values: Sequence[Any]) -> ParallelAxis:
    """The axis of one column of values; what a run lacks stands below all others, as ``–``."""
    given = [value for value in values if value is not None]
    if given and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given):
        return _of_numbers(name, values, sorted(set(given)))
    names = sorted({_text(value) for value in values}, key=lambda text: (text != "–", text))
    step = 1 / max(len(names) - 1, 1)
    where = {text: (place * step if len(names) > 1 else 0.5) for place, text in enumerate(names)}
    ticks = tuple(_apart([(place, text) for text, place in where.items()]))
    return ParallelAxis(name, np.array([where[_text(value)] for value in values]), ticks)


def _of_numbers(name: str, values: Sequence[Any], given: Sequence[float]) -> ParallelAxis:
    low, high = float(given[0]), float(given[-1])
    # Products and differences: the ratio of the greatest to a tiny least is too large for a number.
    is_log = low > 0 and high >= WIDE * low
    lacks = any(value is None for value in values)
    floor = 0.15 if lacks else 0.0

    def place(value: float) -> float:
        if high == low:
            return 0.5
        if is_log:
            share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        else:
            share = (value - low) / (high - low)
        return floor + (1 - floor) * share

    places = np.array([0.0 if value is None else place(float(value)) for value in values])
    named = given if len(given) <= MOST_NAMED else (given[0], given[-1])
    ticks = _apart([(place(float(value)), _text(value)) for value in named])
    return ParallelAxis(name, places, tuple(([(0.0, "–")] if lacks else []) + ticks), is_log)


def _apart(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The ticks without those that would stand upon another; the lowest and the highest stay."""
    kept = ticks[:1]
    for tick in ticks[1:-1]:
        if tick[0] - kept[-1][0] >= NEAREST and ticks[-1][0] - tick[0] >= NEAREST:
            kept.append(tick)
    return kept + ticks[1:][-1:]


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
