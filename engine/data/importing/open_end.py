"""Rows whose last column takes the rest of the line, separators too: titles without the quotes that they need.

Most are put right all at once, before Arrow's parser sees them; a row with quotes in it is read by itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

_STAND_IN = b"\x1e"
_BREAK, _QUOTE = b'\n"'


def closed(text: bytes, separator: bytes, columns: int, *, quoted: bool) -> bytes:
    r"""``text`` with a stand-in for the separators that belong to the last of the ``columns``.

    Every line is a row and ends in a line break; lines with quotes are left as they are, and ``separator`` is one byte.

    >>> closed(b'1,a, b\n2,c\n3,"d, e"\n', b",", 2, quoted=True)
    b'1,a\x1e b\n2,c\n3,"d, e"\n'
    """
    if _STAND_IN in text:
        return text
    data = np.frombuffer(text, dtype=np.uint8)
    signs, breaks = np.flatnonzero(data == separator[0]), np.flatnonzero(data == _BREAK)
    ends = np.searchsorted(signs, breaks)  # of each line's separators, among all
    counts = np.diff(ends, prepend=0)
    is_long = counts >= columns
    if quoted and is_long.any():
        is_long[np.searchsorted(breaks, np.flatnonzero(data == _QUOTE))] = False
    if not is_long.any():
        return text
    place_in_line = np.arange(len(signs)) - np.repeat(ends - counts, counts)
    made = data.copy()
    made[signs[(place_in_line >= columns - 1) & np.repeat(is_long, counts)]] = _STAND_IN[0]
    return made.tobytes()


def opened(column: Any, separator: str) -> Any:
    """The last column of what `closed` has made, as it stands in the file; separators at its end say nothing."""
    import pyarrow.compute as pc

    sign = _STAND_IN.decode()
    return pc.replace_substring(pc.replace_substring_regex(column, rf"[{sign}\s]*{sign}\s*$", ""), sign, separator)


def values_of(text: str, separator: str, columns: int, *, quoted: bool, between: str) -> list[str] | None:
    """The values of a row that has too many, the last one up to the line's end; None where it has too few.

    ``between`` is what the file has in the place of ``separator``.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        values = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting), [])
    except csv.Error:  # a value that no reader takes, as one of megabytes
        return None
    if len(values) < columns:
        return None
    while len(values) > columns and not values[-1].strip():
        values.pop()
    return [*values[: columns - 1], between.join(values[columns - 1 :])]


def with_rows(table: Any, rows: Mapping[int, list[str]], left_out: Sequence[int], names: Sequence[str]) -> Any:
    """``table`` with ``rows``, by their numbers from 1, in their places; those ``left_out`` stay out."""
    import pyarrow as pa

    columns = {
        name: pa.array([values[names.index(name)] for values in rows.values()], pa.string())
        for name in table.column_names
    }
    numbers = np.arange(1, table.num_rows + len(rows) + len(left_out) + 1)
    order = np.argsort(np.concatenate([np.setdiff1d(numbers, [*rows, *left_out]), [*rows]]), kind="stable")
    return pa.concat_tables([table, pa.table(columns)]).take(order)
