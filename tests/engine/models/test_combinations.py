"""Losses, encoders and augmentation policies are axes: every combination trains."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import registry
from engine.config import ExperimentConfig
from engine.training import train
from engine.training.listening import Silent
from tests.engine.training.small import circles

DATA = circles(users=40, items=24)
ENCODERS = [entry.name for entry in registry.entries("model") if entry.facts.get("task") in ("next_item", "cloze")]
LOSSES = [entry.name for entry in registry.entries("next_item_loss")]
POLICIES: dict[str, dict[str, Any]] = {
    "no views": {"loss.contrastive_weight": 0.0},
    "CoSeRec's": {"augment.short_operators": "SIM", "augment.long_operators": "SIMCR"},
    "CL4SRec's": {"augment.short_length": 0, "augment.short_operators": "CMR", "augment.long_operators": "CMR"},
}


def combined(encoder: str, loss: str, policy: str, **more: Any) -> ExperimentConfig:
    fields = registry.entry("model", encoder).options.model_fields
    tiny = {key: value for key, value in {"hidden_size": 8, "layers": 1, "max_length": 8}.items() if key in fields}
    base = {"model.name": encoder, "loss.next_item": loss, "loss.contrastive_weight": 0.1, "similarity.name": "item_cf"}
    chosen = {f"model.{key}": value for key, value in tiny.items()}
    run = {"train.epochs": 1, "train.batch_size": 16, "train.device": "cpu", "train.pretrain_epochs": 0}
    return ExperimentConfig().replace(base | POLICIES[policy]).replace(chosen | run | more)


@pytest.mark.parametrize(("encoder", "loss", "policy"), list(product(ENCODERS, LOSSES, POLICIES)))
def test_every_combination_trains(encoder: str, loss: str, policy: str, tmp_path: Path) -> None:
    negatives = registry.entry("next_item_loss", loss).facts.get("negatives")
    few = {f"loss.{negatives}": 4} if negatives else {}
    result = train(combined(encoder, loss, policy, **few), DATA, listener=Silent(), directory=tmp_path)
    (report,) = result.epochs
    expected = {"total", *(["contrastive"] if policy != "no views" else [])}
    assert expected < set(report.losses)
    assert np.isfinite(list(report.losses.values())).all()
    assert set(result.metrics) == {"valid", "test"}
