"""One batch's next-item loss with its gradients among any number of items: seconds, and memory above what stood before.

Each loss is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.benchmarks.memory import peak_mebibytes

KINDS: dict[str, dict[str, Any]] = {
    "bce": {"next_item": "bce"},
    "bce_256": {"next_item": "bce", "bce_negatives": 256},
    "bpr_256": {"next_item": "bpr", "bpr_negatives": 256},
    "sampled_softmax_own": {"next_item": "sampled_softmax", "softmax_sharing": "position"},
    "sampled_softmax_shared": {"next_item": "sampled_softmax", "softmax_sharing": "batch"},
    "cross_entropy": {"next_item": "cross_entropy"},
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--items", type=int, default=500_000)
    parser.add_argument("--users", type=int, default=256, help="users of the batch")
    parser.add_argument("--length", type=int, default=20, help="tokens of each user")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"items": chosen.items, "tokens": chosen.users * chosen.length}
    for kind in chosen.kinds:
        values = {"items": chosen.items, "users": chosen.users, "length": chosen.length, "steps": chosen.steps}
        code = f"from tests.benchmarks.losses import one; one({kind!r}, {json.dumps(json.dumps(values))})"
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        figures |= {f"{kind}_{name}": value for name, value in found.items()}
    return figures


def one(kind: str, values: str) -> None:
    """Measure one loss and print it. What the table and its gradient take is within the memory it prints."""
    import numpy as np
    import torch

    from engine import registry
    from engine.config import ExperimentConfig
    from engine.data.sequences import Sequences
    from engine.data.splits import LeaveOneOut

    given: dict[str, int] = json.loads(values)
    items, users, length = given["items"], given["users"], given["length"]
    config = ExperimentConfig().replace({f"loss.{name}": value for name, value in KINDS[kind].items()})
    chance = np.random.default_rng(1)
    rows = [list(map(int, chance.integers(1, items + 1, length + 3))) for _ in range(users)]
    split = LeaveOneOut(Sequences.from_lists(rows))
    plugin = registry.entry("next_item_loss", config.loss.next_item)
    loss = plugin.load().from_config(config, split, items, torch.device("cpu"))
    hidden = torch.randn(users * length, 64, requires_grad=True)
    table = torch.randn(items + 2, 64, requires_grad=True)
    targets = torch.tensor([item for row in rows for item in row[1 : length + 1]])
    owners = torch.arange(users).repeat_interleave(length)
    before, seconds = peak_mebibytes(), []
    for _ in range(given["steps"]):
        began = time.perf_counter()
        lengths = torch.full((users,), length)
        loss(hidden, targets, table, rows=owners, lengths=lengths).backward()
        seconds.append(time.perf_counter() - began)
        hidden.grad = table.grad = None
    print(json.dumps({"seconds": statistics.median(seconds), "mebibytes": peak_mebibytes() - before}))
