"""Bayesian personalised ranking over the positions of a sequence (FACTS B2, B3)."""

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


class BPR:
    """Mean over k negatives of −log σ(h·e_next − h·e_negative), averaged over real tokens or over users."""

    def __init__(
        self, sampler: NegativeSampler, negatives: int = 1, mean: Literal["tokens", "users"] = "tokens"
    ) -> None:
        self.sampler = sampler
        self.negatives = negatives
        self.mean = mean

    @classmethod
    def from_config(cls, config: ExperimentConfig, split: LeaveOneOut, item_count: int, device: torch.device) -> Self:
        """The loss that ``config`` describes, with its negatives (FACTS F7)."""
        sampler = NegativeSampler.from_config(config, split, item_count, device)
        return cls(sampler, config.loss.bpr_negatives, config.fidelity.next_item_mean)  # type: ignore[attr-defined]

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
        negatives = self.sampler.several(rows, self.negatives, generator)
        weights = weights_or(weights, hidden, lengths, self.mean)
        return bpr(hidden, targets, negatives, table, weights)


def bpr(hidden: Tensor, targets: Tensor, negatives: Tensor, table: Tensor, weights: Tensor) -> Tensor:
    """BPR for given negatives int64 [T, k], each token counting its ``weights`` [T]."""
    scores = sampled_scores(hidden, table, torch.cat((targets.unsqueeze(1), negatives), 1))  # [T, 1 + k]
    losses = F.softplus(scores[:, 1:] - scores[:, :1]).mean(1)  # −log σ(x) = softplus(−x)
    return (losses * weights).sum()
