"""Cross-entropy of the next item among all items (full softmax; FACTS, "Beyond the paper").

The scores of all tokens against all items are never kept: some tokens are taken at a time, and both gradients are
summed on the way, since each token's weight in the loss is known beforehand. That costs three products of tokens ×
items × d, the fewest there are, and memory for one block.

Legend: T tokens, B tokens of a block, I items, d hidden size.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.losses.weights import weights_or
from engine.modules.linear import ROWS_MULTIPLE, arranged, even_rows, held_at_once, reduced_type, times_transposed
from engine.modules.ways import is_host

_RAREST = 1e-30
"""Smaller chances have lost digits, and their logarithm with them."""


class CrossEntropy:
    """−log softmax(h · E)[next], averaged over real tokens or over users. It draws nothing."""

    def __init__(self, mean: Literal["tokens", "users"] = "tokens", dtype: torch.dtype | None = None) -> None:
        """``dtype``: what the products are computed in; None for the hidden states' own."""
        self.mean = mean
        self.dtype = dtype

    @classmethod
    def from_config(
        cls,
        config: ExperimentConfig,
        split: LeaveOneOut,  # noqa: ARG003 - other losses draw negatives
        item_count: int,  # noqa: ARG003
        device: torch.device,  # noqa: ARG003
    ) -> Self:
        """The loss that ``config`` describes."""
        return cls(config.fidelity.next_item_mean, reduced_type(config.train.precision))

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,  # noqa: ARG002 - whose token it is matters to those who draw negatives
        lengths: Tensor,
        weights: Tensor | None = None,
        generator: torch.Generator | None = None,  # noqa: ARG002
    ) -> Tensor:
        """The batch's loss, a scalar. hidden [T, d], targets int64 [T] (1…I), item table [I + 2, d], lengths [N], or
        what each token counts, [T]."""
        weights = weights_or(weights, hidden, lengths, self.mean)
        return cross_entropy(hidden, targets, table, weights, dtype=self.dtype)


def cross_entropy(
    hidden: Tensor,
    targets: Tensor,
    table: Tensor,
    weights: Tensor,
    scores_at_once: int | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Σ weights · (log Σ_j exp(h·e_j) − h·e_target), j over the items 1…I: neither padding nor mask is a candidate.

    hidden [T, d], targets int64 [T], table [I + 2, d], weights [T] → scalar. ``dtype`` of the products is that of
    ``hidden`` where nothing is said; softmax and sums are ``hidden``'s in any case.
    """
    if scores_at_once is None:
        scores_at_once = held_at_once(hidden.device)
    result: Tensor = _CrossEntropy.apply(hidden, targets, table, weights, scores_at_once, dtype or hidden.dtype)
    return result


class _CrossEntropy(torch.autograd.Function):
    """The loss, and with it both gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        weights: Tensor,
        scores_at_once: int,
        dtype: torch.dtype,
    ) -> Tensor:
        """See `cross_entropy`."""
        items = table[1:-1].to(dtype)  # [I, d]
        across = items.t().contiguous()  # [d, I]
        d_across = torch.zeros_like(across, dtype=hidden.dtype)
        tokens, count = hidden.shape[0], items.shape[0]
        step = even_rows(tokens, scores_at_once // max(count, 1))
        idle = -tokens % ROWS_MULTIPLE
        rows = F.pad(hidden, (0, 0, 0, idle)).to(dtype)  # [T', d]
        factors = F.pad(weights, (0, idle)).unsqueeze(1)  # [T', 1]
        columns = F.pad(targets - 1, (0, idle)).unsqueeze(1)
        d_hidden = hidden.new_empty(rows.shape)
        total = hidden.new_zeros(())
        forth, back = arranged(items, step), arranged(across, step)
        for begin in range(0, rows.shape[0], step):
            part = slice(begin, begin + step)
            block, factor = rows[part], factors[part]  # [B, d], [B, 1]
            scores = times_transposed(block, forth)  # [B, I]
            losses, chances = _losses_and_chances(scores, columns[part], block, items, hidden.dtype)
            total += (losses * factor).sum()
            d_hidden[part] = times_transposed(chances, back) * factor
            # Each token's factor goes to the narrow side of the product and spares a pass over the chances.
            d_across += times_transposed((block * factor).to(dtype).t(), chances.t())
        d_hidden = d_hidden[:tokens].addcmul_(table[targets], weights.unsqueeze(1), value=-1)
        d_table = torch.zeros_like(table)
        d_table[1:-1] = d_across.t()
        d_table.index_add_(0, targets, hidden * weights.unsqueeze(1), alpha=-1)
        ctx.save_for_backward(d_hidden, d_table)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient of the loss, a scalar → those of ``hidden`` and ``table``."""
        d_hidden, d_table = ctx.saved_tensors
        return gradients[0] * d_hidden, None, gradients[0] * d_table, None, None, None


def _losses_and_chances(
    scores: Tensor, columns: Tensor, block: Tensor, items: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """−log softmax of the targets, [B, 1] of ``dtype``, and the softmax, [B, I] of the type of ``scores``, which are
    written over.

    ``columns`` [B, 1] are the targets; block [B, d] · items [I, d]ᵀ are the scores.
    """
    own = scores.gather(1, columns).to(dtype)
    if not is_host(scores.device):
        given, scores = scores.dtype, scores.to(dtype)
        # Two more passes over the block, and nothing that the host would have to wait for.
        highest = scores.amax(1, keepdim=True)
        chances = torch.softmax(scores, 1, out=scores)
        # The likeliest item's chance is exp(0) / norm.
        return highest - chances.amax(1, keepdim=True).log() - own, chances.to(given)
    # It sums in float32 whatever it is given; what it gives would be rounded for the next product anyway.
    chances = torch.softmax(scores, 1, out=scores)
    likely = chances.gather(1, columns).to(dtype)
    losses = -likely.log()
    rare = (likely < _RAREST).squeeze(1).nonzero().squeeze(1)
    for rows in rare.split(ROWS_MULTIPLE):
        again = times_transposed(block[rows], items).to(own.dtype)
        losses[rows] = again.logsumexp(1, keepdim=True) - own[rows]
    return losses, chances
