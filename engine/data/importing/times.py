"""Times of any unit, and dates, as whole seconds since 1970 (UTC)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALES = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
LATEST = 9999
_FAR = 253_402_300_800
"""The first second after the year 9999: beyond it the unit is wrong."""

_HALVES = (" %I:%M:%S %p", " %I:%M %p")
# Tried in this order on what ISO 8601 does not cover.
_FORMATS = {
    "date": (
        *("%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y.%m.%d", "%m %d, %Y", "%b %d, %Y", "%B %d, %Y"),
        *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S %Y"),
    ),
    "day_first": tuple(
        f"%d{sign}%m{sign}%Y{time}" for sign in "/-." for time in ("", " %H:%M", " %H:%M:%S", ", %H:%M:%S", *_HALVES)
    ),
    "month_first": tuple(
        f"%m{sign}%d{sign}%Y{time}" for sign in "/-." for time in ("", " %H:%M", " %H:%M:%S", *_HALVES)
    ),
}


def either_way(seconds: NDArray[np.int64], unit: str) -> str:
    """What to tell of dates, [A], that were read month first though nothing in them says so: no number is above 12.

    >>> dates = np.array(["2020-02-01", "2020-03-12"], dtype="datetime64[s]").astype(np.int64)
    >>> either_way(dates, "month_first")[:56]  # 02/01/2020 and 03/12/2020
    'No day is above 12, so the dates can be read either way:'
    >>> either_way(dates + 86_400, "month_first")  # 02/02/2020 and 03/13/2020
    ''
    """
    if unit != "month_first":
        return ""
    dates = seconds.astype("datetime64[s]").astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day, month = (dates - months).astype(np.int64) + 1, months.astype(np.int64) % 12 + 1
    if np.any(day > 12) or np.all(day == month):
        return ""
    return (
        "No day is above 12, so the dates can be read either way: they are read month first. If the day comes first, "
        "choose --time-unit day_first."
    )


def seconds_of(column: Any, unit: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds since 1970 of an Arrow array of text, numbers or times, [R], and where there is none."""
    import pyarrow as pa

    from engine.data.importing.columns import floats

    if pa.types.is_temporal(column.type):
        return _from_arrow(column)
    if unit not in SCALES:
        return _from_dates(column, unit)
    values = floats(column) / SCALES[unit]
    wrong = ~(np.abs(values) < _FAR)  # NaN is wrong too
    return np.floor(np.where(wrong, 0, values)).astype(np.int64), wrong


def _from_arrow(column: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    import pyarrow as pa

    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"), safe=False)
    elif not pa.types.is_timestamp(column.type):
        return np.zeros(len(column), dtype=np.int64), np.ones(len(column), dtype=bool)
    wrong = column.is_null().to_numpy(zero_copy_only=False)
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    whole = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.floor_divide(whole, scale), wrong


def _from_dates(column: Any, unit: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Each date is parsed once: files have few different ones."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    seconds = np.append(_parsed(column.dictionary.to_pylist(), unit), np.nan)
    places = column.indices.fill_null(len(seconds) - 1).to_numpy(zero_copy_only=False)
    found = seconds[places]
    wrong = ~np.isfinite(found)
    return np.floor(np.where(wrong, 0, found)).astype(np.int64), wrong


def _parsed(dates: list[str], unit: str) -> NDArray[np.float64]:
    import pandas as pd

    text = pd.Series(dates, dtype=object).str.strip() if dates else pd.Series([], dtype=object)
    left = np.full(len(dates), np.nan)
    for form in ("ISO8601", *_FORMATS[unit]):
        todo = np.flatnonzero(np.isnan(left))
        if not len(todo):
            break
        found = pd.to_datetime(text.iloc[todo], format=form, errors="coerce", utc=True)
        is_found = found.notna().to_numpy()
        whole = found[is_found].dt.as_unit("s").astype("int64").to_numpy()
        left[todo[is_found]] = whole
    return left
