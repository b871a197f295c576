"""Which queued run may start now: the first whose device has room. Pure, but for a look at the machine."""

from __future__ import annotations

import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from engine.records import QueueState, RunRecord


@cache
def auto_device() -> str:
    """What ``auto`` will most likely be here, told without importing PyTorch: cuda, mps or cpu.

    Only counted with: a run that asks for ``auto`` still gets whatever PyTorch finds.
    """
    if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
        return "cuda"
    return "mps" if platform.system() == "Darwin" and platform.machine() == "arm64" else "cpu"


def device_of(record: RunRecord, auto: str = "") -> str:
    """The device that a run asks for, ``auto`` resolved."""
    section: Any = record.config.get("train")
    name = str(section.get("device", "auto")) if isinstance(section, Mapping) else "auto"
    return (auto or auto_device()) if name == "auto" else name


def startable(
    queued: Iterable[RunRecord], running: Iterable[RunRecord], state: QueueState, auto: str = ""
) -> RunRecord | None:
    """The first of ``queued`` whose device has fewer runs than it may have at once; None while the queue is paused.

    A run that waits for a busy device does not hold up one behind it that asks for another.
    """
    if state.is_paused:
        return None
    busy = Counter(device_of(record, auto) for record in running)
    for record in queued:
        device = device_of(record, auto)
        if busy[device] < state.at_once.get(device, 1):
            return record
    return None
