"""The bundled shop is worth training on: CoSeRec beats popularity by far, and the order of a sequence is why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.api.evaluations import Evaluations
from engine.config import preset
from engine.data.dataset import SAMPLE, Dataset, load
from engine.data.sequences import Sequences
from engine.training import train
from engine.training.listening import Silent

METRIC = "NDCG@10"


def trained(dataset: Dataset, seed: int, folder: Path) -> float:
    config = preset("sample").config.replace({"train.seed": seed, "train.device": "cpu"})
    return train(config, dataset, listener=Silent(), directory=folder).metrics["test"][METRIC]


def shuffled_inputs(dataset: Dataset, seed: int = 1) -> Dataset:
    """The same shop, every customer's choices but the two that are held out in a random order."""
    sequences = dataset.sequences
    held_out = np.arange(len(sequences.items)) >= np.repeat(sequences.offsets[1:] - 2, sequences.lengths)
    keys = np.where(held_out, 1 + np.arange(len(held_out)), np.random.default_rng(seed).random(len(held_out)))
    return replace(
        dataset, sequences=Sequences(sequences.items[np.lexsort((keys, sequences.owners))], sequences.offsets)
    )


@pytest.mark.slow
def test_over_three_seeds_it_is_twice_as_good_as_popularity_and_lives_on_order(tmp_path: Path) -> None:
    dataset = load(SAMPLE)
    popular = Evaluations().popularity(SAMPLE)[METRIC]
    found = [trained(dataset, seed, tmp_path / str(seed)) for seed in (1, 2, 3)]
    mixed = trained(shuffled_inputs(dataset), 1, tmp_path / "mixed")
    assert np.mean(found) >= 2 * popular
    assert min(found) > 1.5 * mixed
