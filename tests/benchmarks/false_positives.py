"""How often the paired test finds a difference where there is none: many pairs of runs of one distribution.

Every pair has the same users, each with a taste of its own that both runs share, as two trainings of one configuration
would on the same data; ranks are drawn anew. Rejections at 5 % should be 5 %, whatever the metric.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from engine.evaluation.metrics import of_each_user
from engine.evaluation.significance import holm, paired

METRICS = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR")
LEVEL = 0.05


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Shares of rejections by metric, of intervals that miss 0, and of families of seven with any under Holm."""
    generator = np.random.default_rng(chosen.seed)
    tests, intervals = np.zeros(len(METRICS)), np.zeros(len(METRICS))
    families = 0
    began = time.perf_counter()
    for _ in range(chosen.pairs):
        taste = generator.exponential(200, chosen.users)
        ranks = [np.floor(generator.exponential(taste)) for _ in range(2)]
        draw = int(generator.integers(1 << 30))
        found = [paired(*(of_each_user(own, metric) for own in ranks), samples=500, seed=draw) for metric in METRICS]
        tests += [item.p <= LEVEL for item in found]
        intervals += [not item.low <= 0 <= item.high for item in found]
        families += min(holm([item.p for item in found])) <= LEVEL
    figures: dict[str, Any] = {"pairs": chosen.pairs, "users": chosen.users, "seconds": time.perf_counter() - began}
    figures["expected"] = f"{LEVEL} ± {np.sqrt(LEVEL * (1 - LEVEL) / chosen.pairs):.4f}"
    for place, metric in enumerate(METRICS):
        figures[f"wilcoxon_{metric}"] = tests[place] / chosen.pairs
        figures[f"interval_{metric}"] = intervals[place] / chosen.pairs
    figures["any_of_seven_by_holm"] = families / chosen.pairs
    return figures
