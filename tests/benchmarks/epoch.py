"""Seconds of an epoch, in all and by part; tokens a second; share of the processor's product rate; peak memory.

Medians over epochs, the first one beside them. ``forward`` is what of a step is none of the other parts. Of a run of
two stages, each has ``--epochs`` of them; what is told is the last one's, and the median epoch of pre-training.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tests.benchmarks.memory import peak_mebibytes


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="sample")
    parser.add_argument("--preset", default="coserec-paper")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--plain", action="store_true", help="without the compiled kernels")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="another setting")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    import torch

    from engine.config import preset
    from engine.data.dataset import load
    from engine.data.splits import LeaveOneOut
    from engine.modules import kernels
    from engine.training.allocator import keep_freed_memory
    from engine.training.listening import Silent
    from tests.benchmarks.stopwatch import WatchedTrainer, product_rate

    keep_freed_memory()  # as a run's own process does
    values = {"train.epochs": chosen.epochs, "train.device": chosen.device}
    if preset(chosen.preset).config.train.pretrain_epochs:
        values["train.pretrain_epochs"] = chosen.epochs
    values |= dict(item.split("=", 1) for item in chosen.set)
    config = preset(chosen.preset).config.replace(values)
    dataset = load(chosen.data)
    with tempfile.TemporaryDirectory() as folder, kernels.plain() if chosen.plain else nullcontext():
        computed_by = kernels.name()
        trainer = WatchedTrainer(config, dataset, listener=Silent(), directory=Path(folder))
        result = trainer.run()
    before = config.train.pretrain_epochs
    training = [report.train_seconds for report in result.epochs[before:]]
    validation = [report.validate_seconds for report in result.epochs[before:]]
    pretraining = [report.train_seconds for report in result.epochs[:before]]
    tokens = int(
        LeaveOneOut(dataset.sequences).train_inputs.tail(getattr(config.model, "max_length", 50)).lengths.sum()
    )
    parts = {
        part: statistics.median(epoch[part] for epoch in trainer.seconds[before:])
        for part in ("steps", "augment", "backward", "optimiser")
    }
    parts["forward"] = parts["steps"] - parts["augment"] - parts["backward"] - parts["optimiser"]
    rate = product_rate(trainer.device)
    needed = trainer.operations / len(training) / 1e12
    return {
        "data": dataset.name,
        "preset": chosen.preset,
        "set": " ".join(chosen.set),
        "device": result.device,
        "threads": torch.get_num_threads(),
        "kernels": computed_by,
        "epochs": len(result.epochs),
        **({"pretrain_seconds_median": statistics.median(pretraining)} if pretraining else {}),
        "train_seconds_median": statistics.median(training),
        "train_seconds_first": training[0],
        "validate_seconds_median": statistics.median(validation),
        "epoch_seconds_median": statistics.median(map(sum, zip(training, validation, strict=True))),
        "training_tokens_per_second": tokens / statistics.median(training),
        **{f"{part}_seconds_median": seconds for part, seconds in parts.items() if part != "steps"},
        "encoder_teraflop_an_epoch": needed,
        "product_gigaflops_measured": rate / 1e9,
        "share_of_product_rate": needed * 1e12 / statistics.median(training) / rate,
        "peak_mebibytes": peak_mebibytes(),
        "losses_last_epoch": dict(result.epochs[-1].losses),
    }
