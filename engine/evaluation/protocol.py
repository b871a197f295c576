"""One evaluation: whose targets, against what, by which rules; and a card that says so (FACTS F1–F3, F18)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.config import KS, EvaluateOptions, FidelityOptions
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut, noisy_test_inputs
from engine.evaluation.metrics import metrics_of
from engine.evaluation.ranking import Scorer, full_ranks

Which = Literal["valid", "test"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """``ranks`` float64 [E] from 0, aligned with ``split.users``; ``metrics`` by name; ``card`` see `protocol_card`."""

    metrics: dict[str, float]
    ranks: NDArray[np.float64]
    card: dict[str, str | int | float | bool]


def evaluate(
    scorer: Scorer,
    split: LeaveOneOut,
    which: Which,
    item_count: int,
    options: EvaluateOptions,
    fidelity: FidelityOptions,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Rank every evaluated user's ``which`` target. ``scorer`` scores for rows of ``split.users``.

    Raises ``RunError`` when scores are not numbers. Metrics are empty when ``should_stop`` cut the ranking short.
    """
    ranks = full_ranks(
        scorer,
        split.valid_inputs if which == "valid" else split.test_inputs,
        split.valid_targets if which == "valid" else split.test_targets,
        seen_items=options.seen_items,
        ties=options.ties,
        rank_special_tokens=fidelity.rank_special_tokens,
        batch_size=options.batch_size,
        should_stop=should_stop,
    )
    metrics = {} if np.isnan(ranks).any() else metrics_of(ranks, KS)
    return Evaluation(metrics, ranks, protocol_card(split, which, item_count, options, fidelity))


def model_inputs(split: LeaveOneOut, which: Which, item_count: int, options: EvaluateOptions, seed: int) -> Sequences:
    """What a model sees of each evaluated user, [E]; test inputs carry the noise of §5.4 where it is asked for.

    Noise is in the input only: the items excluded from the ranking stay those that the user really chose.
    """
    if which == "valid":
        return split.valid_inputs
    if options.noise_rate:
        return noisy_test_inputs(split, item_count, options.noise_rate, np.random.default_rng(seed))
    return split.test_inputs


def protocol_card(
    split: LeaveOneOut, which: Which, item_count: int, options: EvaluateOptions, fidelity: FidelityOptions
) -> dict[str, str | int | float | bool]:
    """Every choice that moves the numbers, in words a table can show."""
    return {
        "split": "leave-one-out: last item for test, the one before it for validation",
        "evaluated": which,
        "users": len(split.users),
        "users_too_short": len(split.too_short),
        "candidates": item_count + 2 * fidelity.rank_special_tokens,
        "validation_users": options.validation_users or "all",
        "sampling": "none: all items are ranked",
        "history": "the user's whole history",
        "seen_items": options.seen_items,
        "ties": options.ties,
        "rank_special_tokens": fidelity.rank_special_tokens,
        "noise_rate": options.noise_rate if which == "test" else 0.0,
        "metrics": f"HR and NDCG at {', '.join(map(str, KS))}; MRR; means over users",
    }
