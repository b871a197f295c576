"""Layer normalisation with dropout and the sum before it by the compiled code (norm.c), in one call a direction.

Legend: M rows, d hidden size.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from engine.modules import kernels
from engine.modules.dropout import Draws, Dropout, draws
from engine.modules.kernels import dropout_of, integers, pointers

ROWS_AT_ONCE = 128
WIDEST = 1024
"""The same of norm.c: a test compares them."""
_PADDING = 0
"""The item that never learns (FACTS F14)."""


class _Job(ctypes.Structure):
    """``job_t`` of norm.c."""

    _fields_ = [
        *pointers("x", "y", "x_rows", "y_rows", "weight", "bias", "out", "moments", "gradient", "d_x", "d_y"),
        *pointers("d_weights"),
        *integers("rows", "size", "x_count", "y_count"),
        ("eps", ctypes.c_double),
        ("dropout", kernels.Dropout),
        *integers("drops_after", "next_piece", "strays"),
    ]


class _Joined(torch.autograd.Function):
    """LayerNorm(x + dropout(y))."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, eps: float, p: float, library: Any
    ) -> Tensor:
        """x, y [M, d], weight, bias [d] → [M, d]."""
        x, y = x.contiguous(), y.contiguous()
        drawn = draws(x.numel(), p) if p else None
        out, moments = torch.empty_like(x), x.new_empty(x.shape[0], 3)
        job = _job(out, moments, x, y, weight, bias, eps, drawn)
        library.coserec_norm(ctypes.byref(job), torch.get_num_threads())
        ctx.save_for_backward(x, y, weight, bias, moments)
        ctx.rest = (eps, drawn, library)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient [M, d] → those of x, y, weight and bias."""
        x, y, weight, bias, moments = ctx.saved_tensors
        eps, drawn, library = ctx.rest
        job = _job(x, moments, x, y, weight, bias, eps, drawn)
        d_x = torch.empty_like(x)
        d_y = d_x if drawn is None else torch.empty_like(x)
        d_weight, d_bias = _backward(job, library, gradients[0], d_x, None if drawn is None else d_y)
        return d_x, d_y, d_weight, d_bias, None, None, None


class _Embedded(torch.autograd.Function):
    """dropout(LayerNorm(items[rows] + positions[places]))."""

    @staticmethod
    def forward(
        ctx: Any,
        items: Tensor,
        positions: Tensor,
        rows: Tensor,
        places: Tensor,
        weight: Tensor,
        bias: Tensor,
        eps: float,
        p: float,
        library: Any,
    ) -> Tensor:
        """Tables items [I, d] and positions [L, d], rows and places int64 [M], weight and bias [d] → [M, d].

        Raises ``IndexError`` where a table has no such row.
        """
        size = items.shape[1]
        drawn = draws(rows.numel() * size, p) if p else None
        out, moments = items.new_empty(rows.numel(), size), items.new_empty(rows.numel(), 3)
        job = _job(out, moments, items, positions, weight, bias, eps, drawn, rows, places)
        library.coserec_norm(ctypes.byref(job), torch.get_num_threads())
        if job.strays:
            tables = f"{items.shape[0]} items and {positions.shape[0]} positions"
            raise IndexError(f"{job.strays} rows to embed are not in the tables of {tables}")
        ctx.save_for_backward(items, positions, rows, places, weight, bias, moments)
        ctx.rest = (eps, drawn, library)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient [M, d] → those of the tables, weight and bias."""
        items, positions, rows, places, weight, bias, moments = ctx.saved_tensors
        eps, drawn, library = ctx.rest
        job = _job(gradients[0], moments, items, positions, weight, bias, eps, drawn, rows, places)
        d_z = torch.empty_like(gradients[0], memory_format=torch.contiguous_format)
        d_weight, d_bias = _backward(job, library, gradients[0], d_z, None)
        d_items = torch.ops.aten.embedding_dense_backward(d_z, rows, items.shape[0], _PADDING, False)
        d_positions = torch.ops.aten.embedding_dense_backward(d_z, places, positions.shape[0], -1, False)
        return d_items, d_positions, None, None, d_weight, d_bias, None, None, None


