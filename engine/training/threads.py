"""How many threads a run on the CPU computes with.

Threads of one product wait for each other, and waiting costs a core. Two runs that each use all cores therefore do not
share them, they ruin each other: on two cores each took six times as long as with one thread. And the order in which
a sum's parts are added follows the number of threads, so a run that goes on takes the number it had.
"""

from __future__ import annotations

import os

import torch

from engine.config import ExperimentConfig
from engine.training.device import resolve

GIVEN = "OMP_NUM_THREADS"


def share_cores(config: ExperimentConfig, at_once: int, before: int = 0) -> int:
    """Compute with this run's share of the cores where ``at_once`` may train beside each other; returns the number.

    ``before`` is what the run had until it was interrupted, 0 for a new one: it is kept unless the share is smaller.
    A number given by ``OMP_NUM_THREADS`` is nobody's to share out, and a run on another device than the CPU leaves it.

    Raises ``ConfigurationError`` where there is no such device.
    """
    available = torch.get_num_threads()
    is_shared = resolve(config.train.device).type == "cpu" and not os.environ.get(GIVEN)
    share = max(1, available // max(1, at_once)) if is_shared else available
    chosen = min(before, share) if before else share
    torch.set_num_threads(chosen)
    return chosen
