"""The small language of a table's filter: words that a row must contain, and comparisons of its columns.

``tent users>=20 repeats=0``: every part must hold. A part ``name<op>value`` compares the column of that name with a
number (``yes`` and ``no`` are 1 and 0, a date like 2014-03-31 its first second in UTC); any other part is looked for in
the columns of text, whatever the letter case.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OPERATORS: Mapping[str, Callable[[Any, float], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"^([^\W\d][\w@./-]*)(<=|>=|!=|=|<|>)(.*)$")
_WORDS = {"yes": 1.0, "no": 0.0}


class QueryError(ValueError):
    """The filter's text cannot be understood; the sentence says which part of it."""


@dataclass(frozen=True)
class Comparison:
    """``column`` ``sign`` ``value``."""

    column: str
    sign: str
    value: float


@dataclass(frozen=True)
class Query:
    """Words and comparisons; all must hold."""

    words: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


def parse(text: str, names: Sequence[str]) -> Query:
    """The query that ``text`` is over columns with these names. Raises `QueryError`.

    >>> parse("Tent users>=20", ["users"])
    Query(words=('Tent',), comparisons=(Comparison(column='users', sign='>=', value=20.0),))
    """
    words: list[str] = []
    comparisons: list[Comparison] = []
    # Spaces around a sign belong to the comparison: ``length > 3``.
    for part in re.sub(r"(?<=\w)\s*(<=|>=|!=|=|<|>)\s*(?=[\w.+-]|$)", r"\1", text).split():
        match = _COMPARISON.match(part)
        if match is None:
            words.append(part)
        else:
            comparisons.append(_comparison(match[1], match[2], match[3], names))
    return Query(tuple(words), tuple(comparisons))


def _comparison(name: str, sign: str, value: str, names: Sequence[str]) -> Comparison:
    if name.casefold() not in names:
        raise QueryError(f"There is no column '{name}'. Columns: {', '.join(names)}.")
    if not value:
        raise QueryError(f"A number is missing after '{name}{sign}'.")
    try:
        number = _number(value.casefold())
    except ValueError:
        raise QueryError(f"'{value}' is not a number: write e.g. {name}{sign}10.") from None
    return Comparison(name.casefold(), sign, number)


def _number(value: str) -> float:
    """Raises ``ValueError``."""
    if value in _WORDS:
        return _WORDS[value]
    if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", value):
        return datetime.fromisoformat(value if len(value) > 7 else f"{value}-01").replace(tzinfo=UTC).timestamp()
    return float(value.replace(",", ""))
