"""Seconds of an epoch: training and validation, median over epochs, beside the first; tokens a second; peak memory."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import psutil


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="sample")
    parser.add_argument("--preset", default="coserec-paper")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="another setting")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    import torch

    from engine.config import preset
    from engine.data.dataset import load
    from engine.data.splits import LeaveOneOut
    from engine.training import train
    from engine.training.listening import Silent

    values = {"train.epochs": chosen.epochs, "train.device": chosen.device}
    values |= dict(item.split("=", 1) for item in chosen.set)
    config = preset(chosen.preset).config.replace(values)
    dataset = load(chosen.data)
    with tempfile.TemporaryDirectory() as folder:
        result = train(config, dataset, listener=Silent(), directory=Path(folder))
    training = [report.train_seconds for report in result.epochs]
    validation = [report.validate_seconds for report in result.epochs]
    tokens = int(
        LeaveOneOut(dataset.sequences).train_inputs.tail(getattr(config.model, "max_length", 50)).lengths.sum()
    )
    memory: Any = psutil.Process().memory_info()
    return {
        "data": dataset.name,
        "preset": chosen.preset,
        "set": " ".join(chosen.set),
        "device": result.device,
        "threads": torch.get_num_threads(),
        "epochs": len(result.epochs),
        "train_seconds_median": statistics.median(training),
        "train_seconds_first": training[0],
        "validate_seconds_median": statistics.median(validation),
        "epoch_seconds_median": statistics.median(map(sum, zip(training, validation, strict=True))),
        "training_tokens_per_second": tokens / statistics.median(training),
        "resident_mebibytes_at_end": memory.rss / 2**20,
        "losses_last_epoch": dict(result.epochs[-1].losses),
    }
