"""Attention by the compiled code (attention.c): `engine.modules.attention` in one call a direction.

Legend: M slots, d hidden size, H heads.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.modules.dropout import Draws, draws
from engine.modules.kernels import Dropout, dropout_of, integers, pointers
from engine.modules.layout import Group, end_of

_ELEMENTS_AT_ONCE = 4096
"""Probabilities of a head in one piece of work: enough to make taking it cheap, few enough to share out evenly."""


class _Group(ctypes.Structure):
    """``group_t`` of attention.c."""

    _fields_ = [
        *integers("start", "count", "length"),
        *pointers("hidden", "hidden_end"),
        *integers("hidden_across_sequences", "hidden_across_queries", "first_element", "at_once"),
    ]


class _Job(ctypes.Structure):
    """``job_t`` of attention.c."""

    _fields_ = [
        *pointers("projected", "out", "softmax", "gradient", "d_projected", "groups"),
        *integers("group_count", "heads", "size"),
        ("dropout", Dropout),
        *pointers("scratch"),
        *integers("scratch_each", "next_piece", "next_member"),
    ]


class CompiledAttention(torch.autograd.Function):
    """softmax(QKᵀ / √(d/H)) V with dropout on the probabilities, of every group."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, heads: int, groups: tuple[Group, ...], p: float, library: Any) -> Tensor:
        """projected [M, 3d] (query, key, value side by side) → [M, d]. Rows of slots of no group are 0."""
        rows, size = projected.shape[0], projected.shape[1] // 3
        projected = projected.contiguous()
        elements = sum(heads * group.count * group.length**2 for group in groups)
        drawn = draws(elements, p) if p else None
        out, softmax = projected.new_empty(rows, size), projected.new_empty(rows, heads, 2)
        out[end_of(groups) :] = 0
        ctx.save_for_backward(projected, out, softmax)
        ctx.rest = (heads, groups, drawn, library)
        if groups:
            job, _kept = _job(projected, out, softmax, heads, groups, drawn, library)
            library.coserec_attend(ctypes.byref(job), torch.get_num_threads())
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient of the output [M, d] → gradient of ``projected`` [M, 3d]."""
        projected, out, softmax = ctx.saved_tensors
        heads, groups, drawn, library = ctx.rest
        gradient, result = gradients[0].contiguous(), torch.empty_like(projected)
        result[end_of(groups) :] = 0
        if groups:
            job, _kept = _job(projected, out, softmax, heads, groups, drawn, library)
            job.gradient, job.d_projected = gradient.data_ptr(), result.data_ptr()
            library.coserec_attend_backward(ctypes.byref(job), torch.get_num_threads())
        return result, None, None, None, None


def _job(
    projected: Tensor,
    out: Tensor,
    softmax: Tensor,
    heads: int,
    groups: tuple[Group, ...],
    drawn: Draws | None,
    library: Any,
) -> tuple[_Job, tuple[Any, ...]]:
    """What attention.c is told, and what must live until it has come back."""
    size, begin = out.shape[1], 0
    masks = [group.hidden if group.hidden.stride(-1) == 1 else group.hidden.contiguous() for group in groups]
    table = (_Group * len(groups))()
    for place, (group, hidden) in enumerate(zip(groups, masks, strict=True)):
        table[place] = _group(group, hidden, begin)
        begin += heads * group.count * group.length**2
    each = library.coserec_attention_scratch(max(group.length for group in groups), size // heads)
    scratch = out.new_empty(torch.get_num_threads() * each)
    pointers = (projected.data_ptr(), out.data_ptr(), softmax.data_ptr(), None, None, ctypes.addressof(table))
    job = _Job(*pointers, len(groups), heads, size, dropout_of(drawn), scratch.data_ptr(), each, 0, 0)
    return job, (table, scratch, masks)


def _group(group: Group, hidden: Tensor, begin: int) -> _Group:
    """What attention.c is told of a group whose first probability is number ``begin``; ``hidden`` must live on."""
    across = (0, *hidden.stride()) if hidden.dim() == 2 else hidden.stride()
    last = sum((many - 1) * step for many, step in zip(hidden.shape, hidden.stride(), strict=True))
    at_once = max(1, _ELEMENTS_AT_ONCE // group.length**2)
    first = hidden.data_ptr()
    places = (group.start, group.count, group.length)
    return _Group(*places, first, first + last + 1, across[0], across[1], begin, at_once)
