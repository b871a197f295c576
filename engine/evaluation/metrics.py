"""HR@k, NDCG@k and MRR from ranks (paper §5.1.2, FACTS F2). One target a user; ranks count from 0."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.errors import UsageError

Ranks = NDArray[np.float64]


def hit_rate(ranks: Ranks, k: int) -> float:
    """HR@k = share of users whose target is among the first k: rank < k.

    Four users whose targets stand first, third, fifth and eleventh:

    >>> hit_rate(np.array([0.0, 2.0, 4.0, 10.0]), 5)
    0.75
    """
    return float(np.mean(ranks < k)) if len(ranks) else 0.0


def ndcg(ranks: Ranks, k: int) -> float:
    """NDCG@k = mean over users of 1 / log₂(rank + 2) if rank < k, else 0; one target makes the ideal gain 1.

    Ranks 0, 2 and 10 give 1, 1 / log₂ 4 = ½ and, beyond k, 0:

    >>> ndcg(np.array([0.0, 2.0, 10.0]), 5)
    0.5
    """
    return float(np.mean(np.where(ranks < k, 1 / np.log2(ranks + 2), 0.0))) if len(ranks) else 0.0


def mean_reciprocal_rank(ranks: Ranks) -> float:
    """MRR = mean over users of 1 / (rank + 1), without a cut-off.

    Ranks 0, 1 and 3 give 1, ½ and ¼:

    >>> round(mean_reciprocal_rank(np.array([0.0, 1.0, 3.0])), 4)
    0.5833
    """
    return float(np.mean(1 / (ranks + 1))) if len(ranks) else 0.0


def metrics_of(ranks: Ranks, ks: Iterable[int]) -> dict[str, float]:
    """All metrics by their names: ``HR@k`` and ``NDCG@k`` for each k, and ``MRR``.

    >>> metrics_of(np.array([0.0, 2.0, np.inf, 2.0]), (2, 5))
    {'HR@2': 0.25, 'HR@5': 0.75, 'NDCG@2': 0.25, 'NDCG@5': 0.5, 'MRR': 0.41666666666666663}
    """
    ks = tuple(ks)
    found = {f"HR@{k}": hit_rate(ranks, k) for k in ks}
    found |= {f"NDCG@{k}": ndcg(ranks, k) for k in ks}
    return found | {"MRR": mean_reciprocal_rank(ranks)}


def of_each_user(ranks: Ranks, metric: str) -> Ranks:
    """What each user adds to a metric (``HR@k``, ``NDCG@k``, ``MRR``), [U] → [U]; their mean is the metric.

    Raises ``UsageError`` for any other name.

    >>> of_each_user(np.array([0.0, 2.0, np.inf]), "NDCG@5").tolist()
    [1.0, 0.5, 0.0]
    """
    kind, _, k = metric.partition("@")
    if metric == "MRR":
        return np.asarray(1 / (ranks + 1), dtype=np.float64)
    if kind in ("HR", "NDCG") and k.isdecimal() and int(k) > 0:
        gains = np.ones(len(ranks)) if kind == "HR" else 1 / np.log2(ranks + 2)
        return np.where(ranks < int(k), gains, 0.0)
    raise UsageError(f"There is no metric '{metric}'.", "Known: HR@k and NDCG@k for a whole k above 0, and MRR.")
