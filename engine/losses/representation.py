"""What represents a sequence in the contrastive loss, and how alike two representations are (§4.2, FACTS F8, F14).

Legend: S views in M slots of a layout, d hidden size, L = max_length.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.modules.layout import Layout

Representation = Literal["real_concat", "padded_concat", "last", "mean"]


def gram(hidden: Tensor, layout: Layout, representation: Representation) -> Tensor:
    """Dot product of every two views' representations. hidden [M, d] → [S, S].

    ``padded_concat`` needs a padded layout, the others a packed one.
    """
    if representation == "real_concat":
        return _gram_of_real_positions(hidden, layout)
    rows = represent(hidden, layout, representation)
    return rows @ rows.t()


def represent(hidden: Tensor, layout: Layout, representation: Representation) -> Tensor:
    """The representations themselves. hidden [M, d] → [S, d] (last, mean) or [S, L · d] (concatenations)."""
    size, count = hidden.shape[1], layout.lengths.shape[0]
    rows = torch.arange(count, device=hidden.device)
    if representation == "padded_concat":
        return hidden.view(count, layout.max_length * size)
    if representation == "real_concat":
        return _positions(hidden, layout, 0, layout.max_length, rows).flip(1).reshape(count, -1)
    if representation == "last":
        return _positions(hidden, layout, 0, 1, rows).squeeze(1)
    total = _positions(hidden, layout, 0, layout.max_length, rows).sum(1)
    return total / layout.lengths.clamp(min=1).unsqueeze(1)


def _positions(hidden: Tensor, layout: Layout, begin: int, end: int, rows: Tensor) -> Tensor:
    """Hidden states of the tokens ``begin … end − 1`` places before the last, [R, end − begin, d]; 0 where there is
    none."""
    slots, exists = layout.from_right(begin, end, rows)
    return F.embedding(slots, hidden) * exists.unsqueeze(-1)


def _gram_of_real_positions(hidden: Tensor, layout: Layout) -> Tensor:
    """Σ over positions of the products of the views that have it: the concatenation's dot product, without its zeros.

    Views are right-aligned, and few are long: of all (pair, position) combinations of Beauty, a twelfth is real. Bands
    of doubling width, counted from the last position, are enough to skip nearly all others.
    """
    count = layout.lengths.shape[0]
    on_host = hidden.device.type == "cpu"
    order = torch.argsort(layout.lengths, descending=True, stable=True)
    longest_first = layout.lengths[order]
    total = hidden.new_zeros(count, count)
    begin = 0
    while begin < layout.max_length:
        end = min(max(2 * begin, begin + 1), layout.max_length)
        # Only a host knows without waiting how many views reach this far.
        reaching = int((longest_first > begin).sum()) if on_host else count
        if not reaching:
            break
        band = _positions(hidden, layout, begin, end, order[:reaching]).flatten(1)  # [R, (end − begin) · d]
        missing = count - reaching
        total = total + F.pad(band @ band.t(), (0, missing, 0, missing))
        begin = end
    back = torch.argsort(order)
    return total[back][:, back]
