"""What the training process uses of the machine, sampled a few times a minute beside the training.

The processor's share is of all cores, with children; memory is resident. The accelerator's memory is what PyTorch holds
for this process; its load is told where the driver's library is there to ask.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import psutil

FIRST_SECONDS = 2.0
EVERY_SECONDS = 10.0


class Sampler:
    """`sample` when `is_due`; the first soon, so that a short run has some too."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._due = time.monotonic() + FIRST_SECONDS
        self._sequence = 0
        self._cores = psutil.cpu_count() or 1
        self._before: tuple[float, float] | None = None
        self._measure()

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def sample(self) -> dict[str, Any]:
        """Columns of one row: sequence, processor, memory, memory_free, gpu, gpu_memory."""
        self._due = time.monotonic() + EVERY_SECONDS
        self._sequence += 1
        memory = self._process.memory_info().rss
        gpu, gpu_memory = _accelerator()
        return {
            "sequence": self._sequence,
            "processor": self._measure(),
            "memory": int(memory),
            "memory_free": int(psutil.virtual_memory().available),
            "gpu": gpu,
            "gpu_memory": gpu_memory,
        }

    def _measure(self) -> float:
        """Share of all cores since the last call; 0 the first time."""
        times = self._process.cpu_times()
        used = times.user + times.system + times.children_user + times.children_system
        moment = time.monotonic()
        before, self._before = self._before, (moment, used)
        if before is None or moment <= before[0]:
            return 0.0
        return min(max((used - before[1]) / (moment - before[0]) / self._cores, 0.0), 1.0)


def _accelerator() -> tuple[float | None, int | None]:
    """Load (0…1) and bytes held; None where PyTorch uses no accelerator or cannot tell."""
    torch = sys.modules.get("torch")
    if torch is None or getattr(torch.__spec__, "_initializing", False):  # another thread is still importing it
        return None, None
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        try:
            load: float | None = torch.cuda.utilization() / 100
        except Exception:  # the driver's library is not there: memory can still be told
            load = None
        return load, int(torch.cuda.memory_reserved())
    if torch.backends.mps.is_available():
        return None, int(torch.mps.current_allocated_memory())
    return None, None
