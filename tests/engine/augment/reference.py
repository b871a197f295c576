"""The five operators as naive Python, one sequence at a time, written from Eq. 4–8 and FACTS F9–F13.

A view is a tuple of (source, kind letter): K kept, M masked, S substituted, I inserted. `OUTCOMES` enumerates every
possible view of n items with its probability; `CHECKS` says of one view whether it is possible, for any n.
"""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations
from typing import NamedTuple

from engine.config import FidelityOptions
from engine.records import TokenKind

LETTERS = {TokenKind.KEPT: "K", TokenKind.MASKED: "M", TokenKind.SUBSTITUTED: "S", TokenKind.INSERTED: "I"}
View = tuple[tuple[int, str], ...]


class Case(NamedTuple):
    """n items, a ratio with at most three decimals, and the switches."""

    n: int
    rate: float
    fidelity: FidelityOptions

    @property
    def floored(self) -> int:
        return int(self.rate * self.n)

    def count(self, at_least_one: bool = False) -> int:
        if self.fidelity.counts == "ceiling":
            return math.ceil(Fraction(str(self.rate)) * self.n)
        return max(self.floored, 1) if at_least_one else self.floored

    def starts(self, count: int) -> list[int]:
        last = self.n - count if self.fidelity.start_positions == "every" else self.n - self.floored - 1
        return list(range(max(last, 0) + 1))


def crop_outcomes(case: Case) -> dict[View, float]:
    count = max(case.count(), 1)
    starts = case.starts(count)
    return {tuple((i, "K") for i in range(start, start + count)): 1 / len(starts) for start in starts}


def _chosen(case: Case, count: int) -> list[tuple[int, ...]]:
    return list(combinations(range(case.n), count))


def _marked_outcomes(case: Case, count: int, letter: str) -> dict[View, float]:
    every = _chosen(case, count)
    return {tuple((i, letter if i in chosen else "K") for i in range(case.n)): 1 / len(every) for chosen in every}


def mask_outcomes(case: Case) -> dict[View, float]:
    return _marked_outcomes(case, case.count(), "M")


def substitute_outcomes(case: Case) -> dict[View, float]:
    return _marked_outcomes(case, case.count(at_least_one=True), "S")


def insert_outcomes(case: Case) -> dict[View, float]:
    every = _chosen(case, case.count(at_least_one=True))
    views: dict[View, float] = {}
    for chosen in every:
        tokens: list[tuple[int, str]] = []
        for i in range(case.n):
            pair = [(i, "I"), (i, "K")] if case.fidelity.insert_side == "before" else [(i, "K"), (i, "I")]
            tokens += pair if i in chosen else [(i, "K")]
        views[tuple(tokens)] = 1 / len(every)
    return views


def reorder_outcomes(case: Case) -> dict[View, float]:
    count = case.count()
    starts = case.starts(count)
    share = 1 / len(starts) / math.factorial(count)
    views: Counter[View] = Counter()
    for start in starts:
        for order in permutations(range(start, start + count)):
            sources = [*range(start), *order, *range(start + count, case.n)]
            views[tuple((i, "K") for i in sources)] += share  # type: ignore[assignment]
    return dict(views)


def check_crop(view: View, case: Case) -> None:
    count = max(case.count(), 1)
    start = view[0][0]
    assert start in case.starts(count)
    assert view == tuple((i, "K") for i in range(start, start + count))


def _check_marked(view: View, case: Case, letter: str, count: int) -> None:
    assert [i for i, _ in view] == list(range(case.n))
    assert Counter(kind for _, kind in view) == +Counter({letter: count, "K": case.n - count})


def check_mask(view: View, case: Case) -> None:
    _check_marked(view, case, "M", case.count())


def check_substitute(view: View, case: Case) -> None:
    _check_marked(view, case, "S", case.count(at_least_one=True))


def check_insert(view: View, case: Case) -> None:
    assert [i for i, kind in view if kind == "K"] == list(range(case.n))
    inserted = [place for place, (_, kind) in enumerate(view) if kind == "I"]
    assert len(inserted) == case.count(at_least_one=True) == len(view) - case.n
    step = 1 if case.fidelity.insert_side == "before" else -1
    assert all(view[place + step] == (view[place][0], "K") for place in inserted)


def check_reorder(view: View, case: Case) -> None:
    sources = [i for i, _ in view]
    assert {kind for _, kind in view} == {"K"}
    assert sorted(sources) == list(range(case.n))
    moved = [place for place, i in enumerate(sources) if place != i]
    if moved:
        count = case.count()
        assert max(moved) - min(moved) < count
        assert any(start <= min(moved) and max(moved) < start + count for start in case.starts(count))


OUTCOMES = {
    "crop": crop_outcomes,
    "mask": mask_outcomes,
    "reorder": reorder_outcomes,
    "substitute": substitute_outcomes,
    "insert": insert_outcomes,
}
CHECKS = {
    "crop": check_crop,
    "mask": check_mask,
    "reorder": check_reorder,
    "substitute": check_substitute,
    "insert": check_insert,
}
