"""The feed-forward layer by the compiled code (feed_forward.c), in one call a direction.

Legend: M rows, d hidden size, F inner width.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.modules.kernels import integers, pointers

_ACTIVATIONS = ("gelu", "relu")
"""In the order of activation.h."""


class _Job(ctypes.Structure):
    """``job_t`` of feed_forward.c."""

    _fields_ = [
        *pointers("x", "w1", "b1", "w2", "b2", "wide", "out", "gradient", "d_x", "shares", "scratch"),
        *integers("rows", "size", "width", "activation", "members", "scratch_each", "shares_each", "next_member"),
    ]


class CompiledFeedForward(torch.autograd.Function):
    """act(x W₁ᵀ + b₁) W₂ᵀ + b₂. The first product is kept for the backward pass, if there will be one."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w1: Tensor,
        b1: Tensor,
        w2: Tensor,
        b2: Tensor,
        activation: str,
        library: Any,
        will_go_back: bool,
    ) -> Tensor:
        """x [M, d], w1 [F, d], b1 [F], w2 [d, F], b2 [d] → [M, d]."""
        x = x.contiguous()
        out, wide = torch.empty_like(x), x.new_empty(x.shape[0], w1.shape[0]) if will_go_back else None
        job, scratch = _job(x, w1, w2, wide, activation, library)
        job.b1, job.b2, job.out = b1.data_ptr(), b2.data_ptr(), out.data_ptr()
        library.coserec_feed_forward(ctypes.byref(job), torch.get_num_threads())
        del scratch
        if wide is not None:
            ctx.save_for_backward(x, w1, w2, wide)
        ctx.rest = (activation, library)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient [M, d] → those of x, w1, b1, w2 and b2."""
        x, w1, w2, wide = ctx.saved_tensors
        activation, library = ctx.rest
        gradient, d_x = gradients[0].contiguous(), torch.empty_like(x)
        job, scratch = _job(x, w1, w2, wide, activation, library)
        each = library.coserec_feed_forward_shares(job.size, job.width)
        shares = x.new_empty(torch.get_num_threads(), each)
        job.gradient, job.d_x, job.shares = (each.data_ptr() for each in (gradient, d_x, shares))
        job.shares_each = each
        library.coserec_feed_forward_backward(ctypes.byref(job), torch.get_num_threads())
        del scratch
        sizes = (w1.numel(), w1.shape[0], w2.numel(), w2.shape[0], max(w1.shape))
        d_w1, d_b1, d_w2, d_b2, _ = shares.sum(0).split(sizes)
        return d_x, d_w1.view_as(w1), d_b1, d_w2.view_as(w2), d_b2, None, None, None


def _job(x: Tensor, w1: Tensor, w2: Tensor, wide: Tensor | None, activation: str, library: Any) -> tuple[_Job, Tensor]:
    """What feed_forward.c is told in either direction, and room that must live until it has come back."""
    size, width = x.shape[1], w1.shape[0]
    each = library.coserec_feed_forward_scratch(size, width)
    scratch = x.new_empty(torch.get_num_threads() * each)
    job = _Job(x=x.data_ptr(), w1=w1.data_ptr(), w2=w2.data_ptr(), scratch=scratch.data_ptr())
    job.wide = None if wide is None else wide.data_ptr()
    job.rows, job.size, job.width, job.scratch_each = x.shape[0], size, width, each
    job.activation = _ACTIVATIONS.index(activation)
    return job, scratch
