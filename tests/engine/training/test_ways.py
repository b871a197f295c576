"""Other devices' ways of computing come to what the CPU's own ways come to, whatever is trained."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.config import ExperimentConfig, Preset, presets
from engine.modules.ways import as_elsewhere, is_host
from engine.training import train
from engine.training.listening import Silent
from tests.engine.training.small import circles

DATA = circles(60)
TRAINED = [found for found in presets() if found.config.model.name != "popularity"]
SMALL = {"hidden_size": 8, "layers": 1, "max_length": 8}


def quick(settings: ExperimentConfig) -> ExperimentConfig:
    """Two epochs, in the second of them hybrid correlations, without dropout: a device draws it in another order."""
    options = type(settings.model).model_fields
    values: dict[str, Any] = {f"model.{name}": value for name, value in SMALL.items() if name in options}
    values |= {f"model.{name}": 0.0 for name in options if "dropout" in name}
    values |= {"train.epochs": 2, "train.batch_size": 32, "train.device": "cpu", "similarity.hybrid_after_epoch": 1}
    return settings.replace(values | {"train.pretrain_epochs": int(settings.train.pretrain_epochs > 0)})


@pytest.mark.parametrize("chosen", TRAINED, ids=lambda chosen: str(chosen.name))
def test_a_run_is_the_same_elsewhere(chosen: Preset, tmp_path: Path) -> None:
    settings = quick(chosen.config)
    here = train(settings, DATA, listener=Silent(), directory=tmp_path / "here")
    with as_elsewhere():
        there = train(settings, DATA, listener=Silent(), directory=tmp_path / "there")
    for ours, theirs in zip(here.epochs, there.epochs, strict=True):
        assert ours.losses == pytest.approx(theirs.losses, rel=1e-3)
        assert ours.metrics == pytest.approx(theirs.metrics, abs=0.04)
    assert here.metrics["test"] == pytest.approx(there.metrics["test"], abs=0.04)


def test_the_way_elsewhere_ends() -> None:
    cpu = torch.device("cpu")
    with suppress(KeyError), as_elsewhere():
        assert not is_host(cpu)
        raise KeyError
    assert is_host(cpu)
    assert not is_host(torch.device("meta"))
