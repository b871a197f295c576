"""What this machine's processor is called."""

from __future__ import annotations

import platform
import re
import sys
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


@cache
def processor() -> str:
    """The processor's full name, as its maker wrote it; its kind where the system does not tell."""
    if sys.platform == "linux":
        try:
            lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
        return name or platform.machine()
    return platform.processor() or platform.machine()


def short_processor(name: str) -> str:
    """The name without trade marks, clock and what every processor is.

    >>> short_processor("Intel(R) Core(TM) i7-1165G7 CPU @ 2.80GHz")
    'Intel Core i7-1165G7'
    >>> short_processor("AMD Ryzen 7 5800X 8-Core Processor")
    'AMD Ryzen 7 5800X'
    >>> short_processor("Intel(R) Xeon(R) Processor"), short_processor("arm")
    ('Intel Xeon', 'arm')
    """
    words = re.sub(r"\((R|TM)\)|\bCPU\b|\bProcessor\b|\b\d+-Core\b|@.*", " ", name)
    return " ".join(words.split()) or name
