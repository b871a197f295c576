"""Steps of fixed shapes: the host's share of each, and on CUDA what an epoch takes with and without a recording.

``plan`` and ``pack`` are that share, done beside the device's work; ``stand_in_slots`` says how many of a step's slots
hold no token of the batch. Epochs are those of whole runs of ``--epochs``, one after the other in this process.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="sample")
    parser.add_argument("--preset", default="coserec-paper")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="another setting")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    import torch

    from engine.config import preset
    from engine.data.dataset import load
    from engine.training.device import describe, resolve

    device = resolve(chosen.device)
    values = {"train.epochs": chosen.epochs, "train.device": device.type, "train.pretrain_epochs": 0}
    config = preset(chosen.preset).config.replace(values | dict(item.split("=", 1) for item in chosen.set))
    dataset = load(chosen.data)
    found: dict[str, Any] = {"data": dataset.name, "preset": chosen.preset, "device": describe(device)}
    found |= _host(config, dataset, chosen.batches)
    if device.type == "cuda":
        for capture in ("never", "auto"):
            torch.cuda.reset_peak_memory_stats()
            found |= _epochs(config.replace({"train.capture": capture}), dataset, capture)
            found[f"{capture}_peak_gpu_mebibytes"] = torch.cuda.max_memory_allocated() / 2**20
    return found


def _host(config: Any, dataset: Any, batches: int) -> dict[str, Any]:
    """Milliseconds of the host's share of a batch."""
    import torch

    from engine.training import setup
    from engine.training.fixed_step import FixedStep, Room
    from engine.training.listening import Silent
    from engine.training.trainer import Trainer

    trainer = Trainer(config, dataset, listener=Silent(), directory=Path())
    trainer.model = setup.model(config, dataset, trainer.split, trainer.generators.initial).to(trainer.device)
    trainer._prepare()
    current = trainer._begin_epoch(0)
    trainer._select_correlation(0, current)
    fixed, size = FixedStep(trainer.stage, config), config.train.batch_size
    fixed.follow()
    room, rooms = Room(0, 0, (0,) * (fixed.length + 1)), 0
    plans, packs, idle = [], [], []
    for turn in range(min(batches, len(current.order) // size)):
        taken: list[Any] = []
        plan = _milliseconds(lambda: taken.append(fixed.plan(current.order[turn * size : (turn + 1) * size])))  # noqa: B023
        (planned,) = taken
        if not room.holds(planned.need):
            room, rooms = room.grown(planned.need), rooms + 1
        plans.append(plan)
        packs.append(_milliseconds(lambda: fixed.pack(planned, room)))  # noqa: B023
        if room.slots:
            idle.append(1 - planned.need.slots / room.slots)
    return {
        "threads": torch.get_num_threads(),
        "batches": len(plans),
        "plan_milliseconds_median": statistics.median(plans),
        "pack_milliseconds_median": statistics.median(packs),
        "rooms": rooms,
        "numbers_a_batch": fixed.width(room),
        **({"stand_in_slots": statistics.mean(idle)} if idle else {}),
    }


def _milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def _epochs(config: Any, dataset: Any, name: str) -> dict[str, Any]:
    """Seconds of an epoch of a run of this process, and what it said of its steps."""
    from engine.training.trainer import Trainer
    from tests.engine.training.small import Notes

    notes = Notes()
    with tempfile.TemporaryDirectory() as folder:
        result = Trainer(config, dataset, listener=notes, directory=Path(folder)).run()
    epochs = [(report.train_seconds, report.validate_seconds) for report in result.epochs]
    return {
        f"{name}_train_seconds_median": statistics.median(train for train, _ in epochs),
        f"{name}_train_seconds_first": epochs[0][0],
        f"{name}_validate_seconds_median": statistics.median(validate for _, validate in epochs),
        f"{name}_said": " ".join(notes.remarks),
    }
