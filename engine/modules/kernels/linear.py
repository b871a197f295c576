"""The backward pass of a linear layer by the compiled code (linear.c).

Legend: M rows, O outputs, I inputs.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from engine.modules.kernels import integers, pointers

MULTIPLE = 32
"""Of every size that these kernels are written for: two vectors of the widest processor. Other shapes are PyTorch's."""


class _Job(ctypes.Structure):
    """``job_t`` of linear.c."""

    _fields_ = [
        *pointers("gradient", "x", "weight", "d_x", "shares", "scratch"),
        *integers("rows", "outputs", "inputs", "members", "next_member"),
    ]


def has_whole_panels(weight: Tensor, x: Tensor) -> bool:
    """Whether the compiled layers are written for this weight [O, I], and there is a row of x to compute with."""
    return x.numel() > 0 and not any(size % MULTIPLE for size in weight.shape)


def linear_backward(gradient: Tensor, x: Tensor, weight: Tensor, library: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient [M, O] of x [M, I] · weightᵀ [I, O] + bias, all contiguous → those of x, weight and bias."""
    (outputs, inputs), threads = weight.shape, torch.get_num_threads()
    d_x = torch.empty_like(x)
    shares = x.new_empty(threads, outputs * inputs + 2 * outputs)
    scratch = x.new_empty(threads, outputs * inputs)
    places = [each.data_ptr() for each in (gradient, x, weight, d_x, shares, scratch)]
    job = _Job(*places, x.shape[0], outputs, inputs, 0, 0)
    library.coserec_linear_backward(ctypes.byref(job), threads)
    d_weight, d_bias, _ = shares.sum(0).split((outputs * inputs, outputs, outputs))
    return d_x, d_weight.view(outputs, inputs), d_bias
