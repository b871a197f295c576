"""Trainers before their first step, of every kind whose steps can have fixed shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine import registry
from engine.config import ExperimentConfig, presets
from engine.training import setup
from engine.training.listening import Silent
from engine.training.trainer import Trainer
from tests.engine.training.small import circles, config

DATA = circles()
KINDS: dict[str, dict[str, Any]] = {
    "sasrec": {"name": "sasrec"},
    "original": {"name": "sasrec-paper"},
    "cross-entropy": {"name": "sasrec-cross-entropy"},
    "real positions": {"name": "coserec-paper"},
    "users' means": {"name": "coserec-paper", "fidelity__next_item_mean": "users"},
    "padded": {"name": "coserec-published"},
    "padded, masked by padding": {"name": "coserec-published", "fidelity__mask_token": "padding"},
    "masked by padding": {"name": "coserec-paper", "fidelity__mask_token": "padding"},
    "last": {"name": "coserec-paper", "loss__representation": "last"},
    "mean, cosine": {"name": "coserec-paper", "loss__representation": "mean", "loss__similarity": "cosine"},
    "softmax": {"name": "coserec-sampled-softmax"},
    "bpr": {"name": "coserec-paper", "loss__next_item": "bpr"},
    "no neighbours": {"name": "cl4srec"},
    "s3rec": {"name": "s3rec-paper", "train__pretrain_epochs": 0},
    "pre-training": {"name": "coserec-two-stage", "train__pretrain_epochs": 2},
}
_TRIED = {config(**kind).model.name for kind in KINDS.values()}
for _model in registry.entries("model"):  # one that is new, as its first preset has it
    if _model.facts["captures"] and _model.name not in _TRIED:
        KINDS[_model.name] = {"name": next(item.name for item in presets() if item.config.model.name == _model.name)}


def started(settings: ExperimentConfig, epoch: int = 0, device: str = "cpu") -> Trainer:
    """A trainer before the first step of an epoch."""
    trainer = Trainer(settings, DATA, listener=Silent(), directory=Path())
    trainer.device = torch.device(device)
    trainer.model = setup.model(settings, DATA, trainer.split, trainer.generators.initial).to(device)
    trainer._prepare()
    trainer._select_correlation(epoch, trainer._begin_epoch(epoch))
    trainer.model.train()
    return trainer


def batches(count: int, size: int = 32) -> list[NDArray[np.int64]]:
    generator = np.random.default_rng(7)
    return [generator.permutation(120)[:size] for _ in range(count)]
