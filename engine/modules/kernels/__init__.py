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

from engine.records import PLAIN_KERNELS

_INTERFACE = 3
"""What this package's Python was written for, `coserec_interface` of team.c."""
_BUILDS = {"AVX512": "_avx512", "AVX2": "_avx2"}
"""PyTorch's word for what the processor can → the build for it."""

Team = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)


class Dropout(ctypes.Structure):
    """``dropout_t`` of vectors.h."""

    _fields_ = [
        ("random", ctypes.c_void_p),
        ("end", ctypes.c_void_p),
        ("mode", ctypes.c_int64),
        ("threshold", ctypes.c_int64),
        ("scale", ctypes.c_float),
        ("unused", ctypes.c_float),
    ]


@cache
def _found() -> tuple[str, Any] | None:
    """Name of the build for this processor, and the library; None where there is none that works."""
    capability = torch.backends.cpu.get_cpu_capability()
    runtime = _openmp()
    if capability not in _BUILDS or runtime is None:
        return None
    for path in sorted(Path(__file__).parent.glob(f"{_BUILDS[capability]}*")):
        try:
            library = ctypes.CDLL(str(path))
            library.coserec_interface.restype = ctypes.c_int64
            if library.coserec_interface() != _INTERFACE:
                continue
        except (OSError, AttributeError):
            continue  # of another system, or of another time: installing again makes a new one
        library.coserec_use_team(ctypes.cast(runtime.GOMP_parallel, ctypes.c_void_p))
        for sizes in ("attention_scratch", "feed_forward_scratch", "feed_forward_shares"):
            function = getattr(library, f"coserec_{sizes}")
            function.restype, function.argtypes = ctypes.c_int64, [ctypes.c_int64, ctypes.c_int64]
        return f"compiled for {capability}", library
    return None


def _openmp() -> Any | None:
    """The OpenMP runtime that PyTorch has loaded, where it is GNU's, which has threads to share on its own terms."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        loaded = {line.split(maxsplit=5)[5] for line in lines if "libgomp" in line}
        # Another library may have brought its own, whose threads are not PyTorch's.
        path = min(loaded, key=lambda path: ("torch" not in path, path), default=None)
        runtime = None if path is None else ctypes.CDLL(path)
    except OSError:
        return None
    return runtime if hasattr(runtime, "GOMP_parallel") else None


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


@contextmanager
def plain() -> Iterator[None]:
    """PyTorch's own operations alone while it lasts: for tests and benchmarks that compare."""
    global _is_allowed
    was, _is_allowed = _is_allowed, False
    try:
        yield
    finally:
        _is_allowed = was


def library_for(*tensors: Tensor) -> Any | None:
    """The compiled library where it is there and takes these tensors: float32, on the CPU."""
    if not _is_allowed or any(one.device.type != "cpu" or one.dtype != torch.float32 for one in tensors):
        return None
    found = _found()
    return None if found is None else found[1]
