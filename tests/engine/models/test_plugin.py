"""A new recommender is one folder: configuration, training and ranking find it; what it lacks is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.plugins import run_with_plugin

OPTIONS = """
from engine.registry import Options, register, setting
class PooledOptions(Options):
    width: int = setting(16, ge=1, le=512, help="Width of an item's row.", source="test")
register("model", "pooled", label="Pooled", help="The mean of what a user chose.", options=PooledOptions,
         target="engine.models.pooled.module:Pooled", trains=True, task="own", views=False)
"""
MODULE = """
import torch
from torch import nn
class Pooled(nn.Module):
    max_length = 20
    def __init__(self, width, item_count, generator):
        super().__init__()
        self.item_embedding = nn.Embedding(item_count + 2, width)
        with torch.no_grad():
            self.item_embedding.weight.normal_(std=0.1, generator=generator)
    @classmethod
    def from_config(cls, config, item_count, generator):
        return cls(config.model.width, item_count, generator)
    def queries(self, items, offsets):
        owners = torch.repeat_interleave(torch.arange(len(offsets) - 1), offsets.diff())
        rows = self.item_embedding(items)
        return rows.new_zeros(len(offsets) - 1, rows.shape[1]).index_add(0, owners, rows) / offsets.diff().unsqueeze(1)
    def output_table(self):
        return self.item_embedding.weight
    def loss(self, batch, negatives, generator):
        scores = self.queries(batch.inputs, batch.offsets) @ self.output_table().t()
        return nn.functional.cross_entropy(scores, batch.targets[batch.offsets[1:] - 1])
"""
PRESET = """
{"title": "Pooled", "description": "The mean.", "source": "test", "fidelity": "paper", "system": "Pooled",
 "values": {"model": {"name": "pooled", "width": 8}, "loss": {"contrastive_weight": 0.0}}}
"""
USE = """
from pathlib import Path
from engine.config import preset
from engine.data.dataset import load
from engine.training import train
from engine.training.listening import Silent
config = preset("pooled").config.replace({"train.epochs": 3, "data.path": "sample", "train.learning_rate": 0.01})
found = train(config, load("sample"), listener=Silent(), directory=Path())
losses = [epoch.losses["total"] for epoch in found.epochs]
print(losses[-1] < losses[0], sorted(found.epochs[-1].metrics)[:1], config.model.width)
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {"__init__.py": "", "options.py": OPTIONS, "module.py": MODULE, "presets/pooled.json": PRESET}


def test_a_new_recommender_is_one_folder(tmp_path: Path, files: dict[str, str]) -> None:
    done = run_with_plugin(tmp_path, "models/pooled", files, USE)
    assert done.stdout.split() == ["True", "['HR@10']", "8"], done.stderr


def test_what_it_does_not_offer_is_named_before_it_trains(tmp_path: Path, files: dict[str, str]) -> None:
    files["module.py"] = MODULE.replace("item_embedding", "items")
    done = run_with_plugin(tmp_path, "models/pooled", files, USE)
    said = "The model 'pooled' (engine.models.pooled.module:Pooled) has no item_embedding. A model of the task own has "
    assert said in done.stderr
