"""Rows of a recommended list, of a history and of found users."""

from __future__ import annotations

import math
from typing import NamedTuple

from engine.records import FoundUsers, HistoryItem, RecommendedItem, RunRecommendation
from workbench.item_models.rows import Column
from workbench.item_names import item_name

LETTERS = "ABC"
"""What runs side by side are called, by their order."""
TARGET, SHARED = "★", "●"
"""Marks of the target and of an item that other lists have too; the same words stand in tips and accessible texts."""


def rank_text(rank: float) -> str:
    """``12``, ``12.5``, or ``never`` for a target that cannot be listed."""
    return "never" if math.isinf(rank) else f"{rank:,.10g}"


class Listed(NamedTuple):
    """A line of a list; ``share`` is the score from the worst (0) to the best (1) of the list."""

    of: RecommendedItem
    share: float


def listed(run: RunRecommendation) -> tuple[Listed, ...]:
    """The lines of a run's list. Scores that are no numbers, or one alone, have a full bar."""
    scores = [row.score for row in run.items if math.isfinite(row.score)]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    span = high - low

    def share(score: float) -> float:
        # The last of the list keeps a stump of a bar: an empty one would say that it has no score.
        return 0.08 + 0.92 * (score - low) / span if span and math.isfinite(score) else 1.0

    return tuple(Listed(row, share(row.score)) for row in run.items)


def _marked(row: Listed) -> str:
    """The name with its marks in front: the target in words too."""
    mark = f"{TARGET} Target: " if row.of.is_target else f"{SHARED} " if row.of.lists > 1 else ""
    return mark + item_name(row.of.item, row.of.title)


def _about(row: Listed) -> str:
    parts = [f"{item_name(row.of.item, row.of.title)} (item {row.of.item}), score {row.of.score:.6g}"]
    if row.of.is_target:
        parts.append("the target: what the user chose next")
    if row.of.lists > 1:
        parts.append(f"in {row.of.lists} of the lists")
    return "; ".join(parts)


LIST_COLUMNS = (
    Column("#", lambda row: row.of.place, tip="Place in the list"),
    Column(
        "Item",
        _marked,
        tip=f"{TARGET} the target: what the user chose next; {SHARED} another list has the item too",
        about=_about,
    ),
    Column(
        "Score",
        lambda row: row.of.score,
        lambda row: f"{row.of.score:.3f}",
        lambda row: row.share,
        "The model's score; the bar runs from the list's last to its first",
    ),
)

HISTORY_COLUMNS = (
    Column("#", lambda row: row.place, tip="Place in the history, the oldest first"),
    Column(
        "Item",
        lambda row: (f"{TARGET} " if row.is_target else "") + item_name(row.item, row.title),
        tip=f"{TARGET} the target stands in the history too",
        about=lambda row: (
            f"{item_name(row.item, row.title)} (item {row.item})" + ("; it is the target too" if row.is_target else "")
        ),
    ),
)


def newest_first(history: tuple[HistoryItem, ...]) -> tuple[HistoryItem, ...]:
    """What was chosen last decides most: it stands on top."""
    return tuple(reversed(history))


class FoundUser(NamedTuple):
    """One user of a search."""

    user: str
    length: int
    ranks: tuple[float, ...]
    difference: float


def found_users(found: FoundUsers) -> tuple[FoundUser, ...]:
    """The users of a search, as rows."""
    return tuple(
        FoundUser(*row)
        for row in zip(
            found.ids,
            found.lengths.tolist(),
            (tuple(ranks) for ranks in found.ranks.tolist()),
            found.differences.tolist(),
            strict=True,
        )
    )


def user_columns(found: FoundUsers) -> tuple[Column, ...]:
    """Columns of a search's users: a rank a run, and the difference of two."""
    letters = LETTERS[: len(found.runs)]

    def rank_column(place: int) -> Column:
        return Column(
            f"Rank {letters[place]}",
            lambda row: row.ranks[place],
            lambda row: rank_text(row.ranks[place]),
            tip=f"The target's rank under {letters[place]}, from 1; never: it stands in the history",
        )

    one, other = found.between
    difference = Column(
        f"{letters[other]} − {letters[one]}",
        lambda row: row.difference,
        lambda row: f"{row.difference:+,.10g}",
        tip=f"How many places {letters[one]} ranks the target better than {letters[other]}",
    )
    columns = [
        Column("User", lambda row: row.user),
        Column("Input", lambda row: row.length, tip="Length of the training input, which K compares"),
        *(rank_column(place) for place in range(len(letters))),
    ]
    return (*columns, difference) if len(letters) > 1 else tuple(columns)


def outcome_words(right: tuple[int, ...], runs: int) -> str:
    """``A right, B wrong``; of all alike, ``both right`` or ``all wrong``."""
    if runs > 1 and len(right) in (0, runs):
        return f"{'Both' if runs == 2 else 'All'} {'right' if right else 'wrong'}"
    return ", ".join(f"{LETTERS[place]} {'right' if place in right else 'wrong'}" for place in range(runs))
