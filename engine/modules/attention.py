"""Causal multi-head self-attention on packed rows (§3.2; Vaswani et al. 2017, §3.2).

Legend: M slots, d hidden size, H heads, n sequences of L slots in one group of the layout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.modules import kernels
from engine.modules.dropout import Dropout, dropout_mask
from engine.modules.kernels.attention import CompiledAttention
from engine.modules.layout import Group, Layout, end_of
from engine.modules.linear import linear, sum_type
from engine.modules.ways import is_host

Watcher = Callable[[Layout, list[Tensor]], None]
"""Is given a forward pass's layout and, for each of its groups, the softmaxes [H, n, L, L], query × key, undropped."""


class PackedAttention(nn.Module):
    """softmax(QKᵀ / √(d/H)) V with dropout on the probabilities: what has no weights in attention.

    Queries, keys and values are projected already, of whatever rows a model takes them from.
    """

    def __init__(self, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = Dropout(dropout)
        self.watcher: Watcher | None = None

    def forward(self, projected: Tensor, layout: Layout) -> Tensor:
        """projected [M, 3d] (query, key, value side by side) → [M, d]. Rows of slots that are not real are undefined
        but finite."""
        dtype = projected.dtype
        if self.watcher is not None:
            self.watcher(layout, _softmaxes(projected.detach().to(sum_type(dtype)), self.heads, layout.groups)[1])
        p = self.dropout.p if self.dropout.is_active else 0.0
        if not is_host(projected.device):
            return _attend_on_device(projected, self.heads, layout.groups, p)
        # A twentieth of the work: not worth a softmax of less than float32.
        projected = projected.to(sum_type(dtype))
        library = kernels.library_for(projected)
        if library is not None:
            context: Tensor = CompiledAttention.apply(projected, self.heads, layout.groups, p, library)
        else:
            context = _GroupedAttention.apply(projected, self.heads, layout.groups, p)
        return context.to(dtype)


class MultiHeadAttention(nn.Module):
    """Self-attention: query, key and value of the same rows, in one product, and a linear layer over the heads."""

    def __init__(self, hidden_size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(hidden_size, 3 * hidden_size)
        self.dense = nn.Linear(hidden_size, hidden_size)
        self.attend = PackedAttention(heads, dropout)

    def forward(self, x: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """x [M, d] → [M, d], or, of those ``slots`` int64 [K] alone, [K, d]. Rows of slots that are not real are
        undefined but finite."""
        context = self.attend(linear(self.query_key_value, x), layout)
        return linear(self.dense, context if slots is None else context[slots])


def has_attention(model: nn.Module) -> bool:
    """Whether a forward pass of the model goes through attention."""
    return any(isinstance(module, PackedAttention) for module in model.modules())


@contextmanager
def watched(model: nn.Module, watcher: Watcher) -> Iterator[int]:
    """Tell ``watcher`` of every attention of the model's forward passes, layer after layer; yields how many layers."""
    found = [module for module in model.modules() if isinstance(module, PackedAttention)]
    for module in found:
        module.watcher = watcher
    try:
        yield len(found)
    finally:
        for module in found:
            module.watcher = None


def _attend_on_device(projected: Tensor, heads: int, groups: tuple[Group, ...], p: float) -> Tensor:
    """The device's own fused kernel, a call a group. projected [M, 3d] → [M, d]."""
    size = projected.shape[1] // 3
    parts = []
    for group in groups:
        rows = projected[group.start : group.start + group.count * group.length]
        split = rows.view(group.count, group.length, 3, heads, size // heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each [n, H, L, d/H]
        mask = None if group.is_causal else ~group.hidden.unsqueeze(1)  # [n, 1, L, L]
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=p, is_causal=group.is_causal)
        parts.append(out.transpose(1, 2).reshape(-1, size))  # [n·L, d]
    return torch.cat(parts) if parts else projected[:, :size]


class _GroupedAttention(torch.autograd.Function):
    """Attention of every group, forward and backward by hand.

    One node instead of a dozen a group, no copies to bring heads to the front (the batched products read the strided
    rows as they are), and what is kept for the backward pass is the probabilities, before and after dropout, and the
    output.
    """

    @staticmethod
    def forward(ctx: Any, projected: Tensor, heads: int, groups: tuple[Group, ...], p: float) -> Tensor:
        """projected [M, 3d] (query, key, value side by side) → [M, d]."""
        rows, size = projected.shape[0], projected.shape[1] // 3
        out = projected.new_empty(rows, size)
        out[end_of(groups) :] = 0
        probabilities, blocks = _softmaxes(projected, heads, groups)
        thinned = probabilities
        if p:
            mask = dropout_mask(tuple(probabilities.shape), p, device=projected.device, dtype=projected.dtype)
            thinned = mask.mul_(probabilities)
        begin = 0
        for group, chosen in zip(groups, blocks, strict=True):
            end = begin + chosen.numel()
            kept = thinned[begin:end].view_as(chosen)
            values, results = _heads_of(projected, group, heads, 2), _heads_of(out, group, heads, 0, parts=1)
            for share, value, result in zip(kept.unbind(), values, results, strict=True):
                result.copy_(torch.bmm(share, value))  # [n, L, d/H]
            begin = end
        ctx.save_for_backward(projected, probabilities, thinned, out)
        ctx.layout = (heads, groups, 1 / math.sqrt(size // heads))
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient of the output [M, d] → gradient of ``projected`` [M, 3d].

        Softmax's own gradient needs Σ_j p_j g_j of every query, which is what its output and that one's gradient have
        in common: two passes over the probabilities then do what masks, softmax and scale would take five for.
        """
        projected, probabilities, thinned, out = ctx.saved_tensors
        heads, groups, scale = ctx.layout
        gradient = gradients[0].contiguous()
        result = torch.empty_like(projected)
        result[end_of(groups) :] = 0
        common = (gradient * out).view(out.shape[0], heads, out.shape[1] // heads).sum(-1).mul_(scale)  # [M, H]
        begin = 0
        for group in groups:
            query, key = (_heads_of(projected, group, heads, part) for part in (0, 1))
            value_turned = _heads_of(projected, group, heads, 2, is_turned=True)
            d_query, d_key, d_value = (_heads_of(result, group, heads, part) for part in (0, 1, 2))
            d_out = _heads_of(gradient, group, heads, 0, parts=1)
            end = begin + heads * group.count * group.length**2
            shape = (heads, group.count, group.length, group.length)
            chosen, kept = probabilities[begin:end].view(shape), thinned[begin:end].view(shape)
            d_scores = torch.empty_like(chosen)
            for head, (turned, d_share) in enumerate(zip(kept.mT.unbind(), d_scores.unbind(), strict=True)):
                d_value[head].copy_(torch.bmm(turned, d_out[head]))
                torch.baddbmm(d_share, d_out[head], value_turned[head], beta=0, alpha=scale, out=d_share)
            rows = common[group.start : group.start + group.count * group.length]
            shared = rows.view(group.count, group.length, heads).permute(2, 0, 1).unsqueeze(-1)  # [H, n, L, 1]
            d_scores.mul_(kept).addcmul_(chosen, shared, value=-1)
            for head, (straight, turned) in enumerate(zip(d_scores.unbind(), d_scores.mT.unbind(), strict=True)):
                d_query[head].copy_(torch.bmm(straight, key[head]))
                d_key[head].copy_(torch.bmm(turned, query[head]))
            begin = end
        return result, None, None, None


def _softmaxes(projected: Tensor, heads: int, groups: tuple[Group, ...]) -> tuple[Tensor, list[Tensor]]:
    """softmax(QKᵀ / √(d/H)) of every group. projected [M, 3d] → one flat array, and its views [H, n, L, L] a group."""
    scale = 1 / math.sqrt(projected.shape[1] // 3 // heads)
    flat = projected.new_empty(sum(heads * group.count * group.length**2 for group in groups))
    blocks, begin = [], 0
    for group in groups:
        end = begin + heads * group.count * group.length**2
        scores = flat[begin:end].view(heads, group.count, group.length, group.length)
        queries, keys = _heads_of(projected, group, heads, 0), _heads_of(projected, group, heads, 1, is_turned=True)
        for own, query, key in zip(scores.unbind(), queries, keys, strict=True):
            # own [n, L, L] = query [n, L, d/H] · keyᵀ [n, d/H, L] / √(d/H)
            torch.baddbmm(own, query, key, beta=0, alpha=scale, out=own)
        scores.masked_fill_(group.hidden, -math.inf)
        torch.softmax(scores, -1, out=scores)
        blocks.append(scores)
        begin = end
    return flat, blocks


def _heads_of(
    rows: Tensor, group: Group, heads: int, part: int, parts: int = 3, *, is_turned: bool = False
) -> list[Tensor]:
    """One of the ``parts`` of a group's rows [n·L, parts · d]: a view [n, L, d/H] for each head, or [n, d/H, L].

    Made in one go: with few sequences in a group, a slice, a view and two selections took longer than the product.
    """
    across, width = rows.stride(0), rows.shape[1] // (parts * heads)
    begin = rows.storage_offset() + group.start * across + part * heads * width
    shape, steps = (group.count, group.length, width), (group.length * across, across, 1)
    if is_turned:
        shape, steps = (shape[0], shape[2], shape[1]), (steps[0], steps[2], steps[1])
    return [rows.as_strided(shape, steps, begin + head * width) for head in range(heads)]
