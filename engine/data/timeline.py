"""When the actions of a data set happened, in bins of the calendar (UTC), and what leave-one-out makes of time.

Leave-one-out holds out each user's last items whenever they were: one user's test target may be years older than what
another is trained on. `Timeline.training_after` says how much of the training part that is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.data.dataset import Dataset
from engine.data.sequences import Sequences, ascending
from engine.data.splits import LeaveOneOut
from engine.records import Timeline

MOST_BINS = 240
_DAY = 86400
_UNITS = ("hour", "day", "week", "month", "quarter", "year")


def timeline(dataset: Dataset) -> Timeline | None:
    """The actions over time in the narrowest bins that are at most `MOST_BINS`; None without times or actions."""
    times = dataset.times
    if times is None or not len(times):
        return None
    first, last = int(times.min()), int(times.max())
    unit, years = _unit(first, last)
    bins = _bin_of(times, unit, years)
    low = int(bins.min())
    count = int(bins.max()) - low + 1
    sequences = dataset.sequences
    parts = _parts(sequences)
    pairs = ascending(sequences.owners * count + (bins - low))
    test = times[parts == 2]
    later = float((times[parts == 0] > np.median(test)).mean()) if len(test) else 0.0

    def counted(which: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        return np.bincount(bins[which] - low, minlength=count).astype(np.int64)

    return Timeline(
        unit=unit if years == 1 else f"{years} years",
        starts=_start_of(np.arange(low, low + count), unit, years),
        actions=counted(slice(None)),
        valid_targets=counted(parts == 1),
        test_targets=counted(parts == 2),
        users=np.bincount(pairs % count, minlength=count).astype(np.int64),
        first=first,
        last=last,
        unordered_users=_unordered(sequences, times),
        training_after=later,
    )


def _unit(first: int, last: int) -> tuple[str, int]:
    """The narrowest unit that needs at most `MOST_BINS`; years are taken several together where there are too many."""
    ends = np.array([first, last], dtype=np.int64)
    for unit in _UNITS:
        low, high = _bin_of(ends, unit, 1).tolist()
        if high - low < MOST_BINS:
            return unit, 1
    return "year", -(-(high - low + 1) // MOST_BINS) + 1


def _bin_of(times: NDArray[np.int64], unit: str, years: int) -> NDArray[np.int64]:
    """Number of the bin of each time; weeks begin on Monday."""
    if unit in ("hour", "day"):
        return times // (3600 if unit == "hour" else _DAY)
    if unit == "week":
        return (times // _DAY + 3) // 7
    months = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return months // {"month": 1, "quarter": 3, "year": 12 * years}[unit]


def _start_of(bins: NDArray[np.int64], unit: str, years: int) -> NDArray[np.int64]:
    """Seconds since 1970 at which each bin begins."""
    if unit in ("hour", "day"):
        return bins * (3600 if unit == "hour" else _DAY)
    if unit == "week":
        return (bins * 7 - 3) * _DAY
    months = bins * {"month": 1, "quarter": 3, "year": 12 * years}[unit]
    return months.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)


def _parts(sequences: Sequences) -> NDArray[np.int8]:
    """0 training part, 1 validation target, 2 test target, for each action [A]."""
    parts = np.zeros(len(sequences.items), dtype=np.int8)
    ends = sequences.offsets[1:][LeaveOneOut(sequences).users]
    parts[ends - 2] = 1
    parts[ends - 1] = 2
    return parts


def _unordered(sequences: Sequences, times: NDArray[np.int64]) -> int:
    """Users with an action that is earlier than the one before it."""
    owners = sequences.owners
    goes_back = (np.diff(times) < 0) & (owners[1:] == owners[:-1])
    return len(ascending(owners[1:][goes_back]))
