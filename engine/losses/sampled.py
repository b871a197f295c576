"""Scores of k drawn items a token, in bounded memory.

The embeddings of all drawn items, [T, k, d], are never held: some tokens are taken at a time, forward and backward, and
only the scores [T, k] stay. Whatever a loss makes of them is then ordinary arithmetic on [T, k].

Legend: T tokens, k drawn items a token, d hidden size, I items, B tokens of a block.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.modules.linear import held_at_once


def sampled_scores(hidden: Tensor, table: Tensor, items: Tensor, at_once: int | None = None) -> Tensor:
    """hidden [T, d], item table [I + 2, d], items int64 [T, k] → h · e_item, [T, k].

    ``at_once``: numbers of the gathered embeddings to hold, `held_at_once` where nothing is said.
    """
    if at_once is None:
        at_once = held_at_once(hidden.device)
    result: Tensor = _SampledScores.apply(hidden, table, items, at_once)
    return result


class _SampledScores(torch.autograd.Function):
    """Gathers twice rather than keep what it gathered."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, items: Tensor, at_once: int) -> Tensor:
        """See `sampled_scores`."""
        scores = hidden.new_empty(items.shape)
        for part in _blocks(items, hidden.shape[1], at_once):
            scores[part] = torch.bmm(table[items[part]], hidden[part].unsqueeze(2)).squeeze(2)
        ctx.save_for_backward(hidden, table, items)
        ctx.at_once = at_once
        return scores

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient of the scores, [T, k] → those of ``hidden`` and ``table``."""
        hidden, table, items = ctx.saved_tensors
        d_scores = gradients[0]
        d_hidden = torch.empty_like(hidden)
        d_table = torch.zeros_like(table)
        for part in _blocks(items, hidden.shape[1], ctx.at_once):
            block, chosen = d_scores[part], items[part]
            d_hidden[part] = torch.bmm(block.unsqueeze(1), table[chosen]).squeeze(1)
            d_chosen = torch.bmm(block.unsqueeze(2), hidden[part].unsqueeze(1))  # [B, k, d]
            d_table.index_add_(0, chosen.flatten(), d_chosen.flatten(0, 1))
        return d_hidden, d_table, None, None


def _blocks(items: Tensor, d: int, at_once: int) -> list[slice]:
    tokens, k = items.shape
    step = max(1, at_once // max(k * d, 1))
    return [slice(begin, begin + step) for begin in range(0, tokens, step)]
