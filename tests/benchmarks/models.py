"""Every preset on a data set: seconds of an epoch and of its validation, training tokens a second, peak memory.

Each preset is measured in a process of its own; medians over epochs after the first one. Tokens are those of the
users' training inputs, whatever a model makes of them: windows, actions or masked sequences. What does not train has
the seconds of ranking all users instead. Of two stages, each has as many epochs, and the first its own seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.memory import peak_mebibytes


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="sample")
    parser.add_argument("--presets", nargs="+", default=[], help="without it, every preset that fits the data")
    parser.add_argument("--epochs", type=int, default=3, help="beside the first one, which is not counted")
    parser.add_argument("--device", default="cpu")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    from engine.config import preset, presets

    names = [preset(name).name for name in chosen.presets] or [p.name for p in presets() if p.fits(chosen.data)]
    figures: dict[str, Any] = {"data": chosen.data, "device": chosen.device, "epochs": chosen.epochs}
    for name in names:
        code = "import sys; from tests.benchmarks.models import one; one(*sys.argv[1:])"
        command = [sys.executable, "-c", code, name, chosen.data, str(chosen.epochs), chosen.device]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            figures[f"{name}_failed_with"] = done.returncode
            continue
        figures |= {f"{name}_{key}": value for key, value in json.loads(done.stdout.splitlines()[-1]).items()}
    return figures


def one(name: str, data: str, epochs: str, device: str) -> None:
    """Measure one preset and print it."""
    import time

    from engine.config import preset
    from engine.data.dataset import load
    from engine.data.splits import leave_one_out
    from engine.training import setup
    from engine.training.allocator import keep_freed_memory
    from engine.training.listening import Silent
    from engine.training.trainer import Trainer

    keep_freed_memory()  # as a run's own process does
    count = int(epochs) + 1
    values = {"train.epochs": count, "train.patience": count, "train.device": device}
    if preset(name).config.train.pretrain_epochs:
        values["train.pretrain_epochs"] = count
    config = preset(name).config.replace(values)
    dataset = load(data)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = Trainer(config, dataset, listener=Silent(), directory=Path(folder)).run()
    figures: dict[str, float] = {}
    if setup.trains(config):
        before = config.train.pretrain_epochs
        if before:
            figures["pretraining_epoch_seconds"] = statistics.median(e.train_seconds for e in result.epochs[1:before])
        later = result.epochs[before + 1 :]
        seconds = statistics.median(report.train_seconds for report in later)
        inputs = leave_one_out(dataset).train_inputs.tail(getattr(config.model, "max_length", 50))
        figures["epoch_seconds"] = seconds
        figures["validation_seconds"] = statistics.median(report.validate_seconds for report in later)
        figures["tokens_per_second"] = int(inputs.lengths.sum()) / seconds
    else:
        figures["ranking_seconds"] = time.perf_counter() - began
    figures["peak_mebibytes"] = peak_mebibytes() if device == "cpu" else _device_mebibytes()
    print(json.dumps(figures))


def _device_mebibytes() -> float:
    import torch

    return torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else peak_mebibytes()
