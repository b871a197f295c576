"""Whether HR@k and NDCG@k can belong to one ranking with one target a user (FACTS F22). No torch.

Each user who is hit at k₂ but not at k₁ has a rank in k₁ … k₂ − 1, and adds 1 / log₂(rank + 2) to NDCG. So the step
from k₁ to k₂ raises NDCG by between ΔHR / log₂(k₂ + 1) and ΔHR / log₂(k₁ + 2); and the first step begins at 0.

Two more bounds have the same reason. An NDCG@k without its HR@k lies between what the hits below and above k leave it;
and MRR gains between ΔHR / k₂ and ΔHR / (k₁ + 1) a step, and at most 1 / (k + 1) of each user who is not hit at the
last k.
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
    if found:  # percentages, or no numbers: what the steps would say of them helps nobody
        return tuple(found)
    found += _falling("HR", hits, rounding)
    found += _falling("NDCG", gains, rounding)
    both = [0, *sorted(set(hits) & set(gains))]
    for before, k in pairwise(both):
        step = _step(before, k, {0: 0.0, **hits}, {0: 0.0, **gains}, rounding, half_ranks)
        if step is not None:
            found.append(step)
    for k in sorted(set(gains) - set(hits)):
        found += _between(k, gains[k], hits, rounding, half_ranks)
    if "MRR" in metrics and hits:
        found += _reciprocal(metrics["MRR"], hits, rounding, half_ranks)
    return tuple(found)


def _by_k(metrics: Mapping[str, float], kind: str) -> dict[int, float]:
    names = {name: name.partition("@") for name in metrics}
    wanted = {int(k): metrics[name] for name, (stem, _, k) in names.items() if stem == kind and k.isdecimal()}
    return {k: wanted[k] for k in sorted(wanted) if k > 0 and math.isfinite(wanted[k])}


def _between(k: int, gain: float, hits: Mapping[int, float], rounding: float, half_ranks: bool) -> list[Implausible]:
    """NDCG@k without HR@k: the hits at the next cut-off above are no fewer, those at the next below no more."""
    above, below = min((n for n in hits if n > k), default=0), max((n for n in hits if n < k), default=0)
    slack = 2 * rounding + _FLOAT
    found = []
    if above and gain > hits[above] + slack:
        found.append((above, "at most", hits[above]))
    if below and gain < (least := hits[below] / math.log2(below + (1.5 if half_ranks else 1))) - slack:
        found.append((below, "at least", least))
    return [
        Implausible(
            (f"HR@{n}", f"NDCG@{k}"),
            (min(n, k), max(n, k)),
            f"NDCG@{k} is {gain:.4f}, but HR@{n} is {hits[n]:.4f} and so allows {word} {bound:.4f}.",
        )
        for n, word, bound in found
    ]


def _reciprocal(value: float, hits: Mapping[int, float], rounding: float, half_ranks: bool) -> list[Implausible]:
    """MRR against every HR@k. Raising each HR by the rounding moves either bound by less than it."""
    steps = [(before, k, hits[k] - hits.get(before, 0.0)) for before, k in pairwise((0, *hits))]
    last = max(hits)
    most = sum(hit / (before + 1) for before, _, hit in steps) + (1 - hits[last]) / (last + 1)
    least = sum(hit / (k + (0.5 if half_ranks else 0)) for _, k, hit in steps)
    slack = 2 * rounding + _FLOAT
    if least - slack <= value <= most + slack:
        return []
    word, bound = ("at most", most) if value > most else ("at least", least)
    names = tuple(f"HR@{k}" for k in hits)
    told = f"{names[0]} allows" if len(names) == 1 else f"{', '.join(names)} allow"
    return [Implausible((*names, "MRR"), (), f"MRR is {value:.4f}, but {told} {word} {bound:.4f}.")]


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
