"""What a run was computed with: versions of what matters to its numbers, and the machine."""

from __future__ import annotations

import platform
from importlib import metadata

import psutil

from engine.machine import processor


def versions() -> dict[str, str]:
    """Version of the engine, of Python and of the libraries that compute."""
    found = {"python": platform.python_version()}
    for name, package in {"engine": "coserec-workbench", "torch": "torch", "numpy": "numpy", "scipy": "scipy"}.items():
        try:
            found[name] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def hardware() -> dict[str, str]:
    """Processor, cores, memory and system of this machine."""
    return {
        "processor": processor(),
        "cores": f"{psutil.cpu_count(logical=False) or '?'} ({psutil.cpu_count() or '?'} logical)",
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }
