"""Equations 9, 10 and 11 as double loops, written from the paper and from nothing else."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Pairs = dict[tuple[int, int], float]


def memory(rows: list[list[int]]) -> tuple[Pairs, dict[tuple[int, int], int]]:
    """Cor_o(i, j) for every two items with a common user (Eq. 9), as float32, and the number of common users."""
    scores: Pairs = {}
    shared = {}
    items = sorted({item for row in rows for item in row})
    users = {item: {user for user, row in enumerate(rows) if item in row} for item in items}
    for i in items:
        for j in items:
            common = users[i] & users[j]
            if i == j or not common:
                continue
            total = sum(1 / math.log(1 + len(set(rows[user]))) for user in sorted(common))
            scores[i, j] = float(np.float32(total / math.sqrt(len(users[i]) * len(users[j]))))
            shared[i, j] = len(common)
    return scores, shared


def model(table: NDArray[np.float64], all_rows: bool) -> tuple[Pairs, float, float]:
    """Cor_e(i, j) for every candidate j of every row i (Eq. 10), and the least and greatest score that count."""
    rows = len(table)
    queries = range(1, rows) if all_rows else range(1, rows - 1)
    candidates = range(rows) if all_rows else queries
    scores = {(i, j): float(sum(a * b for a, b in zip(table[i], table[j], strict=True)))
              for i in queries for j in candidates}  # fmt: skip
    counting = [score for (i, j), score in scores.items() if all_rows or i != j]
    pairs = {pair: score for pair, score in scores.items() if pair[0] != pair[1]}
    return pairs, min(counting, default=math.inf), max(counting, default=-math.inf)


def ranked(scores: Pairs, item: int, k: int) -> list[tuple[int, float]]:
    """The item's ``k`` best neighbours: higher score, then lower id."""
    own = [(-score, j) for (i, j), score in scores.items() if i == item]
    return [(j, -negative) for negative, j in sorted(own)[:k]]


def normalise(score: float, low: float, high: float) -> float:
    """Min-max (§4.1.3); 0 where all pairs score alike."""
    return (score - low) / (high - low) if high > low else 0.0
