"""Binary cross-entropy with uniform negatives (Eq. 3, FACTS F7)."""

from __future__ import annotations

from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.losses.negatives import NegativeSampler
from engine.losses.sampled import sampled_scores
from engine.losses.weights import weights_or


class BinaryCrossEntropy:
    """−log σ(h·e_next) − log(1 − σ(h·e_negative)), averaged over real tokens or over users.

    Of ``negatives`` = k of them the mean or the sum counts (``count``).
    """

    def __init__(
        self,
        sampler: NegativeSampler,
        mean: Literal["tokens", "users"] = "tokens",
        negatives: int = 1,
        count: Literal["mean", "sum"] = "mean",
    ) -> None:
        self.sampler = sampler
        self.mean = mean
        self.negatives = negatives
        self.weight = 1 / negatives if count == "mean" else 1.0

    @classmethod
    def from_config(cls, config: ExperimentConfig, split: LeaveOneOut, item_count: int, device: torch.device) -> Self:
        """The loss that ``config`` describes, with its negatives (FACTS F7)."""
        return cls(
            NegativeSampler.from_config(config, split, item_count, device),
            config.fidelity.next_item_mean,
            config.loss.bce_negatives,  # type: ignore[attr-defined]
            config.loss.bce_negatives_count,  # type: ignore[attr-defined]
        )

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,
        lengths: Tensor,
        weights: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The batch's loss, a scalar.

        hidden [T, d], targets int64 [T], item table [I + 2, d]; ``rows`` int64 [T] is the training user of each
        token, ``lengths`` int64 [N] the tokens of each user of the batch, ``weights`` [T] what each token counts
        where that is not to follow from them.
        """
        weights = weights_or(weights, hidden, lengths, self.mean)
        if self.negatives == 1:
            return bce(hidden, torch.stack((targets, self.sampler(rows, generator))), table, weights)
        negatives = self.sampler.several(rows, self.negatives, generator)
        return bce_of_several(hidden, targets, negatives, table, self.weight, weights)


def bce(hidden: Tensor, candidates: Tensor, table: Tensor, weights: Tensor) -> Tensor:
    """Eq. 3 for given candidates int64 [2, T] (next item, negative), each token counting its ``weights`` [T]."""
    # One look-up for both: its gradient scatters into the item table once.
    chosen = F.embedding(candidates, table, padding_idx=0)  # [2, T, d]
    logits = (chosen * hidden).sum(-1)  # [2, T]
    # −log σ(x) = softplus(−x) and −log(1 − σ(x)) = softplus(x): no overflow where the published code adds 1e-24.
    losses = F.softplus(torch.stack((-logits[0], logits[1]))).sum(0)  # [T]
    return (losses * weights).sum()


def bce_of_several(
    hidden: Tensor,
    targets: Tensor,
    negatives: Tensor,
    table: Tensor,
    weight: float,
    weights: Tensor,
) -> Tensor:
    """Eq. 3 with the negatives int64 [T, k] of each token, each counting ``weight``; ``weights`` as in `bce`."""
    scores = sampled_scores(hidden, table, torch.cat((targets.unsqueeze(1), negatives), 1))  # [T, 1 + k]
    losses = F.softplus(-scores[:, 0]) + weight * F.softplus(scores[:, 1:]).sum(1)
    return (losses * weights).sum()
