"""What represents a sequence in the contrastive loss, and how alike two representations are (§4.2, FACTS F8, F14).

Legend: S views in M slots of a layout, d hidden size, L = max_length.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.modules.layout import Layout
from engine.modules.linear import ROWS_MULTIPLE, times_transposed
from engine.modules.ways import sent

Representation = Literal["real_concat", "padded_concat", "last", "mean"]


def gram(hidden: Tensor, layout: Layout, representation: Representation) -> Tensor:
    """Dot product of every two views' representations. hidden [M, d] → [S, S].

    ``padded_concat`` needs a padded layout, the others a packed one.
    """
    if representation == "real_concat":
        return _gram_of_real_positions(hidden, layout)
    return products(represent(hidden, layout, representation))


def products(rows: Tensor) -> Tensor:
    """Dot product of every two of the ``rows`` [S, D] → [S, S]."""
    result: Tensor = _Gram.apply(rows)
    return result


def represent(hidden: Tensor, layout: Layout, representation: Representation) -> Tensor:
    """The representations themselves. hidden [M, d] → [S, d] (last, mean) or [S, L · d] (concatenations)."""
    size, count = hidden.shape[1], layout.lengths.shape[0]
    rows = torch.arange(count, device=layout.lengths.device)
    if representation == "padded_concat":
        return hidden.view(count, layout.max_length * size)
    if representation == "real_concat":
        return _positions(hidden, layout, 0, layout.max_length, rows).flip(1).reshape(count, -1)
    if representation == "last":
        return _positions(hidden, layout, 0, 1, rows).squeeze(1)
    total = _positions(hidden, layout, 0, layout.max_length, rows).sum(1)
    return total / sent(layout.lengths.clamp(min=1).unsqueeze(1), hidden.device)


def _positions(hidden: Tensor, layout: Layout, begin: int, end: int, rows: Tensor) -> Tensor:
    """Hidden states of the tokens ``begin … end − 1`` places before the last, [R, end − begin, d]; 0 where there is
    none."""
    slots, exists = layout.from_right(begin, end, rows)
    return F.embedding(slots, hidden) * exists.unsqueeze(-1)


def _gram_of_real_positions(hidden: Tensor, layout: Layout) -> Tensor:
    """Σ over positions of the products of the views that have it: the concatenation's dot product, without its zeros.

    Views are right-aligned, and few are long. Bands of doubling width, counted from the last position, skip nearly all
    pairs of which one view does not reach a position.
    """
    count = layout.lengths.shape[0]
    order = torch.argsort(layout.lengths, descending=True, stable=True)
    longest_first = layout.lengths[order]
    total = hidden.new_zeros(count, count)
    begin = 0
    while begin < layout.max_length:
        reaching = int((longest_first > begin).sum())
        if not reaching:
            break
        # Few distinct shapes: the products are compiled for each of them.
        reaching = min(count, reaching + -reaching % ROWS_MULTIPLE)
        end = min(max(2 * begin, 1), layout.max_length)
        band = _positions(hidden, layout, begin, end, order[:reaching]).flatten(1)  # [R, (end − begin) · d]
        missing = count - reaching
        total = total + F.pad(_Gram.apply(band), (0, missing, 0, missing))
        begin = end
    result: Tensor = _Permuted.apply(total, sent(torch.argsort(order), hidden.device), sent(order, hidden.device))
    return result


class _Gram(torch.autograd.Function):
    """x xᵀ. Its gradient is one product, (g + gᵀ) x, where autograd would take two."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """x [R, D] → [R, R]."""
        ctx.save_for_backward(x)
        return times_transposed(x, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Gradient [R, R] → [R, D]."""
        (x,) = ctx.saved_tensors
        return times_transposed(gradients[0] + gradients[0].t(), x.t())


class _Permuted(torch.autograd.Function):
    """Rows and columns of a square array in another order. Its gradient is the order undone, and not a scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, back: Tensor) -> Tensor:
        """x [S, S] → x[order][:, order]; ``back`` undoes ``order``."""
        ctx.save_for_backward(back)
        return x[order][:, order]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient [S, S] → [S, S]."""
        (back,) = ctx.saved_tensors
        return gradients[0][back][:, back], None, None
