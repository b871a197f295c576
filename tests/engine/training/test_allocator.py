"""What a training process does to its memory manager takes page faults out of a loop that frees what it takes."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

LOOP = """
import resource, sys
import torch
from engine.training.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()

def turn():
    for size in (5, 3, 1):  # as a step does: some megabytes each, all freed at its end
        arrays = [torch.ones(size * 2**18) for _ in range(30)]

turn()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    turn()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_used_again_without_page_faults() -> None:
    faults = {
        how: int(
            subprocess.run([sys.executable, "-c", LOOP, how], stdout=subprocess.PIPE, check=True, text=True).stdout
        )
        for how in ("given_back", "kept")
    }
    assert faults["given_back"] > 5 * faults["kept"]
