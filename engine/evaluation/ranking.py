"""The rank of each user's target among all items, by counting (FACTS F2, F3).

A rank is the number of candidates that score above the target. Nothing is sorted, and no items × users array is kept:
users are ranked in blocks, and of a block only the ranks remain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data.sequences import Sequences
from engine.errors import RunError
from engine.modules.ways import is_host, sent

Scorer = Callable[[NDArray[np.int64]], Iterable[Tensor]]
"""Users (rows of the evaluated ones, int64 [B]) → scores [b, item_count + 2] of every row of the item table, of some
users after the other. The arrays are the caller's to write into."""
SeenRule = Literal["exclude", "zero", "keep"]
TieRule = Literal["optimistic", "pessimistic", "mean", "id"]

_CELLS = 1 << 20
"""Scores compared at once on the CPU: few enough to stay in its cache."""


def full_ranks(
    scorer: Scorer,
    histories: Sequences,
    targets: NDArray[np.integer],
    *,
    seen_items: SeenRule = "exclude",
    ties: TieRule = "mean",
    rank_special_tokens: bool = False,
    batch_size: int = 1024,
    should_stop: Callable[[], bool] = lambda: False,
) -> NDArray[np.float64]:
    """Rank of every user's target from 0, float64 [E] (whole or, with ``ties='mean'``, half numbers).

    ``histories`` [E]: the items that ``seen_items`` is about, whole and not only the last ones a model looks at.
    Candidates are items 1…n, and the padding and mask rows too with ``rank_special_tokens``.

    A target that is in its own history is, under ``exclude``, a certain miss: it is never in the list and its rank is
    infinite, which every metric counts as 0. Under ``zero`` it scores 0 like all seen items, and ties with them.

    Raises ``RunError`` when a target's score is not a number; any other score that is not a number ranks above.
    Ranks that ``should_stop`` cut short are NaN.
    """
    ranks = np.full(len(targets), math.nan)
    for begin in range(0, len(targets), batch_size):
        left = np.arange(begin, min(begin + batch_size, len(targets)), dtype=np.int64)
        for scores in scorer(left):
            if should_stop():
                return ranks
            rows, left = left[: len(scores)], left[len(scores) :]
            _, ranks[rows] = ranked(
                scores, histories.take(rows), targets[rows], seen_items, ties, rank_special_tokens=rank_special_tokens
            )
    return ranks


def ranked(
    scores: Tensor,
    histories: Sequences,
    targets: NDArray[np.integer],
    seen_items: SeenRule,
    ties: TieRule,
    *,
    rank_special_tokens: bool,
) -> tuple[Tensor, NDArray[np.float64]]:
    """The rules of ranking on ``scores`` [B, item_count + 2], which are written over, and the targets' ranks [B].

    What is no candidate scores −∞. Arguments and errors are those of `full_ranks`.
    """
    _treat_seen(scores, histories, seen_items)
    if not rank_special_tokens:
        scores[:, 0] = -math.inf
        scores[:, -1] = -math.inf
    wanted = sent(torch.from_numpy(targets.astype(np.int64)), scores.device)
    found = _count(scores, wanted, ties)
    if np.isnan(found).any():
        raise RunError(
            "The model's scores are not numbers: training has diverged.",
            "Lower train.learning_rate and start again.",
        )
    return scores, found


def _treat_seen(scores: Tensor, histories: Sequences, rule: SeenRule) -> None:
    """Write −∞ or 0 over the scores [B, C] of each row's seen items."""
    if rule == "keep":
        return
    flat = histories.owners * scores.shape[1] + histories.items
    scores.view(-1)[sent(torch.from_numpy(flat), scores.device)] = -math.inf if rule == "exclude" else 0.0


def _count(scores: Tensor, targets: Tensor, ties: TieRule) -> NDArray[np.float64]:
    """Ranks [B] of ``targets`` [B] in ``scores`` [B, C]; NaN where the target's score is."""
    width = scores.shape[1]
    own = scores.gather(1, targets.unsqueeze(1))  # [B, 1]
    columns = torch.arange(width, device=scores.device)
    step = max(1, _CELLS // width) if is_host(scores.device) else max(1, scores.shape[0])
    # Comparisons are written as 0 and 1 of float32, whose sum is many times faster than that of bools, and exact.
    answers = scores.new_empty(min(step, scores.shape[0]), width, dtype=torch.float32)
    counts = scores.new_zeros(4, scores.shape[0], dtype=torch.float32)
    at_most, below, before, no_rank = counts
    no_rank += torch.where(own.isnan(), math.nan, own == -math.inf).squeeze(1)
    for begin in range(0, scores.shape[0], step):
        part, score = scores[begin : begin + step], own[begin : begin + step]
        answer, rows = answers[: len(part)], slice(begin, begin + step)
        at_most[rows] = torch.le(part, score, out=answer).sum(1)
        if ties in ("mean", "pessimistic"):
            below[rows] = torch.lt(part, score, out=answer).sum(1)
        elif ties == "id":
            tied = torch.eq(part, score, out=answer).mul_(columns < targets[rows].unsqueeze(1))
            before[rows] = tied.sum(1)
    # What is not at most the target is above it, scores that are not numbers included.
    # On the host from here, in one copy: not every device has float64.
    at_most, below, before, no_rank = counts.cpu()
    not_above = at_most.double()
    ranks = width - not_above
    if ties in ("mean", "pessimistic"):
        tied = not_above - below.double() - 1  # others with the target's score
        ranks += tied / 2 if ties == "mean" else tied
    elif ties == "id":
        ranks += before
    ranks[no_rank == 1] = math.inf
    ranks[no_rank.isnan()] = math.nan
    return ranks.numpy()
