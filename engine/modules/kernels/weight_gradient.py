"""Gradients of a linear layer's weights and bias by the compiled code (weight_gradient.c).

Legend: M rows, O outputs, I inputs.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

INPUTS_MULTIPLE = 16
OUTPUTS_MULTIPLE = 4
"""Of whole tiles; other shapes are PyTorch's."""


class _Job(ctypes.Structure):
    """``job_t`` of weight_gradient.c."""

    _fields_ = [
        ("gradient", ctypes.c_void_p),
        ("x", ctypes.c_void_p),
        ("shares", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("outputs", ctypes.c_int64),
        ("inputs", ctypes.c_int64),
        ("members", ctypes.c_int64),
        ("goes_on", ctypes.c_int64),
        ("next_member", ctypes.c_int64),
    ]


class CompiledGradients:
    """Σ gradientᵀ x and Σ gradient over blocks of rows, float32 and contiguous, each thread's sum by itself until the
    end."""

    def __init__(self, outputs: int, inputs: int, library: Any) -> None:
        self._shape = (outputs, inputs)
        self._library = library
        self._threads = torch.get_num_threads()
        self._shares = torch.empty(self._threads, outputs * inputs + 2 * outputs)
        self._goes_on = False

    def add(self, gradient: Tensor, x: Tensor) -> None:
        """gradient [M, O], x [M, I]."""
        places = (gradient.data_ptr(), x.data_ptr(), self._shares.data_ptr())
        job = _Job(*places, gradient.shape[0], *self._shape, 0, self._goes_on, 0)
        self._library.coserec_weight_gradient(ctypes.byref(job), self._threads)
        self._goes_on = True

    def sums(self) -> tuple[Tensor, Tensor]:
        """Gradients of the weights, [O, I], and of the bias, [O]. After at least one `add`."""
        outputs, inputs = self._shape
        total = self._shares.sum(0)
        return total[: outputs * inputs].view(outputs, inputs), total[outputs * inputs : -outputs]
