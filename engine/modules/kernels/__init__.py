"""The encoder's inner loops as compiled code, where it is there: a choice of speed, never of results.

PyTorch's own operations pass over memory once each, and on two cores most of a training step is such passes. The C
files beside this one do in one pass, in the nearest cache, what takes PyTorch five to a dozen. `pip install` compiles
them where it finds a C compiler; where it finds none, or the processor is no x86 with AVX2, or PyTorch computes with
other threads than GNU's OpenMP, everything goes by PyTorch's operations. Both ways draw the same dropout masks and
agree to float32's rounding; so that a run which goes on stays the same to the last bit, it keeps the way it began
(`choose`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.modules.dropout import Draws
from engine.modules.ways import is_host
from engine.records import PLAIN_KERNELS

_VERSION = 4
"""What this package's Python was written for, `coserec_version` of team.c."""
_BUILDS = {"AVX512": ("_avx512", "_avx2"), "AVX2": ("_avx2",)}
"""PyTorch's word for what the processor can → the builds that it can run, the best first."""


def pointers(*names: str) -> list[tuple[str, Any]]:
    """Fields of a C structure that are addresses, in their order."""
    return [(name, ctypes.c_void_p) for name in names]


def integers(*names: str) -> list[tuple[str, Any]]:
    """Fields of a C structure that are ``int64_t``, in their order."""
    return [(name, ctypes.c_int64) for name in names]


class Dropout(ctypes.Structure):
    """``dropout_t`` of vectors.h."""

    _fields_ = [
        *pointers("random", "end"),
        *integers("mode", "threshold"),
        ("scale", ctypes.c_float),
        ("unused", ctypes.c_float),
    ]


def dropout_of(drawn: Draws | None) -> Dropout:
    """What the compiled code is told of a mask; None: nothing is dropped."""
    if drawn is None:
        return Dropout()
    first = drawn.words.data_ptr()
    mode = 1 if drawn.is_a_bit_each else 2
    return Dropout(first, first + 8 * drawn.words.numel(), mode, drawn.threshold, drawn.scale, 0)


@cache
def _found() -> tuple[str, Any] | None:
    """Name of the build for this processor, and the library; None where there is none that works."""
    runtime = _openmp()
    if runtime is None:
        return None
    for path in _builds():
        try:
            library = ctypes.CDLL(str(path))
            library.coserec_version.restype = ctypes.c_int64
            if library.coserec_version() != _VERSION:
                continue
        except (OSError, AttributeError):
            continue
        library.coserec_use_team(ctypes.cast(runtime.GOMP_parallel, ctypes.c_void_p))
        for sizes in ("attention_scratch", "feed_forward_scratch", "feed_forward_shares"):
            function = getattr(library, f"coserec_{sizes}")
            function.restype, function.argtypes = ctypes.c_int64, [ctypes.c_int64, ctypes.c_int64]
        return f"compiled for {path.name.partition('.')[0].strip('_').upper()}, version {_VERSION}", library
    return None


def _builds() -> list[Path]:
    """Files of the builds that this processor can run."""
    names = _BUILDS.get(torch.backends.cpu.get_cpu_capability(), ())
    return [path for name in names for path in sorted(Path(__file__).parent.glob(f"{name}.*"))]


def _openmp() -> Any | None:
    """PyTorch's own library, where it computes with the threads of an OpenMP runtime that shares them by GNU's call."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        # The symbol is looked for in what this library was linked with, so it is no other runtime's.
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
    except OSError:
        return None
    return library if hasattr(library, "GOMP_parallel") else None


_is_allowed = True


def name() -> str:
    """What computes now: `PLAIN_KERNELS`, or the name of the compiled build."""
    found = _found() if _is_allowed else None
    return PLAIN_KERNELS if found is None else found[0]


def choose(before: str) -> str:
    """Compute from now on as ``before``, a `name`, if that can be done here, else without the compiled code; an empty
    one leaves the choice. Returns the name of what computes."""
    global _is_allowed
    found = _found()
    _is_allowed = not before or (found is not None and found[0] == before)
    return name()


def complaint() -> str:
    """What to say where there are builds and none of them is taken; else empty."""
    if not _builds() or _found() is not None or not sys.platform.startswith("linux"):
        return ""
    return "The compiled kernels are of another version of the program: install it again, and runs take a third less."


@contextmanager
def plain() -> Iterator[None]:
    """PyTorch's own operations alone while it lasts: for tests and benchmarks that compare."""
    global _is_allowed
    was, _is_allowed = _is_allowed, False
    try:
        yield
    finally:
        _is_allowed = was


def library_for(*rows: Tensor, weights: tuple[Tensor, ...] = ()) -> Any | None:
    """The compiled library where it is there and takes these tensors: float32, on the CPU, and weights as they were
    made, not turned."""
    tensors = (*rows, *weights)
    if not _is_allowed or any(not is_host(one.device) or one.dtype != torch.float32 for one in tensors):
        return None
    found = _found() if all(weight.is_contiguous() for weight in weights) else None
    return None if found is None else found[1]
