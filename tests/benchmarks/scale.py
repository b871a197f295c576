"""A made data set of any size: memory-based neighbours, training steps, a sampled validation; time and peak memory.

By default the size of the issue: 1,000,000 users, 500,000 items, 20,000,000 actions. ``--shares`` repeats it with fewer
users, so that it shows whether the cost is linear. Each size is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.memory import peak_mebibytes


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=500_000)
    parser.add_argument("--actions", type=int, default=20_000_000)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25, 1.0], help="parts of users and actions")
    parser.add_argument("--steps", type=int, default=20, help="training steps that are timed")
    parser.add_argument("--preset", default="coserec-paper")
    parser.add_argument("--validate", type=int, default=1000, help="users that are ranked")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"preset": chosen.preset, "items": chosen.items}
    for share in chosen.shares:
        values = vars(chosen) | {"users": int(chosen.users * share), "actions": int(chosen.actions * share)}
        del values["shares"]
        code = f"from tests.benchmarks.scale import one; one({json.dumps(json.dumps(values))})"
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        figures |= {f"{values['users']}_users_{name}": value for name, value in found.items()}
    return figures


def make(users: int, items: int, actions: int, seed: int = 1) -> Any:
    """Users of geometric lengths (5 at least) who choose from a taste of their own and, now and then, from anywhere.

    Items of a taste are neighbours in popularity of a Zipf-like tail, so that correlations exist, and heads do too.
    """
    from engine.data.dataset import build

    chance = np.random.default_rng(seed)
    lengths = 5 + chance.geometric(1 / max(actions / users - 4, 1.001), users) - 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    total = int(offsets[-1])
    taste = np.repeat(chance.random(users), lengths)
    near = taste + 0.001 * chance.standard_normal(total)
    anywhere = chance.random(total) < 0.2
    place = np.where(anywhere, chance.random(total), near) % 1.0
    flat = (place**2 * items).astype(np.int64) + 1  # denser among the first: popularity falls like 1/sqrt(rank)
    return build(Path("made.txt"), np.arange(1, users + 1), flat, offsets)


def one(values: str) -> None:
    """Measure one size and print it."""
    from engine.config import preset
    from engine.data.splits import leave_one_out
    from engine.similarity.item_cf.counting import item_cf
    from engine.training import setup
    from engine.training.listening import Silent
    from engine.training.trainer import Trainer

    chosen = argparse.Namespace(**json.loads(values))
    found: dict[str, Any] = {}

    def note(name: str, began: float) -> None:
        found[f"{name}_seconds"] = time.perf_counter() - began
        found[f"{name}_peak_mebibytes"] = peak_mebibytes()

    began = time.perf_counter()
    dataset = make(chosen.users, chosen.items, chosen.actions)
    found["actions"] = len(dataset.sequences.items)
    note("make", began)
    began = time.perf_counter()
    split = leave_one_out(dataset)
    item_cf(split.correlation_sequences("inputs"), dataset.item_count, 50)
    note("memory_based_top_50", began)
    values_ = {"train.device": "cpu", "evaluate.validation_users": chosen.validate}
    config = preset(chosen.preset).config.replace(values_)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, dataset, listener=Silent(), directory=Path(folder))
        began = time.perf_counter()
        trainer.model = setup.model(config, dataset, trainer.split, trainer.generators.initial)
        trainer._prepare()
        epoch = trainer._begin_epoch(0)
        trainer._select_correlation(0, epoch)
        note("prepare", began)
        size = config.train.batch_size
        whole = -(-len(epoch.order) // size)
        epoch.order = epoch.order[: size * (chosen.steps + 2)]
        for step in range(2):
            trainer._step(trainer.data.batch(epoch.order[step * size : (step + 1) * size]))
        epoch.step = 2
        began = time.perf_counter()
        trainer._run_epoch(0, epoch)
        note("training", began)
        found["epoch_hours_at_this_pace"] = found["training_seconds"] / chosen.steps * whole / 3600
        began = time.perf_counter()
        trainer._validate()
        note(f"validation_of_{chosen.validate}", began)
    print(json.dumps(found))
