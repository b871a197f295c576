"""Linear layers, and the feed-forward layer, at the speed the processor has.

On the CPU, PyTorch hands float32 products of these shapes (many rows, narrow weights) to MKL, which is two to three
times slower than oneDNN on processors that are not Intel's. oneDNN is in every PyTorch build for x86, but only an
operator meant for the compiler reaches it; where that operator is absent, or another device or type is used, the
plain product takes its place. Values agree to float32's rounding. The gradients of weights, which reduce over the rows,
are MKL's all the same.

Rows may be bfloat16 while the weights are float32 (``train.precision``): products then take both operands in bfloat16,
sum in float32 and give bfloat16, and the gradients of weights are summed in float32. A CPU without such products gets
the same values from float32 ones, at float32's speed: for reading, not for haste.

Legend: M rows, I inputs, O outputs, d hidden size, W = 4d the feed-forward width.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.modules import kernels
from engine.modules.kernels.feed_forward import CompiledFeedForward
from engine.modules.kernels.linear import has_whole_panels, linear_backward
from engine.modules.ways import is_host

_FEWEST_ROWS = 64
"""Below which products with a large table are slow."""
ROWS_MULTIPLE = 32
"""Products are compiled for their exact shape when it is first seen, so few shapes are worth idle rows."""
_ROWS_AT_ONCE = 2048
"""Rows computed together by the feed-forward layer, whose wide activations then stay in the processor's cache, and by
bfloat16's gradients of weights."""

CACHED = 2**21
"""Numbers that the processor's last cache holds beside others: 8 MB of float32."""


def held_at_once(device: torch.device, elsewhere: int = 2**26) -> int:
    """How many numbers a computation in blocks holds at a time: what stays in the processor's cache, or so many
    ``elsewhere``, where few large calls are quicker than many small ones."""
    return CACHED if is_host(device) else elsewhere


@cache
def _has_onednn() -> bool:
    """Whether oneDNN's product is there and does what it says."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    return _multiplies_by(lambda weight: weight)


def _multiplies_by(arrange: Callable[[Tensor], Tensor]) -> bool:
    """Whether oneDNN's product of a weight that ``arrange`` has changed is the plain one."""
    x, weight = torch.arange(6.0).view(3, 2), torch.arange(8.0).view(4, 2)
    return torch.equal(torch.ops.mkldnn._linear_pointwise(x, arrange(weight), None, "none", [], ""), x @ weight.t())


def reduced_type(precision: Literal["float32", "bfloat16"]) -> torch.dtype | None:
    """What ``train.precision`` lets products be computed in; None for the operands' own type."""
    return torch.bfloat16 if precision == "bfloat16" else None


def sum_type(dtype: torch.dtype) -> torch.dtype:
    """What numbers of ``dtype`` are summed in: at least float32."""
    return torch.promote_types(dtype, torch.float32)


@cache
def has_bfloat16() -> bool:
    """Whether this CPU's products take bfloat16."""
    return _has_onednn() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _is_fast(x: Tensor) -> bool:
    return is_host(x.device) and x.dtype in (torch.float32, torch.bfloat16) and _has_onednn()


