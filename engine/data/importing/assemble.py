"""From interactions to a data set: the steps of the recipe with what each leaves, then sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config.importing import ImportRecipe
from engine.data import preprocess
from engine.data.dataset import Dataset, fingerprint_of
from engine.data.importing.columns import Interactions
from engine.data.importing.times import either_way
from engine.data.sequences import Sequences
from engine.data.splits import SHORTEST
from engine.errors import DataError
from engine.records import ImportReport, ImportStage

_YEAR = 31_556_952
_OLDEST_LOG, _NEWEST_LOG = 20 * _YEAR, 80 * _YEAR
"""Seconds since 1970: logs of what people chose are of the years from 1990 to 2050."""
_CANONICAL = 18
"""Digits of a whole number that surely fits 64 bits."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Rows of the interactions that are left, [A], by user and in the order of their times; and how they came about."""

    rows: NDArray[np.int64]
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    stages: tuple[ImportStage, ...]
    core_rounds: int
    tied: int
    twice: tuple[int, int] = (0, 0)
    """Rows kept that repeat an earlier one with the same user, item and time; those that follow it immediately."""


class Ordered:
    """Interactions by user and time. Sorting takes longest, so it is done once for each rule of equal times."""

    def __init__(self, interactions: Interactions) -> None:
        self.interactions = interactions
        self._orders: dict[str, tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = {}

    def columns(self, ties: str) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """All rows in order, and their users and items, [A] each."""
        found = self.interactions
        if found.times is None:
            ties = "file"
        if ties not in self._orders:
            ranks = ranks_of(found.item_ids)[found.items] if ties == "item" else None
            rows = preprocess.in_order(found.users, found.times, ranks)
            self._orders = {ties: (rows, found.users[rows], found.items[rows])}
        return self._orders[ties]


def whole_numbers(ids: Sequence[str]) -> NDArray[np.int64] | None:
    """The ids as whole numbers, [N]; None where one is none, or is not written as one (007)."""
    if not all(value.isascii() and value.isdigit() and len(value) <= _CANONICAL for value in ids):
        return None
    if any(value[0] == "0" and len(value) > 1 for value in ids):
        return None
    return np.array(ids, dtype=np.int64) if len(ids) else np.empty(0, dtype=np.int64)


def ranks_of(ids: Sequence[str]) -> NDArray[np.int64]:
    """Place of each id among all, [N]: numbers by size, other ids as text."""
    numbers = whole_numbers(ids)
    ranks = np.empty(len(ids), dtype=np.int64)
    if numbers is not None:
        ranks[np.argsort(numbers, kind="stable")] = np.arange(len(ids))
    else:
        ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return ranks


def keep(ordered: Ordered, recipe: ImportRecipe) -> Kept:
    """Apply the recipe's steps. Nothing is refused here: a stage may be empty."""
    found = ordered.interactions
    label = _labels(recipe)
    rows, users, items = ordered.columns(recipe.ties)
    stages = [_stage("read", "valid rows", users, items)]

    def step(name: str, stays: NDArray[np.bool_] | NDArray[np.int64] | None) -> None:
        nonlocal rows, users, items
        if stays is None:
            stages.append(replace(stages[-1], name=name, label=label[name]))
            return
        rows, users, items = rows[stays], users[stays], items[stays]
        stages.append(_stage(name, label[name], users, items))

    rated = found.ratings is not None and recipe.minimum_rating > 0
    step("rating", found.ratings[rows] >= np.float32(recipe.minimum_rating) if rated else None)  # type: ignore[index]
    again = recipe.duplicates != "keep"
    step("duplicates", preprocess.without_repeats(users, items, recipe.duplicates) if again else None)
    step("longest", preprocess.latest(users, recipe.longest) if recipe.longest else None)
    left, rounds = preprocess.core(users, items, recipe.core)
    step("core", left if rounds else None)
    tied = 0 if found.times is None else preprocess.ties(users, found.times[rows])
    twice = (0, 0) if found.times is None or not tied else preprocess.twice(users, items, found.times[rows])
    return Kept(rows, users, items, tuple(stages), rounds, tied, twice)


def _labels(recipe: ImportRecipe) -> dict[str, str]:
    rated = f"rated {recipe.minimum_rating:g} or more" if recipe.minimum_rating > 0 else "any rating"
    return {
        "rating": rated,
        "duplicates": "without duplicates" if recipe.duplicates != "keep" else "duplicates kept",
        "longest": f"the last {recipe.longest:,} of each user" if recipe.longest else "whole sequences",
        "core": f"{recipe.core}-core" if recipe.core > 1 else "no core",
    }


def _stage(name: str, label: str, users: NDArray[np.int32], items: NDArray[np.int32]) -> ImportStage:
    return ImportStage(name, label, _distinct(users), _distinct(items), len(users))


def _distinct(codes: NDArray[np.int32]) -> int:
    return int(np.count_nonzero(np.bincount(codes))) if len(codes) else 0


def _odd_times(found: Interactions, recipe: ImportRecipe) -> list[str]:
    """What the times would mean in another unit, where hardly any is of the years that logs are of."""
    if found.times is None or not len(found.times):
        return []
    if np.mean((found.times >= _OLDEST_LOG) & (found.times < _NEWEST_LOG)) > 0.5:
        unset = int(np.count_nonzero(found.times <= 0))
        # What a log writes where it knows no time: 0, −1, or a date of 1970.
        are = "time is" if unset == 1 else "times are"
        return [f"{unset:,} {are} 0 or before 1970: those actions come first."] if unset else []
    first, last = (1970 + int(seconds // _YEAR) for seconds in (found.times.min(), found.times.max()))
    unit = recipe.time_unit.replace("_", " ")
    when = f"year {first}" if first == last else f"years {first} to {last}"
    return [f"Read as {unit}, the times lie in the {when}: check their unit (--time-unit)."]


def _standing_twice(kept: Kept, recipe: ImportRecipe) -> list[str]:
    """That rows stand twice, where they are kept: more often a log written twice than something chosen twice."""
    count, at_once = kept.twice
    if not count or recipe.duplicates != "keep":
        return []
    stand, them = ("row stands", "it") if count == 1 else ("rows stand", "them")
    others, option = ("immediate repeats", "consecutive") if at_once == count else ("repeats of an item", "first")
    how = f"To drop {them}, and other {others}: --duplicates {option}."
    return [f"{count:,} {stand} twice, with the same user, item and time. {how}"]


def report_of(
    found: Interactions, kept: Kept, recipe: ImportRecipe, lines_are: str, *, own_titles: bool = False
) -> ImportReport:
    """What the user is told of it. Titles come later; ``own_titles``: they will be the data's own, which were seen."""
    lengths = np.bincount(kept.users)
    too_short = int(np.count_nonzero((lengths > 0) & (lengths < SHORTEST)))
    last = kept.stages[-1]
    notes = []
    if found.times is None:
        notes.append("There are no times: the order of the file is the order of the actions.")
    elif kept.tied > 0.2 * max(last.actions, 1):
        order = "their order in the file" if recipe.ties == "file" else "their item ids"
        notes.append(
            f"{kept.tied / last.actions:.0%} of the actions share a time with the one before; {order} decides."
        )
    notes += _odd_times(found, recipe)
    if found.times is not None and (told := either_way(found.times, recipe.time_unit)):
        notes.append(told)
    notes += _standing_twice(kept, recipe)
    if recipe.minimum_rating > 0 and found.ratings is None:
        notes.append("There is no column of ratings: the minimum rating drops nothing.")
    if too_short:
        are_all = too_short == last.users
        so = (
            "these are all, so nothing can be trained on."
            if are_all
            else "they hold nothing out and are not trained on."
        )
        notes.append(
            f"{too_short:,} {'user has' if too_short == 1 else 'users have'} fewer than {SHORTEST} actions: {so}"
        )
    return ImportReport(
        rows=found.rows,
        bad_count=found.bad_count,
        bad_rows=found.bad_rows,
        stages=kept.stages,
        core_rounds=kept.core_rounds,
        tied=kept.tied,
        too_short=too_short,
        titled=0,
        notes=tuple(notes),
        lines_are=lines_are,
        bad_title_count=found.bad_title_count if own_titles else 0,
        bad_titles=found.bad_titles if own_titles else (),
    )


def refuse_empty(path: Path, kept: Kept) -> None:
    """Raise ``DataError`` when nothing is left, or one user only."""
    last = kept.stages[-1]
    if last.users > 1:
        return
    before = [stage for stage in kept.stages if stage.users > 1]
    after = kept.stages[len(before)]
    option = {"rating": "minimum-rating", "core": "core", "longest": "longest"}.get(after.name, after.name)
    what = "only one user is" if last.users else "nothing is"
    message = f"{what} left after '{after.label}', of {before[-1].users if before else 0:,} users before it."
    raise DataError(message, f"Lower --{option}.", path=path)


def dataset_of(found: Interactions, kept: Kept, name: str, path: Path) -> Dataset:
    """The data set of what is kept: users in the order of their first action in the file, items by ascending id.

    Ids that are whole numbers count by their size, as in CoSeRec text, and give the fingerprint that the same data has
    there.
    """
    user_codes, item_codes = kept.users, kept.items
    there = np.zeros(len(found.user_ids), dtype=bool)
    there[user_codes] = True
    users = [found.user_ids[code] for code in np.flatnonzero(there).tolist()]
    offsets = np.zeros(len(users) + 1, dtype=np.int64)
    np.cumsum(np.bincount(user_codes, minlength=len(there))[there], out=offsets[1:])
    codes = np.flatnonzero(np.bincount(item_codes, minlength=len(found.item_ids)))
    items = [found.item_ids[code] for code in codes.tolist()]
    ranks = ranks_of(items)
    dense = np.zeros(len(found.item_ids), dtype=np.int32)
    dense[codes] = ranks + 1
    by_rank = [items[place] for place in np.argsort(ranks).tolist()]
    sequences = Sequences(dense[item_codes], offsets)
    return Dataset(
        name=name,
        path=str(path),
        sequences=sequences,
        item_count=len(items),
        user_ids=np.array(users, dtype=np.str_),
        item_ids=np.array(["", *by_rank], dtype=np.str_),
        titles=None,
        fingerprint=fingerprint_of(sequences.offsets, sequences.items, _hashable(users), _hashable(by_rank)),
        times=None if found.times is None else found.times[kept.rows],
    )


def with_titles(dataset: Dataset, titles: Mapping[str, str] | None) -> Dataset:
    """The data set with titles by item id; ``""`` where an item has none."""
    if titles is None:
        return dataset
    named = np.array([titles.get(item, "") for item in dataset.item_ids.tolist()], dtype=object)
    return replace(dataset, titles=named)


def _hashable(ids: Sequence[str]) -> NDArray[np.generic]:
    numbers = whole_numbers(ids)
    return numbers if numbers is not None else np.frombuffer("\n".join(ids).encode(), dtype=np.uint8)
