"""Whether HR@k and NDCG@k can belong to one ranking with one target a user (FACTS F22). No torch.

Each user who is hit at k₂ but not at k₁ has a rank in k₁ … k₂ − 1, and adds 1 / log₂(rank + 2) to NDCG. So the step
from k₁ to k₂ raises NDCG by between ΔHR / log₂(k₂ + 1) and ΔHR / log₂(k₁ + 2); and the first step begins at 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from engine.records import Implausible

PRINTED = 0.00005
"""Half of the last of four printed digits."""
_FLOAT = 1e-9


def implausible(
    metrics: Mapping[str, float], *, rounding: float = 0.0, half_ranks: bool = False
) -> tuple[Implausible, ...]:
    """What cannot be in ``metrics`` (by name; of them HR@k, NDCG@k and MRR are looked at). Empty: nothing is wrong.

    ``rounding`` is the most by which each number may be off; ``half_ranks``: ties share the mean of their ranks, so
    that the last hit's rank may be k − ½.

    >>> [found.steps for found in implausible({"HR@5": 0.0242, "NDCG@5": 0.0388}, rounding=PRINTED)]
    [(0, 5)]
    """
    found: list[Implausible] = []
    hits = _by_k(metrics, "HR")
    gains = _by_k(metrics, "NDCG")
    for name, value in metrics.items():
        if name.partition("@")[0] in ("HR", "NDCG", "MRR") and not -rounding <= value <= 1 + rounding:
            found.append(Implausible((name,), (), f"{name} is {value:.4f}, which is not between 0 and 1."))
    found += _falling("HR", hits, rounding)
    found += _falling("NDCG", gains, rounding)
    both = [0, *sorted(set(hits) & set(gains))]
    for before, k in pairwise(both):
        step = _step(before, k, {0: 0.0, **hits}, {0: 0.0, **gains}, rounding, half_ranks)
        if step is not None:
            found.append(step)
    return tuple(found)


def _by_k(metrics: Mapping[str, float], kind: str) -> dict[int, float]:
    names = {name: name.partition("@") for name in metrics}
    wanted = {int(k): metrics[name] for name, (stem, _, k) in names.items() if stem == kind and k.isdecimal()}
    return {k: wanted[k] for k in sorted(wanted) if k > 0 and math.isfinite(wanted[k])}


def _falling(kind: str, values: Mapping[int, float], rounding: float) -> list[Implausible]:
    ks = list(values)
    return [
        Implausible(
            (f"{kind}@{before}", f"{kind}@{k}"),
            (before, k),
            f"{kind} falls from {values[before]:.4f} at {before} to {values[k]:.4f} at {k}; it can only rise.",
        )
        for before, k in pairwise(ks)
        if values[k] < values[before] - 2 * rounding - _FLOAT
    ]


def _step(
    before: int, k: int, hits: Mapping[int, float], gains: Mapping[int, float], rounding: float, half_ranks: bool
) -> Implausible | None:
    slack = rounding * (1 if before == 0 else 2)  # 0 at 0 is no rounded number
    hit, gain = hits[k] - hits[before], gains[k] - gains[before]
    most = (hit + slack) / math.log2(before + 2) + slack + _FLOAT
    least = max(hit - slack, 0.0) / math.log2(k + (1.5 if half_ranks else 1)) - slack - _FLOAT
    if least <= gain <= most:
        return None
    names = tuple(f"{kind}@{n}" for kind in ("HR", "NDCG") for n in (before, k) if n)
    begin = f"From {before} to {k}" if before else f"At {k}"
    word = "at most" if gain > most else "at least"
    bound = most if gain > most else least
    verb = "gains" if before else "is"
    return Implausible(
        names,
        (before, k),
        f"{begin}, NDCG {verb} {gain:.4f}, but HR {verb} {hit:.4f} and so allows {word} {max(bound, 0.0):.4f}.",
    )
