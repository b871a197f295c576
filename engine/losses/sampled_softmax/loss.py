"""Cross-entropy of the next item among itself and k drawn negatives.

Drawn for each position, the negatives' embeddings are gathered some tokens at a time (`engine.losses.sampled`). Shared
by the batch, the scores are one product of tokens × k × d; what is among a user's own items is then taken out of that
user's sum.
"""

from __future__ import annotations

import math
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.losses.negatives import NegativeSampler
from engine.losses.sampled import sampled_scores
from engine.losses.weights import weights_or


class SampledSoftmax:
    """−log (exp h·e_next / (exp h·e_next + Σ_negatives exp h·e)), averaged over real tokens or over users."""

    def __init__(
        self,
        sampler: NegativeSampler,
        item_count: int,
        negatives: int = 256,
        *,
        sharing: Literal["position", "batch"] = "batch",
        partition: Literal["sampled", "all"] = "sampled",
        mean: Literal["tokens", "users"] = "tokens",
    ) -> None:
        self.sampler = sampler
        self.negatives = negatives
        self.sharing = sharing
        self.mean = mean
        self.shift = math.log(max(item_count - 1, 1) / negatives) if partition == "all" else 0.0
        """What a negative's score is raised by: the log of the items that it stands for."""

    @classmethod
    def from_config(cls, config: ExperimentConfig, split: LeaveOneOut, item_count: int, device: torch.device) -> Self:
        """The loss that ``config`` describes, with its negatives (FACTS F7)."""
        options = config.loss
        return cls(
            NegativeSampler.from_config(config, split, item_count, device),
            item_count,
            options.softmax_negatives,  # type: ignore[attr-defined]
            sharing=options.softmax_sharing,  # type: ignore[attr-defined]
            partition=options.softmax_partition,  # type: ignore[attr-defined]
            mean=config.fidelity.next_item_mean,
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
        if self.sharing == "position":
            negatives = self.sampler.several(rows, self.negatives, generator)
            scores = sampled_scores(hidden, table, torch.cat((targets.unsqueeze(1), negatives), 1))
            return softmax_loss(scores[:, 0], scores[:, 1:] + self.shift, weights)
        # Whose item it is does not change from token to token of a user.
        users = rows[(lengths.cumsum(0) - 1).clamp_(min=0)]
        items, of_user = self.sampler.shared(users, self.negatives, generator)
        is_negative = of_user.repeat_interleave(lengths, 0, output_size=len(rows))  # [T, k]
        own = (F.embedding(targets, table) * hidden).sum(1)
        others = hidden @ F.embedding(items, table).t() + self.shift  # [T, k]
        return softmax_loss(own, others.masked_fill(~is_negative, -torch.inf), weights)


def softmax_loss(own: Tensor, others: Tensor, weights: Tensor) -> Tensor:
    """Σ weights · (log(exp own + Σ_k exp others) − own): own [T], others [T, k], weights [T] → scalar."""
    total = torch.cat((own.unsqueeze(1), others), 1).logsumexp(1)  # finite, even where every negative was taken out
    return ((total - own) * weights).sum()
