"""The C library's memory manager, told to keep what training frees.

A step takes and frees the same large arrays again and again. glibc gives freed memory at the top of its heap back to
the system once there is much of it, and the next step pays for every page anew: thousands of page faults a step. In a
process that does nothing but train, the memory is better kept.
"""

from __future__ import annotations

import ctypes
import platform

# malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST_INT = 2**31 - 1
_LARGEST_FROM_HEAP = 32 * 2**20
"""Larger arrays are mapped one by one and given back when freed, as ever; glibc allows no more."""
_GROW_BY = 64 * 2**20


def keep_freed_memory() -> bool:
    """Stop this process from giving freed memory back; whether it could be asked to. Nothing happens without glibc."""
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = {_TRIM_THRESHOLD: _LARGEST_INT, _MMAP_THRESHOLD: _LARGEST_FROM_HEAP, _TOP_PAD: _GROW_BY}
    taken = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(taken)
