"""Raw columns become codes and numbers, a block at a time; what cannot be used is told with its line.

Memory: 8 bytes an action, 4 more with ratings and 8 with times, and every id once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.importing import ImportRecipe
from engine.data.importing.source import Block
from engine.data.importing.times import LATEST, seconds_of
from engine.records import BadRow

LONGEST_ID = 100
"""Characters of an id. A longer one is a damaged row or a text in the wrong column."""
LISTED = 1000
"""Bad rows that are listed; all are counted."""

_MISSING = frozenset({"", "nan", "null", "none", "<na>", "\\n"})
_IS_MISSING, _IS_LONG, _IS_BROKEN = -1, -2, -3


class Ids:
    """Ids of users or items, numbered in the order in which they first appear."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._codes: dict[str, int] = {}

    def codes(self, column: Any) -> NDArray[np.int32]:
        """The number of each value of an Arrow array [R]; below 0 where it is no id."""
        import pyarrow as pa

        if not pa.types.is_dictionary(column.type):
            if pa.types.is_floating(column.type):
                column = _whole_numbers(column)
            column = column.cast(pa.string()).dictionary_encode()
        known = self._codes.get
        values = column.dictionary.to_pylist()
        found = [known(value) for value in values]
        for place, code in enumerate(found):
            if code is None:
                found[place] = self._code(values[place])
        codes = np.array([*found, _IS_MISSING], dtype=np.int32)
        places = column.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
        return codes[places]

    def _code(self, value: str | None) -> int:
        clean = (value or "").strip()
        if clean.lower() in _MISSING:
            return _IS_MISSING
        if len(clean) > LONGEST_ID:
            return _IS_LONG
        if not clean.isprintable():
            return _IS_BROKEN
        code = self._codes.get(clean)
        if code is None:
            code = self._codes[clean] = len(self.ids)
            self.ids.append(clean)
        if value is not None and len(value) <= LONGEST_ID:
            self._codes[value] = code
        return code


def _whole_numbers(column: Any) -> Any:
    """Ids that a missing one has turned into floats (12.0) are whole numbers again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.if_else(pc.is_nan(column), None, column)
    whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
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


class Collector:
    """Takes blocks; `interactions` is what they hold. ``recipe`` is resolved."""

    def __init__(self, recipe: ImportRecipe) -> None:
        self.recipe = recipe
        self.users, self.items = Ids(), Ids()
        self.rows = 0
        self.bad_count = 0
        self._bad: list[BadRow] = []
        self._parts: dict[str, list[NDArray[Any]]] = {"user": [], "item": [], "rating": [], "time": []}

    def add(self, block: Block) -> None:
        """Take a block in."""
        self.rows += len(block.lines) + len(block.bad)
        found: dict[str, NDArray[Any]] = {}
        wrong: dict[str, NDArray[np.bool_]] = {}
        for role, ids in (("user", self.users), ("item", self.items)):
            found[role] = ids.codes(block.columns[role])
            wrong[role] = found[role] < 0
        if "rating" in block.columns:
            found["rating"], wrong["rating"] = numbers_of(block.columns["rating"])
        if "time" in block.columns:
            found["time"], wrong["time"] = seconds_of(block.columns["time"], self.recipe.time_unit)
        is_bad = np.logical_or.reduce(list(wrong.values()))
        bad = [*block.bad]
        if is_bad.any():
            bad += self._reasons(block, np.flatnonzero(is_bad), found, wrong)
            self.bad_count += int(is_bad.sum())
            found = {role: values[~is_bad] for role, values in found.items()}
        self.bad_count += len(block.bad)
        self._bad += sorted(bad, key=lambda row: row.line)[: LISTED - len(self._bad)]
        for role, values in found.items():
            self._parts[role].append(values)

    def _reasons(
        self,
        block: Block,
        rows: NDArray[np.int64],
        found: dict[str, NDArray[Any]],
        wrong: dict[str, NDArray[np.bool_]],
    ) -> list[BadRow]:
        reasons = []
        for row in rows[: LISTED - len(self._bad)].tolist():
            role = next(role for role in wrong if wrong[role][row])
            value = _shown(block.columns[role][row].as_py())
            reasons.append(BadRow(int(block.lines[row]), self._reason(role, value, found[role][row])))
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
        what = unit.get(self.recipe.time_unit, f"a time in {self.recipe.time_unit}, at latest in the year {LATEST}")
        return f"the time '{value}' is not {what} (column '{column}')"

    def interactions(self, sha256: str) -> Interactions:
        """All that was taken in. The collector gives its arrays away and is done."""
        whole: dict[str, NDArray[Any] | None] = {}
        kinds = {"user": np.int32, "item": np.int32, "rating": np.float32, "time": np.int64}
        for role, kind in kinds.items():
            parts = self._parts.pop(role)
            is_there = role in ("user", "item") or getattr(self.recipe, role) != "-"
            whole[role] = np.concatenate(parts or [np.empty(0)]).astype(kind, copy=False) if is_there else None
            del parts
        users, items = whole["user"], whole["item"]
        assert users is not None
        assert items is not None
        return Interactions(
            *(users, items, whole["rating"], whole["time"], self.users.ids, self.items.ids),
            *(self.rows, tuple(self._bad), self.bad_count, sha256),
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
    made = np.full(len(values), np.nan)
    for place, value in enumerate(values):
        with suppress(ValueError):
            # Python's own float takes underscores, which no file means.
            made[place] = float(value) if value and "_" not in value else np.nan
    return made


def _shown(value: Any) -> str:
    text = str(value)
    return f"{text[:40]}…" if len(text) > 40 else text
