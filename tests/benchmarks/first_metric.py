"""From Queue to the first validation metric in the store: a run of its own process, as the window starts it.

Medians over runs, after one that warms the disk's cache. ``--ready``: so many seconds before, a process on standby was
asked for, as the window does when somebody opens Train. ``claimed``: the process has started, has imported what it
needs and has taken the run; ``first_metric``: the first epoch's row can be read.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from typing import Any

POLL_SECONDS = 0.05
"""Seldom enough to leave both cores to the training."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="sample")
    parser.add_argument("--preset", default="sample")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ready", type=float, default=0.0, metavar="SECONDS")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.api import Workspace
    from engine.config import preset
    from engine.records import RunStatus

    config = preset(chosen.preset).config.replace({"data.path": chosen.data, "train.epochs": 1})
    found: dict[str, list[float]] = {"claimed": [], "first_metric": [], "end": []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        runs = Workspace(folder).runs
        for _ in range(chosen.runs + 1):
            if chosen.ready:
                runs.stand_by()
                time.sleep(chosen.ready)
            began = time.perf_counter()
            (record,) = runs.submit(config, preset=chosen.preset, seeds=(1,))
            process = runs.start(record.id)
            seen: dict[str, float] = {}
            while process.poll() is None or "first_metric" not in seen:
                status = runs.get(record.id).status
                if status is not RunStatus.QUEUED:
                    seen.setdefault("claimed", time.perf_counter() - began)
                if status in (RunStatus.FAILED, RunStatus.LOST):
                    raise RuntimeError(runs.get(record.id).message)
                if "first_metric" not in seen and runs.epochs(record.id):
                    seen["first_metric"] = time.perf_counter() - began
                time.sleep(POLL_SECONDS)
            seen["end"] = time.perf_counter() - began
            for name, seconds in seen.items():
                found[name].append(seconds)
        runs.close()
    figures: dict[str, Any] = {"data": chosen.data, "preset": chosen.preset, "runs": chosen.runs, "ready": chosen.ready}
    for name, values in found.items():
        figures[f"{name}_seconds_median"] = statistics.median(values[1:])
        figures[f"{name}_seconds_max"] = max(values[1:])
    return figures
