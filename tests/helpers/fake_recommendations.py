"""Recommendations in memory: lists, attention and ranks that follow from a user's number, without a model or a file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.api.recommendations import as_csv
from engine.errors import UsageError
from engine.records import (
    AttentionWeights,
    FoundUsers,
    HistoryItem,
    Outcome,
    Recommendations,
    RecommendedItem,
    RunRecommendation,
)

USERS = 30
NO_ATTENTION = "r-pop"
"""A run whose model has none."""
NOT_SEARCHED = "r-bare"
"""A run that kept no ranks."""


def softmaxes(n: int, layers: int = 2, heads: int = 3) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Causal rows that sum to 1, another one for every layer and head."""
    scores = np.random.default_rng(n).normal(size=(layers, heads, n, n))
    weights = np.exp(scores) * np.tri(n)
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


class FakeRecommending:
    """``wait`` holds every list back until the test sets it; ``fails`` is raised instead."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.search_fails: Exception | None = None
        self.wait: threading.Event | None = None
        self.asked: list[dict[str, Any]] = []
        self.searched: list[dict[str, Any]] = []

    def of(
        self,
        run_ids: Sequence[str],
        user: str = "",
        *,
        split: str = "test",
        top: int = 20,
        attention: bool = False,
    ) -> Recommendations:
        self.asked.append({"runs": tuple(run_ids), "user": user, "split": split, "top": top, "attention": attention})
        if self.wait is not None:
            self.wait.wait(10)
        if self.fails is not None:
            raise self.fails
        if not user.isdigit() or not 1 <= int(user) <= USERS:
            raise UsageError(f"There is no user '{user}' in Fake shop.", "It has 30 users.")
        number = int(user)
        history = tuple(HistoryItem(n, str(n + 1), f"Title {n + 1}", n == 2) for n in range(1, 5 + number % 3))
        target = HistoryItem(len(history) + 1, "3", "Title 3", True)
        lists = [[str(100 + place * (n + 1) + number) for place in range(1, top + 1)] for n in range(len(run_ids))]
        if number % 2:
            lists[0][3] = "3"
        everything = [item for each in lists for item in each]
        runs = []
        for place, (run, items) in enumerate(zip(run_ids, lists, strict=True)):
            rows = tuple(
                RecommendedItem(n, item, f"Title {item}", 10.0 - n / 2, item == "3", everything.count(item))
                for n, item in enumerate(items, 1)
            )
            has_attention = run != NO_ATTENTION
            found = None
            if attention and has_attention:
                n = len(history)
                tokens = tuple(item.item for item in history), tuple(item.title for item in history)
                found = AttentionWeights(*tokens, tuple(range(1, n + 1)), softmaxes(n), True)
            runs.append(
                RunRecommendation(
                    run=run,
                    name=run,
                    model="Transformer" if has_attention else "PopRec",
                    status="finished",
                    epoch=None if not has_attention else 7,
                    items=rows,
                    rank=4.0 if place == 0 and number % 2 else 250.5 if place < 2 else float("inf"),
                    stored_rank=None,
                    target_score=None,
                    candidates=500,
                    seen_items="exclude",
                    ties="mean",
                    inputs=len(history) if has_attention else 0,
                    has_attention=has_attention,
                    attention=found,
                    notes=("A certain miss.",) if place == 2 else (),
                )
            )
        return Recommendations(
            "Fake shop", user, number - 1, split, len(history) - 2, history, target, top, tuple(runs), ()
        )

    def beside(self, run_id: str, user: str, step: int = 1) -> str:
        del run_id
        return str((int(user or 0) - 1 + step) % USERS + 1)

    def users(
        self,
        run_ids: Sequence[str],
        *,
        right: Sequence[str] = (),
        wrong: Sequence[str] = (),
        k: int = 10,
        split: str = "test",
        shortest: int = 0,
        longest: int | None = None,
        order: str = "difference",
        is_reversed: bool = False,
        limit: int = 100,
    ) -> FoundUsers:
        """User n has rank n under A, 31 − n under B and 5 under C, and a training input of n items."""
        self.searched.append(
            {"runs": tuple(run_ids), "right": list(right), "wrong": list(wrong), "k": k, "split": split}
            | {"shortest": shortest, "longest": longest, "order": order, "is_reversed": is_reversed}
        )
        if self.search_fails is not None:
            raise self.search_fails
        if NOT_SEARCHED in run_ids:
            raise UsageError(f"Run {NOT_SEARCHED} kept no ranks of its users.", "Choose another run.")
        count = len(run_ids)
        ranks = np.array([[n, USERS + 1 - n, 5] for n in range(1, USERS + 1)], dtype=float)[:, :count]
        lengths = np.arange(1, USERS + 1)
        in_range = (lengths >= shortest) & (lengths <= (longest or USERS))
        hits = ranks <= k
        letters = "ABC"
        matches = in_range.copy()
        for letter in right:
            matches &= hits[:, letters.index(letter)]
        for letter in wrong:
            matches &= ~hits[:, letters.index(letter)]
        rows = np.flatnonzero(matches)
        if is_reversed:
            rows = rows[::-1]
        differences = ranks[:, 1] - ranks[:, 0] if count > 1 else np.zeros(USERS)
        sets = {1: [(0,), ()], 2: [(0, 1), (0,), (1,), ()]}.get(count, [(0, 1, 2), ()])
        outcomes = tuple(Outcome(r, int((hits[in_range] == np.isin(np.arange(count), r)).all(1).sum())) for r in sets)
        return FoundUsers(
            split=split,
            k=k,
            runs=tuple(run_ids),
            right=tuple(right),
            wrong=tuple(wrong),
            between=(0, min(1, count - 1)),
            order=order,
            evaluated=USERS,
            in_range=int(in_range.sum()),
            count=len(rows),
            outcomes=outcomes,
            ids=tuple(str(row + 1) for row in rows[:limit]),
            rows=rows[:limit],
            lengths=lengths[rows[:limit]],
            ranks=ranks[rows[:limit]],
            differences=differences[rows[:limit]],
        )

    def csv(self, found: Recommendations) -> str:
        return as_csv(found)

    def export(self, found: Recommendations, destination: Path) -> Path:
        destination.write_text(as_csv(found), encoding="utf-8")
        return destination