def _job(
    like: Tensor,
    moments: Tensor,
    x: Tensor,
    y: Tensor,
    weight: Tensor,
    bias: Tensor,
    eps: float,
    drawn: Draws | None,
    rows: Tensor | None = None,
    places: Tensor | None = None,
) -> _Job:
    """What norm.c is told; ``like`` [M, d] is where the result goes."""
    job = _Job(x=x.data_ptr(), y=y.data_ptr(), weight=weight.data_ptr(), bias=bias.data_ptr(), out=like.data_ptr())
    job.moments, job.rows, job.size, job.eps = moments.data_ptr(), *like.shape, eps
    job.dropout = dropout_of(drawn)
    if rows is not None and places is not None:
        job.x_rows, job.y_rows, job.drops_after = rows.data_ptr(), places.data_ptr(), 1
        job.x_count, job.y_count = x.shape[0], y.shape[0]
    return job


def _backward(job: _Job, library: Any, gradient: Tensor, d_x: Tensor, d_y: Tensor | None) -> tuple[Tensor, Tensor]:
    """Fill ``d_x`` and ``d_y`` [M, d] from ``gradient`` [M, d]; returns the gradients of weight and bias, [d] each.

    Sums of 128 rows each are added by PyTorch: whoever computed them, they are the same.
    """
    gradient = gradient.contiguous()
    shares = gradient.new_empty(-(-gradient.shape[0] // ROWS_AT_ONCE), 2, gradient.shape[1])
    job.gradient, job.d_x, job.d_weights = gradient.data_ptr(), d_x.data_ptr(), shares.data_ptr()
    job.d_y = None if d_y is None else d_y.data_ptr()
    library.coserec_norm_backward(ctypes.byref(job), torch.get_num_threads())
    d_weight, d_bias = shares.sum(0)
    return d_weight, d_bias


def joined_norm(x: Tensor, y: Tensor, norm: nn.LayerNorm, dropout: Dropout) -> Tensor:
    """``norm(dropout.add(x, y))``: LayerNorm(x + dropout(y)); x, y [M, d] → [M, d]."""
    library = _library(norm, x, y) if x.shape == y.shape else None
    if library is None:
        result: Tensor = norm(dropout.add(x, y))
        return result
    p = dropout.p if dropout.is_active else 0.0
    joined: Tensor = _Joined.apply(x, y, norm.weight, norm.bias, norm.eps, p, library)
    return joined


def embedded_norm(
    items: nn.Embedding, rows: Tensor, positions: nn.Embedding, places: Tensor, norm: nn.LayerNorm, dropout: Dropout
) -> Tensor:
    """``dropout(norm(items(rows) + positions(places)))``; rows, places int64 [M] → [M, d].

    Raises ``IndexError`` where a table has no such row.
    """
    fits = rows.dtype == places.dtype == torch.int64 and rows.shape == places.shape and items.padding_idx == _PADDING
    library = _library(norm, tables=(items.weight, positions.weight)) if fits else None
    if library is None:
        return dropout(norm(items(rows) + positions(places)))
    p = dropout.p if dropout.is_active else 0.0
    given = (items.weight, positions.weight, rows.contiguous(), places.contiguous())
    embedded: Tensor = _Embedded.apply(*given, norm.weight, norm.bias, norm.eps, p, library)
    return embedded


def _library(norm: nn.LayerNorm, *rows: Tensor, tables: tuple[Tensor, ...] = ()) -> Any | None:
    """The compiled code where it is written for such rows."""
    weights = (norm.weight, norm.bias, *tables)
    return kernels.library_for(*rows, weights=weights) if norm.weight.shape[0] <= WIDEST else None
