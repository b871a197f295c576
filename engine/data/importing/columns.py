"""Raw columns become codes and numbers, a block at a time; what cannot be used is told with its line.

Memory: 8 bytes an action, 4 more with ratings and 8 with times, and every id once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.importing import ImportRecipe
from engine.data.importing.source import Block
from engine.data.importing.times import LATEST, seconds_of
from engine.records import NO_COLUMN, BadRow

LONGEST_ID = 100
"""Characters of an id. A longer one is a damaged row or a text in the wrong column."""
LISTED = 1000
"""Bad rows that are listed; all are counted."""

_MISSING = frozenset({"", "nan", "null", "none", "<na>", "\\n"})
_IS_MISSING, _IS_LONG, _IS_BROKEN = -1, -2, -3
_MERGED = 500_000
_NUMBERED_DATE = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d{1,3},\d{1,2}\s*\Z")


class Ids:
    """Ids of users or items, numbered in the order in which they first appear.

    A block's different ids are few beside its rows; they are told apart by Arrow, and blocks are merged when as many
    have come together as are known already, so that every id is looked up a few times in all.
    """

    def __init__(self) -> None:
        self._known: Any = None
        self._waiting: list[tuple[NDArray[np.int32], Any]] = []
        self._waits = 0
        self._codes: list[NDArray[np.int32]] = []

    @staticmethod
    def told_apart(column: Any) -> tuple[NDArray[np.int32], Any, NDArray[np.int8]]:
        """A column [R] as places in a list of ids, that list (an Arrow array), and [R] below 0 where a row has none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_dictionary(column.type):
            if pa.types.is_floating(column.type):
                column = _whole_numbers(column)
            column = column.cast(pa.string()).dictionary_encode()
        values = pc.utf8_trim_whitespace(pc.fill_null(column.dictionary.cast(pa.string()), ""))
        wrong = np.zeros(len(values) + 1, dtype=np.int8)
        wrong[-1] = _IS_MISSING
        for mask, kind in (
            (pc.invert(pc.utf8_is_printable(values)), _IS_BROKEN),
            (pc.greater(pc.utf8_length(values), LONGEST_ID), _IS_LONG),
            (pc.is_in(pc.utf8_lower(values), pa.array(sorted(_MISSING))), _IS_MISSING),
        ):
            wrong[:-1][mask.to_numpy(zero_copy_only=False)] = kind
        if wrong[:-1].any():
            values = pc.if_else(pa.array(wrong[:-1] < 0), "", values)
        places = column.indices.cast(pa.int32()).fill_null(len(values)).to_numpy(zero_copy_only=False)
        status = wrong[places]
        again = values.dictionary_encode()  # blanks around them were all that told some apart
        if len(again.dictionary) < len(values):
            places = np.append(again.indices.to_numpy(), len(again.dictionary)).astype(np.int32)[places]
            values = again.dictionary
        return places, values, status

    def take(self, places: NDArray[np.int32], values: Any) -> None:
        """Number the rows of a block, [R], whose ids are all good."""
        self._waiting.append((places, values))
        self._waits += len(values)
        if self._waits > max(_MERGED, 0 if self._known is None else len(self._known)):
            self._merge()

    def _merge(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        parts = self._waiting
        if self._known is not None:
            parts = [(np.empty(0, dtype=np.int32), self._known), *parts]
        chunks = [pa.DictionaryArray.from_arrays(pa.array(places), values) for places, values in parts]
        merged = pa.chunked_array(chunks).unify_dictionaries()
        self._known = merged.chunk(0).dictionary
        self._codes += [chunk.indices.to_numpy() for chunk in merged.chunks]
        self._waiting, self._waits = [], 0

    def finish(self) -> tuple[NDArray[np.int32], list[str]]:
        """The number of every row, [A], and the ids by number."""
        self._merge()
        codes = np.concatenate(self._codes or [np.empty(0, dtype=np.int32)])
        self._codes = []
        return codes, [] if self._known is None else self._known.to_pylist()


def _whole_numbers(column: Any) -> Any:
    """Ids that a missing one has turned into floats (12.0) are whole numbers again, where floats hold those exactly."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.if_else(pc.is_nan(column), None, column)
    is_exact = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
    whole = pc.all(is_exact).as_py()
    return column.cast(pa.int64(), safe=False) if whole else column


@dataclass(frozen=True, eq=False)
class Interactions:
    """What has been read: ``users`` and ``items`` [A] number ``user_ids`` and ``item_ids``; file order.

    ``ratings`` and ``times`` (seconds since 1970) are [A], or None where the recipe names no column for them.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    ratings: NDArray[np.float32] | None
    times: NDArray[np.int64] | None
    user_ids: list[str]
    item_ids: list[str]
    rows: int
    """Rows read, the bad ones included."""
    bad_rows: tuple[BadRow, ...]
    bad_count: int
    sha256: str
    bad_titles: tuple[BadRow, ...] = ()
    bad_title_count: int = 0
    """Rows that are used and whose own title cannot be read."""
    refused_lines: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Numbers (`Block.lines`) of all rows that were split into columns and are bad for a value: whoever reads the file
    again passes them over. Those that could not be split are seen by whoever splits them."""


class Collector:
    """Takes blocks; `interactions` is what they hold. ``recipe`` is resolved."""

    def __init__(self, recipe: ImportRecipe) -> None:
        self.recipe = recipe
        self.users, self.items = Ids(), Ids()
        self.rows = 0
        self.bad_count = 0
        self._bad: list[BadRow] = []
        self.bad_title_count = 0
        self._bad_titles: list[BadRow] = []
        self._refused: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        self._parts: dict[str, list[NDArray[Any]]] = {"rating": [], "time": []}

    def add(self, block: Block) -> None:
        """Take a block in."""
        self.rows += len(block.lines) + len(block.bad)
        found: dict[str, NDArray[Any]] = {}
        wrong: dict[str, NDArray[np.bool_]] = {}
        ids: dict[str, Any] = {}
        status: dict[str, NDArray[np.int8]] = {}
        for role in ("user", "item"):
            found[role], ids[role], status[role] = Ids.told_apart(block.columns[role])
            wrong[role] = status[role] < 0
        if "rating" in block.columns:
            found["rating"], wrong["rating"] = numbers_of(block.columns["rating"])
        if "time" in block.columns:
            found["time"], wrong["time"] = seconds_of(block.columns["time"], self.recipe.time_unit)
        is_bad = np.logical_or.reduce(list(wrong.values()))
        bad = [*block.bad]
        if is_bad.any():
            bad += self._reasons(block, np.flatnonzero(is_bad), status, wrong)
            self.bad_count += int(is_bad.sum())
            self._refused.append(block.lines[is_bad])
            found = {role: values[~is_bad] for role, values in found.items()}
        self.bad_count += len(block.bad)
        self._bad += sorted(bad, key=lambda row: row.line)[: LISTED - len(self._bad)]
        self.bad_title_count += len(block.bad_titles)
        self._bad_titles += block.bad_titles[: LISTED - len(self._bad_titles)]
        self.users.take(found.pop("user"), ids["user"])
        self.items.take(found.pop("item"), ids["item"])
        for role, values in found.items():
            self._parts[role].append(values)

    def _reasons(
        self,
        block: Block,
        rows: NDArray[np.int64],
        status: dict[str, NDArray[np.int8]],
        wrong: dict[str, NDArray[np.bool_]],
    ) -> list[BadRow]:
        reasons = []
        for row in rows[: LISTED - len(self._bad)].tolist():
            role = next(role for role in wrong if wrong[role][row])
            value = _shown(block.columns[role][row].as_py())
            reasons.append(
                BadRow(int(block.lines[row]), self._reason(role, value, status[role][row] if role in status else 0))
            )
        return reasons

    def _reason(self, role: str, value: str, code: Any) -> str:
        column = getattr(self.recipe, role)
        if role in ("user", "item"):
            why = {
                _IS_MISSING: f"there is no {role} id",
                _IS_LONG: f"the {role} id '{value}' is longer than {LONGEST_ID} characters",
                _IS_BROKEN: f"the {role} id '{value}' has a line break or another unprintable character",
            }
            return f"{why[int(code)]} (column '{column}')"
        if not value.strip() or value == "None":
            return f"there is no {role} (column '{column}')"
        if role == "rating":
            return f"the rating '{value}' is not a number (column '{column}')"
        unit = {"date": "a date", "day_first": "a date, day first", "month_first": "a date, month first"}
        what = unit.get(self.recipe.time_unit)
        if what is None and np.isnan(_number(value)):
            what = f"a number of {self.recipe.time_unit} since 1970, nor a date that is known"
        elif what is None:
            return f"the time '{value}', in {self.recipe.time_unit}, is after the year {LATEST} (column '{column}')"
        return f"the time '{value}' is not {what} (column '{column}'){self._other_order(value)}"

    def _other_order(self, value: str) -> str:
        """That a date is one when day and month change places: the first rows did not tell which comes first."""
        numbers, other = _NUMBERED_DATE.match(value), {"day_first": "month_first", "month_first": "day_first"}
        unit = other.get(self.recipe.time_unit, "")
        if not unit or numbers is None:
            return ""
        day, month = (int(number) for number in (numbers.groups() if unit == "day_first" else numbers.groups()[::-1]))
        return f", but it is one with --time-unit {unit}" if month <= 12 < day <= 31 else ""

    def interactions(self, sha256: str) -> Interactions:
        """All that was taken in. The collector gives its arrays away and is done."""
        whole: dict[str, NDArray[Any] | None] = {}
        for role, kind in (("rating", np.float32), ("time", np.int64)):
            parts = self._parts.pop(role)
            is_there = getattr(self.recipe, role) != NO_COLUMN
            whole[role] = np.concatenate(parts or [np.empty(0)]).astype(kind, copy=False) if is_there else None
            del parts
        users, user_ids = self.users.finish()
        items, item_ids = self.items.finish()
        return Interactions(
            *(users, items, whole["rating"], whole["time"], user_ids, item_ids),
            *(self.rows, tuple(self._bad), self.bad_count, sha256, tuple(self._bad_titles), self.bad_title_count),
            np.concatenate(self._refused),
        )


def numbers_of(column: Any) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Finite numbers of an Arrow array of text or numbers, [R], and where there is none."""
    values = floats(column)
    wrong = ~np.isfinite(values)
    return np.where(wrong, 0, values).astype(np.float32), wrong


def floats(column: Any) -> NDArray[np.float64]:
    """Numbers of an Arrow array, [R]; NaN where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return _floats_one_by_one(pc.utf8_trim_whitespace(column).to_pylist())
    elif pa.types.is_dictionary(column.type):
        return floats(column.cast(pa.string()))
    made: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return made


def _floats_one_by_one(values: Sequence[str | None]) -> NDArray[np.float64]:
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: str | None) -> float:
    """A number, 4,5 as 4.5 too; NaN for what is none. Three digits after the comma may be thousands: not a number."""
    if not value or "_" in value:  # Python's own float takes underscores, which no file means
        return np.nan
    if _DECIMAL_COMMA.match(value):
        value = value.replace(",", ".")
    try:
        return float(value)
    except ValueError:
        return np.nan


def _shown(value: Any) -> str:
    text = str(value).replace("\n", "⏎")
    return f"{text[:40]}…" if len(text) > 40 else text
