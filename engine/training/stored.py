"""Models whose weights lie in a file: a run's ``best.pt`` or ``checkpoint.pt``, or the authors' (FACTS F20)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.config import ExperimentConfig
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut
from engine.errors import UsageError
from engine.models.weights import refuse_misfit
from engine.training import setup
from engine.training.checkpoint import read_weights


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A model in evaluation mode, on the host. ``epoch``: zero-based, after which its weights were these; None where
    the file does not say."""

    model: Any
    epoch: int | None


def stored_model(config: ExperimentConfig, dataset: Dataset, split: LeaveOneOut, path: Path) -> Any:
    """The model of `read_model` alone; raises as it does."""
    return read_model(config, dataset, split, path).model


def read_model(config: ExperimentConfig, dataset: Dataset, split: LeaveOneOut, path: Path) -> StoredModel:
    """The model of ``config`` with the weights of ``path``, on the host, in evaluation mode.

    Raises ``UsageError`` when it has no weights, or the file cannot be read, belongs to other data, or does not fit.
    """
    if not setup.trains(config):
        raise UsageError(f"'{config.model.name}' has no weights to read.", "Choose a model that trains.")
    weights = read_weights(path)
    if weights.fingerprint not in ("", dataset.fingerprint):
        raise UsageError(
            f"The weights in {path} were trained on other data than {dataset.path} holds.",
            "Take weights and data set of one run.",
        )
    with torch.random.fork_rng(devices=[]):
        model = setup.model(config, dataset, split, torch.Generator())
    if weights.is_published and hasattr(model, "load_published"):
        model.load_published(weights.values)
    else:
        refuse_misfit(model.state_dict(), weights.values)
        model.load_state_dict(weights.values)
    return StoredModel(model.eval(), weights.epoch)
