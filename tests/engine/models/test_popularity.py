"""PopRec: what it counts, and Table 2's column to the last digit (FACTS B1, F21)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.api import Workspace
from engine.config import ExperimentConfig
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.models.popularity.module import Popularity, popularity_counts
from tests.engine.models.scored import scores_of
from tests.helpers.real_data import real_data

ROWS = [[1, 2, 3, 4], [1, 1, 2, 5, 6], [3, 5], []]
FILES = {"Beauty": "Beauty.txt", "Sports": "Sports_and_Outdoors.txt", "Yelp": "Yelp.txt"}
TIES = ("id", *(pytest.param(ties, marks=pytest.mark.slow) for ties in ("optimistic", "pessimistic", "mean")))

# Table 2's PopRec column, HR@5/10/20 and NDCG@5/10/20: every action counts, held-out ones too (FACTS F21).
EVERYTHING = {
    "Beauty": (0.0080, 0.0152, 0.0217, 0.0044, 0.0068, 0.0084),
    "Sports": (0.0056, 0.0094, 0.0192, 0.0041, 0.0053, 0.0078),
    "Yelp": (0.0057, 0.0099, 0.0164, 0.0037, 0.0051, 0.0067),
}
# The same with training parts counted only. Ties matter on Beauty alone.
HONEST = {
    ("Beauty", "optimistic"): (0.0081, 0.0120, 0.0204, 0.0044, 0.0056, 0.0076),
    ("Beauty", "mean"): (0.0081, 0.0120, 0.0204, 0.0044, 0.0056, 0.0076),
    ("Beauty", "pessimistic"): (0.0068, 0.0110, 0.0198, 0.0039, 0.0053, 0.0074),
    ("Beauty", "id"): (0.0075, 0.0115, 0.0203, 0.0041, 0.0055, 0.0076),
    ("Sports", "id"): (0.0057, 0.0091, 0.0151, 0.0041, 0.0052, 0.0067),
    ("Yelp", "id"): (0.0056, 0.0095, 0.0156, 0.0036, 0.0049, 0.0064),
}


def test_counts_are_of_training_parts_or_of_everything() -> None:
    split = LeaveOneOut(Sequences.from_lists(ROWS))
    # [1, 2 | 3, 4], [1, 1, 2 | 5, 6] and, too short to hold anything out, [3, 5].
    assert popularity_counts(split, 6).tolist() == [0, 3, 2, 1, 0, 1, 0, 0]
    assert popularity_counts(split, 6, everything=True).tolist() == [0, 3, 2, 2, 1, 2, 1, 0]


@pytest.mark.parametrize("everything", [False, True])
def test_the_configuration_says_what_counts(everything: bool) -> None:
    split = LeaveOneOut(Sequences.from_lists(ROWS))
    config = ExperimentConfig().replace({"model.name": "popularity", "model.count_everything": everything})
    model = Popularity.from_config(config, 6, split)
    scores = scores_of(model, torch.tensor([1, 2, 3]), torch.tensor([0, 1, 3]))
    assert scores.tolist() == [popularity_counts(split, 6, everything).tolist()] * 2
    scores[0, 1] = -1.0  # the ranking writes into what it is given
    assert scores[1, 1] == model.counts[1] == 3


def metrics(name: str, ties: str, everything: bool) -> tuple[float, ...]:
    found = Workspace().evaluations.popularity(str(real_data(FILES[name])), count_everything=everything, ties=ties)
    return tuple(round(found[f"{metric}@{k}"], 4) for metric in ("HR", "NDCG") for k in (5, 10, 20))


@pytest.mark.realdata
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", FILES)
def test_all_18_cells_of_table_2_come_back_under_every_tie_rule(name: str, ties: str) -> None:
    assert metrics(name, ties, everything=True) == EVERYTHING[name]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "ties"), [pytest.param(*case, marks=[pytest.mark.slow] * (case[1] != "id")) for case in HONEST]
)
def test_the_honest_count(name: str, ties: str) -> None:
    assert metrics(name, ties, everything=False) == HONEST[name, ties]


def test_counts_survive_as_scores() -> None:
    many = np.array([0.0, 2**24, 2**24 - 1, 0.0])
    assert Popularity(many).counts.tolist() == many.tolist()
