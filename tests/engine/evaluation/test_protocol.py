"""An evaluation from end to end on a split that a reader can follow (FACTS F1–F3, F18)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.config import EvaluateOptions, FidelityOptions
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.evaluation import scoring
from engine.evaluation.protocol import evaluate, model_inputs
from engine.evaluation.scoring import ModelScorer, scores_in_parts
from engine.modules import linear

SPLIT = LeaveOneOut(Sequences.from_lists([[1, 2, 3, 4, 5], [1, 2], [6, 5, 4, 3], [2, 3, 2, 6, 2]]))


def by_id(rows: np.ndarray) -> list[torch.Tensor]:
    return [torch.arange(8.0).repeat(len(rows), 1)]


def test_targets_and_histories_are_those_of_the_split() -> None:
    valid = evaluate(by_id, SPLIT, "valid", 6, EvaluateOptions(), FidelityOptions())
    test = evaluate(by_id, SPLIT, "test", 6, EvaluateOptions(), FidelityOptions())
    # Higher ids score higher. Valid: 4 after 1 2 3 → 5, 6 above; 4 after 6 5 → none left above; 6 after 2 3 2.
    assert valid.ranks.tolist() == [2, 0, 0]
    # Test: 5 after 1 2 3 4 → 6 above; 3 after 6 5 4 → none; 2 is in its own history: a certain miss.
    assert test.ranks.tolist() == [1, 0, math.inf]
    assert test.metrics["HR@5"] == 2 / 3
    assert test.card["users"] == 3
    assert test.card["users_too_short"] == 1
    assert test.card["candidates"] == 6


def test_the_special_tokens_are_ranked_where_published_code_ranks_them() -> None:
    found = evaluate(by_id, SPLIT, "valid", 6, EvaluateOptions(), FidelityOptions(rank_special_tokens=True))
    assert found.ranks.tolist() == [3, 1, 1]  # the mask token, id 7, is above everything
    assert found.card["candidates"] == 8


def test_noise_is_in_test_inputs_only() -> None:
    clean, noisy = EvaluateOptions(), EvaluateOptions(noise_rate=0.5)
    assert model_inputs(SPLIT, "valid", 6, noisy, 1) is SPLIT.valid_inputs
    assert model_inputs(SPLIT, "test", 6, clean, 1) is SPLIT.test_inputs
    found = model_inputs(SPLIT, "test", 6, noisy, 1)
    assert (found.lengths >= SPLIT.test_inputs.lengths).all()
    assert found.lengths.sum() > SPLIT.test_inputs.lengths.sum()


class Echo:
    """Scores item i by 1 if it is the last one, and remembers nothing."""

    def queries(self, items: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(items[offsets[1:] - 1], 8).float() * offsets.diff().unsqueeze(1)

    def output_table(self) -> torch.Tensor:
        return torch.eye(8)

    def eval(self) -> None: ...

    def train(self, mode: bool = True) -> None: ...


def test_a_models_scorer_shows_it_each_users_last_items() -> None:
    scorer = ModelScorer(Echo(), SPLIT.test_inputs, 3)
    (scores,) = scorer(np.array([1, 2]))
    assert scores.argmax(1).tolist() == [4, 6]
    assert scores.max(1).values.tolist() == [3, 3]
    assert next(scorer(np.array([0]))).max().item() == 3  # four items, the last three of them


@pytest.mark.parametrize("at_once", [1, 9 * 100, 10**6])
def test_scores_come_in_parts_that_the_memory_has_room_for(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "CACHED", at_once)
    generator = torch.Generator().manual_seed(1)
    queries, table = torch.randn(300, 5, generator=generator), torch.randn(9, 5, generator=generator)
    parts = list(scores_in_parts(queries, table))
    longest = max(map(len, parts))
    assert longest == min(300, scoring.users_at_once(300, 9, queries.device))
    assert longest <= max(1.5 * at_once / 9, 64)
    assert torch.allclose(torch.cat(parts), queries @ table.t(), atol=1e-5)
    parts[0].zero_()  # the ranking writes into what it is given
    assert table.all()
