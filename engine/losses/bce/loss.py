"""Binary cross-entropy with one uniform negative a position (Eq. 3, FACTS F7)."""

from __future__ import annotations

from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.losses.negatives import NegativeSampler
from engine.losses.weights import token_weights


class BinaryCrossEntropy:
    """−log σ(h·e_next) − log(1 − σ(h·e_negative)), averaged over real tokens or over users."""

    def __init__(self, sampler: NegativeSampler, mean: Literal["tokens", "users"] = "tokens") -> None:
        self.sampler = sampler
        self.mean = mean

    @classmethod
    def from_config(cls, config: ExperimentConfig, split: LeaveOneOut, item_count: int, device: torch.device) -> Self:
        """The loss that ``config`` describes, with its negatives (FACTS F7)."""
        return cls(NegativeSampler.from_config(config, split, item_count, device), config.fidelity.next_item_mean)

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The batch's loss, a scalar.

        hidden [T, d], targets int64 [T], item table [I + 2, d]; ``rows`` int64 [T] is the training user of each
        token, ``lengths`` int64 [N] the tokens of each user of the batch.
        """
        negatives = self.sampler(rows, generator)
        return bce(hidden, torch.stack((targets, negatives)), table, lengths if self.mean == "users" else None)


def bce(hidden: Tensor, candidates: Tensor, table: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Eq. 3 for given candidates int64 [2, T] (next item, negative). The mean over tokens, or, with the ``lengths``
    [N] of the users' tokens, the mean over users of each user's own mean (Algorithm 1, line 15)."""
    # One look-up for both: its gradient scatters into the item table once.
    chosen = F.embedding(candidates, table, padding_idx=0)  # [2, T, d]
    logits = (chosen * hidden).sum(-1)  # [2, T]
    # −log σ(x) = softplus(−x) and −log(1 − σ(x)) = softplus(x): no overflow where the published code adds 1e-24.
    losses = F.softplus(torch.stack((-logits[0], logits[1]))).sum(0)  # [T]
    return (losses * token_weights(hidden, lengths)).sum()
