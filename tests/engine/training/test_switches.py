"""Every switch between the paper and the published code is wired: each of its values trains or ranks differently.

What each switch does is tested where it is done; here a whole small training stands for the wiring from the
configuration's field to there. The list of switches is the configuration's own, so a new one is held to this at once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
import pytest

from engine.config import ExperimentConfig, SettingInfo, fields_of, parse, with_fidelity
from engine.data.dataset import Dataset, build
from engine.training import train
from engine.training.listening import Silent

SWITCHES = [item for item in fields_of(ExperimentConfig()) if item.is_switch]
RANKING_ONLY = {"evaluate.seen_items", "evaluate.ties", "fidelity.rank_special_tokens"}
"""Switches that training must not feel: with one stream of randomness a purpose, the losses stay the same."""

# Everything that some switch needs to show itself: short and long sequences, views longer than the longest input, a
# share of the users, a hybrid phase.
BASE = with_fidelity(ExperimentConfig(), "published").replace(
    {
        "data.train_fraction": 0.6,
        "similarity.hybrid_after_epoch": 0,
        "augment.short_length": 4,
        "augment.short_operators": "SIMCR",
        "augment.crop_rate": 0.55,
        "augment.mask_rate": 0.8,
        "augment.reorder_rate": 0.45,
        "augment.substitute_rate": 0.35,
        "augment.insert_rate": 0.35,
        "model.hidden_size": 8,
        "model.max_length": 6,
        "train.epochs": 2,
        "train.batch_size": 16,
        "train.learning_rate": 0.05,
        "train.device": "cpu",
    }
)


@cache
def data() -> Dataset:
    """Fifty users, items again and again, and items that nobody has together with another one."""
    random = np.random.default_rng(4)
    rows = [[16 + user, *random.integers(1, 16, size=3).tolist()] for user in range(10)]
    rows += [random.integers(1, 16, size=random.integers(5, 14)).tolist() for _ in range(40)]
    offsets = np.cumsum([0, *map(len, rows)])
    return build(Path("switches.txt"), np.arange(1, 51), np.array([item for row in rows for item in row]), offsets)


@dataclass(frozen=True)
class Seen:
    """What a training shows to the outside."""

    losses: tuple[tuple[float, ...], ...]
    ranks: tuple[float, ...]


def observed(path: str, value: Any) -> Seen:
    return trained(BASE.replace({path: value}).model_dump_json())


@cache
def trained(config: str) -> Seen:
    with TemporaryDirectory() as folder:
        result = train(parse(config), data(), listener=Silent(), directory=Path(folder))
    return Seen(tuple(tuple(report.losses.values()) for report in result.epochs), tuple(result.ranks["test"].tolist()))


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda item: item.path)
def test_every_value_of_a_switch_does_something_else(switch: SettingInfo) -> None:
    values = get_args(switch.annotation) or (False, True)
    assert {switch.paper, switch.published} <= set(values)
    for one, other in itertools.combinations(values, 2):
        first, second = observed(switch.path, one), observed(switch.path, other)
        if switch.path in RANKING_ONLY:
            assert first.losses == second.losses, (one, other)
            assert first.ranks != second.ranks, (one, other)
        else:
            assert first.losses != second.losses, (one, other)
