"""The most memory that this process has held."""

from __future__ import annotations

import sys
from typing import Any

import psutil


def peak_mebibytes() -> float:
    """Peak resident size so far; on Windows the peak working set."""
    if sys.platform == "win32":
        memory: Any = psutil.Process().memory_info()
        return float(memory.peak_wset) / 2**20
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
