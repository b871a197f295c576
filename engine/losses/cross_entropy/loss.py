"""Cross-entropy of the next item among all items (full softmax; FACTS, "Beyond the paper").

The scores of all tokens against all items are never kept: some tokens are taken at a time, and both gradients are
summed on the way, since each token's weight in the loss is known beforehand. That costs three products of tokens ×
items × d, the fewest there are, and memory for one block.

Legend: T tokens, B tokens of a block, I items, d hidden size.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import torch
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.losses.weights import token_weights

SCORES_AT_ONCE = {"cpu": 2**22, "cuda": 2**26}
"""Scores held at once, 16 MB on the CPU, about what its last cache holds …"""
_TOKENS_AT_LEAST = 64
"""… but never fewer tokens than this, below which the products are slow. A block is then as large as the item table."""


class CrossEntropy:
    """−log softmax(h · E)[next], averaged over real tokens or over users. It draws nothing."""

    def __init__(self, mean: Literal["tokens", "users"] = "tokens") -> None:
        self.mean = mean

    @classmethod
    def from_config(
        cls,
        config: ExperimentConfig,
        split: LeaveOneOut,  # noqa: ARG003 - other losses draw negatives
        item_count: int,  # noqa: ARG003
        device: torch.device,  # noqa: ARG003
    ) -> Self:
        """The loss that ``config`` describes."""
        return cls(config.fidelity.next_item_mean)

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,  # noqa: ARG002 - whose token it is matters to those who draw negatives
        lengths: Tensor,
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """The batch's loss, a scalar. hidden [T, d], targets int64 [T] (1…I), item table [I + 2, d], lengths [N]."""
        weights = token_weights(hidden, lengths if self.mean == "users" else None)
        return cross_entropy(hidden, targets, table, weights)


def cross_entropy(
    hidden: Tensor, targets: Tensor, table: Tensor, weights: Tensor, scores_at_once: int | None = None
) -> Tensor:
    """Σ weights · (log Σ_j exp(h·e_j) − h·e_target), j over the items 1…I: neither padding nor mask is a candidate.

    hidden [T, d], targets int64 [T], table [I + 2, d], weights [T] → scalar.
    """
    if scores_at_once is None:
        scores_at_once = SCORES_AT_ONCE.get(hidden.device.type, SCORES_AT_ONCE["cuda"])
    result: Tensor = _CrossEntropy.apply(hidden, targets, table, weights, scores_at_once)
    return result


class _CrossEntropy(torch.autograd.Function):
    """The loss, and with it both gradients."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, targets: Tensor, table: Tensor, weights: Tensor, scores_at_once: int
    ) -> Tensor:
        """See `cross_entropy`."""
        items = table[1:-1]  # [I, d]
        d_hidden, d_table = torch.empty_like(hidden), torch.zeros_like(table)
        d_items = d_table[1:-1]
        tokens, count = hidden.shape[0], items.shape[0]
        step = max(_TOKENS_AT_LEAST, scores_at_once // max(count, 1))
        buffer = hidden.new_empty(min(step, tokens), count)
        total = hidden.new_zeros(())
        for begin in range(0, tokens, step):
            block, weight = hidden[begin : begin + step], weights[begin : begin + step].unsqueeze(1)  # [B, d], [B, 1]
            next_item = items[targets[begin : begin + step] - 1]  # [B, d]
            scores = torch.mm(block, items.t(), out=buffer[: len(block)])  # [B, I]
            highest = scores.amax(1, keepdim=True)
            scores.sub_(highest).exp_()
            norm = scores.sum(1, keepdim=True)
            own = (block * next_item).sum(1, keepdim=True)
            total += ((norm.log() + highest - own) * weight).sum()
            # p = scores / norm; each token's factor goes to the narrow side of the products and spares a pass over p.
            factor = weight / norm
            d_hidden[begin : begin + step] = torch.mm(scores, items).mul_(factor).sub_(next_item * weight)
            d_items.addmm_(scores.t(), block * factor)
        d_table.index_add_(0, targets, hidden * weights.unsqueeze(1), alpha=-1)
        ctx.save_for_backward(d_hidden, d_table)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient of the loss, a scalar → those of ``hidden`` and ``table``."""
        d_hidden, d_table = ctx.saved_tensors
        return gradients[0] * d_hidden, None, gradients[0] * d_table, None, None