def times_transposed(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [M, I] · weightᵀ [I, O] + bias [O] → [M, O], outside autograd; all of one type."""
    if not _is_fast(x) or not x.numel():
        return F.linear(x, weight, bias)
    if x.dtype == torch.bfloat16 and not has_bfloat16():
        return times_transposed(x.float(), weight.float(), None if bias is None else bias.float()).bfloat16()
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


@cache
def _can_arrange() -> bool:
    """Whether weights can be put into oneDNN's own order, and products of them are right."""
    if not _has_onednn() or not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    return _multiplies_by(lambda weight: torch.ops.mkldnn._reorder_linear_weight(weight, 3))


def arranged(weight: Tensor, rows: int) -> Tensor:
    """``weight`` [O, I] in the order in which `times_transposed` reads it quickest, for many products of ``rows`` rows.

    It is put into that order for every product otherwise. Good for nothing else than to be its second argument.
    """
    if not _is_fast(weight) or not weight.numel() or not _can_arrange():
        return weight
    if weight.dtype == torch.bfloat16 and not has_bfloat16():
        return weight
    own: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    return own


def even_rows(rows: int, at_most: int) -> int:
    """Rows of a block, where ``rows`` are multiplied with a large table a block at a time: about ``at_most``, never
    fewer than a product is quick with, and as many in the last block, for a short one is a slow one."""
    blocks = max(1, round(rows / max(at_most, _FEWEST_ROWS)))
    return max(ROWS_MULTIPLE, -(-rows // (blocks * ROWS_MULTIPLE)) * ROWS_MULTIPLE)


def _weight_gradient(gradient: Tensor, x: Tensor) -> Tensor:
    """gradientᵀ [O, M] · x [M, I] → [O, I]: a long reduction, which the plain product shares out among the threads.

    oneDNN's operator copies both sides turned, with one thread, and was measured to be no quicker with two threads than
    with one. Reduced types go some rows at a time: sums between the blocks are float32, and oneDNN, which the plain
    product is then computed by, keeps memory of the operands' size for every length it reduces over.
    """
    if x.dtype == torch.float32:
        return gradient.t() @ x
    total = gradient.new_zeros(gradient.shape[1], x.shape[1], dtype=sum_type(x.dtype))
    for begin in range(0, x.shape[0], _ROWS_AT_ONCE):
        total += _bfloat16_product(gradient[begin : begin + _ROWS_AT_ONCE].t(), x[begin : begin + _ROWS_AT_ONCE])
    return total


def _bfloat16_product(left: Tensor, right: Tensor) -> Tensor:
    """left [O, M] · right [M, I] → [O, I], at float32's speed where the CPU has no product of bfloat16."""
    return left @ right if has_bfloat16() else (left.float() @ right.float()).bfloat16()


class _Linear(torch.autograd.Function):
    """x Wᵀ + b with the products of forward and backward over the rows by `times_transposed`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """x [M, I], weight [O, I], bias [O] → [M, O]."""
        x, weight = x.contiguous(), weight.to(x.dtype)
        ctx.save_for_backward(x, weight)
        return times_transposed(x, weight, bias.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        """Gradient [M, O] → those of x, weight and bias."""
        x, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        library = kernels.library_for(gradient, x, weights=(weight,)) if has_whole_panels(weight, x) else None
        if library is not None:
            return linear_backward(gradient, x, weight, library)
        d_bias = gradient.sum(0, dtype=sum_type(x.dtype))
        return times_transposed(gradient, weight.t()), _weight_gradient(gradient, x), d_bias


def linear(layer: nn.Linear, x: Tensor) -> Tensor:
    """``layer`` applied to x [M, I] → [M, O], of x's type."""
    if not _is_fast(x):
        return F.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))
    result: Tensor = _Linear.apply(x, layer.weight, layer.bias)
    return result


class _FeedForward(torch.autograd.Function):
    """act(x W₁ᵀ + b₁) W₂ᵀ + b₂, some rows at a time, so that what is W wide is used while it is in the cache.

    Only the first product is kept, if there will be a backward pass: to compute it again takes longer than to read it.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, activation: str, will_go_back: bool
    ) -> Tensor:
        """x [M, d], w1 [W, d], b1 [W], w2 [d, W], b2 [d] → [M, d]."""
        x = x.contiguous()
        w1, b1, w2, b2 = (weight.to(x.dtype) for weight in (w1, b1, w2, b2))
        ctx.activation = activation
        out, blocks = torch.empty_like(x), []
        for begin in range(0, x.shape[0], _ROWS_AT_ONCE):
            wide = times_transposed(x[begin : begin + _ROWS_AT_ONCE], w1, b1)  # [rows, W]
            if will_go_back:
                blocks.append(wide)
            active = F.gelu(wide) if activation == "gelu" else wide.relu()
            out[begin : begin + _ROWS_AT_ONCE] = times_transposed(active, w2, b2)
        ctx.save_for_backward(x, w1, w2, *blocks)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient [M, d] → those of x, w1, b1, w2 and b2."""
        x, w1, w2, *blocks = ctx.saved_tensors
        gradient, d_x = gradients[0].contiguous(), torch.empty_like(x)
        d_w1, d_w2 = (torch.zeros_like(weight, dtype=sum_type(x.dtype)) for weight in (w1, w2))
        d_b1 = torch.zeros_like(w1[:, 0], dtype=sum_type(x.dtype))
        for begin, wide in zip(range(0, x.shape[0], _ROWS_AT_ONCE), blocks, strict=True):
            rows = slice(begin, begin + _ROWS_AT_ONCE)
            d_active = times_transposed(gradient[rows], w2.t())  # [rows, W]
            if ctx.activation == "gelu":
                active, d_wide = F.gelu(wide), torch.ops.aten.gelu_backward(d_active, wide)
            else:
                active, d_wide = wide.relu(), d_active.mul_(wide > 0)
            d_w2 += _weight_gradient(gradient[rows], active)
            d_w1 += _weight_gradient(d_wide, x[rows])
            d_b1 += d_wide.sum(0, dtype=sum_type(x.dtype))
            d_x[rows] = times_transposed(d_wide, w1.t())
        return d_x, d_w1, d_b1, d_w2, gradient.sum(0, dtype=sum_type(x.dtype)), None, None


class FeedForward(nn.Module):
    """Two linear layers with the activation between them, position by position (§3.2, FACTS F6)."""

    def __init__(self, hidden_size: int, width: int, activation: Literal["gelu", "relu"] = "gelu") -> None:
        super().__init__()
        self.widen = nn.Linear(hidden_size, width)
        self.narrow = nn.Linear(width, hidden_size)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """x [M, d] → [M, d]."""
        weights = (self.widen.weight, self.widen.bias, self.narrow.weight, self.narrow.bias)
        library = kernels.library_for(x, weights=weights) if has_whole_panels(self.widen.weight, x) else None
        if library is not None:
            compiled: Tensor = CompiledFeedForward.apply(x, *weights, self.activation, library, torch.is_grad_enabled())
            return compiled
        if _is_fast(x):
            result: Tensor = _FeedForward.apply(x, *weights, self.activation, torch.is_grad_enabled())
            return result
        wide = linear(self.widen, x)  # [M, W]
        return linear(self.narrow, F.gelu(wide) if self.activation == "gelu" else F.relu(wide))
