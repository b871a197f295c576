"""Where rows begin in text whose values may stand in double quotes, and may have line breaks in them.

A quote counts where it opens a value, that is, at the value's start; elsewhere it is a sign like any other (40" TV).
Inside, two quotes stand for one. What follows the closing quote up to the separator belongs to the value. That is how
Arrow's parser reads, so that each row it gives back has its line here.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

_BREAK, _RETURN, _QUOTE = b'\n\r"'


def row_starts(text: bytes, separator: bytes) -> tuple[NDArray[np.int64], int]:
    """The lines, counted from 0, that rows begin on, and how many bytes the rows take that end: all of ``text``, or
    less where the last row is still open. Every line of ``text`` ends in a line break; ``separator`` is one byte."""
    data = np.frombuffer(text, dtype=np.uint8)
    breaks = np.flatnonzero(data == _BREAK)
    doubtful = _doubtful_lines(data, breaks, separator[0])
    inside = np.zeros(len(breaks), dtype=bool)
    begins = np.concatenate([[0], breaks[:-1] + 1]) if len(breaks) else breaks
    row, next_line = _row(separator), 0
    for line in doubtful.tolist():
        if line < next_line:
            continue  # within the row before
        found = row.match(text, int(begins[line]))
        if found is None:
            inside[line + 1 :] = True
            return np.flatnonzero(~inside), int(begins[line])
        next_line = int(np.searchsorted(breaks, found.end()))  # the breaks before the row's end
        inside[line + 1 : next_line] = True
    return np.flatnonzero(~inside), len(text)


def _doubtful_lines(data: NDArray[np.uint8], breaks: NDArray[np.int64], separator: int) -> NDArray[np.int64]:
    """Lines that have quotes which do not simply stand around whole values: those are read sign by sign."""
    quotes = np.flatnonzero(data == _QUOTE)
    if not len(quotes):
        return quotes
    edge = np.zeros(256, dtype=bool)
    edge[[separator, _BREAK, _RETURN]] = True
    opens = edge[data[quotes - 1]] | (quotes == 0)
    closes = edge[data[np.minimum(quotes + 1, len(data) - 1)]]
    line = np.searchsorted(breaks, quotes)
    first = np.searchsorted(line, line)  # of the quote's line, among all quotes
    is_first_of_two = (np.arange(len(quotes)) - first) % 2 == 0
    simple = np.where(is_first_of_two, opens & ~closes, closes & ~opens)
    counts = np.bincount(line, minlength=len(breaks))
    simple_counts = np.bincount(line, weights=simple, minlength=len(breaks))
    return np.flatnonzero((counts % 2 == 1) | (simple_counts < counts))


@cache
def _row(separator: bytes) -> re.Pattern[bytes]:
    """One row with its line break. Possessive: what is between quotes is not given back to be read as plain text."""
    sign = re.escape(separator)
    rest = rb"[^" + sign + rb"\n]*+"
    value = rb'(?>"[^"]*+(?:""[^"]*+)*+"' + rest + rb'|(?!")' + rest + rb")"
    return re.compile(value + rb"(?:" + sign + value + rb")*+\n")
