"""What the trainer gets in which epoch: Algorithm 1's lines 2–5, Eq. 11, and the fidelity switches of F15 and F16."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import registry
from engine.config import ExperimentConfig
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.errors import UsageError
from engine.similarity.hybrid.similarity import combine
from engine.similarity.source import correlations
from engine.similarity.table import NeighbourTable
from tests.engine.similarity import naive

ITEMS = 7
rows_of_items = st.lists(st.lists(st.integers(1, ITEMS), min_size=1, max_size=9), min_size=1, max_size=8)
NAMES = [entry.name for entry in registry.entries("similarity")]


def config(**values: Any) -> ExperimentConfig:
    return ExperimentConfig().replace({name.replace("__", "."): value for name, value in values.items()})


def item_table(seed: int = 1, items: int = ITEMS) -> torch.Tensor:
    return torch.randn(items + 2, 3, generator=torch.Generator().manual_seed(seed))


def split(rows: list[list[int]]) -> LeaveOneOut:
    return LeaveOneOut(Sequences.from_lists(rows))


@given(
    rows_of_items,
    st.integers(0, 99),
    st.integers(1, 4),
    st.sampled_from(["keep", "random"]),
    st.sampled_from(["items", "all_rows"]),
    st.sampled_from(["inputs", "training"]),
)
@settings(deadline=None)
def test_hybrid_is_equation_11(
    rows: list[list[int]], seed: int, k: int, missing: str, candidates: str, counted: Literal["inputs", "training"]
) -> None:
    table = item_table(seed)
    asked = config(
        similarity__hybrid_after_epoch=0,
        similarity__top_k=k,
        fidelity__missing_neighbour=missing,
        fidelity__hybrid_candidates=candidates,
        fidelity__correlation_items=counted,
    )
    found = correlations(asked, split(rows), ITEMS).at_epoch(0, table)

    held = {"inputs": 3, "training": 2}[counted]
    memory, _ = naive.memory([row[:-held] if len(row) >= 4 else row for row in rows])
    model, low, high = naive.model(table.double().numpy(), candidates == "all_rows")
    least, most = min(memory.values(), default=0.0), max(memory.values(), default=0.0)
    for item in range(1, ITEMS + 1):
        ours = [(j, naive.normalise(score, least, most)) for j, score in naive.ranked(memory, item, k)]
        theirs = [(j, naive.normalise(score, low, high)) for j, score in naive.ranked(model, item, k)]
        if ours and abs(ours[0][1] - theirs[0][1]) < 1e-5:
            continue  # too close for two ways of rounding
        if ours:
            winner = ours if ours[0][1] >= theirs[0][1] else theirs
        else:
            winner = theirs if missing == "keep" or theirs[0][1] > 0 else []
        winner = [(j, score) for j, score in winner if j]
        assert found.ids[item].tolist() == [j for j, _ in winner] + [0] * (k - len(winner))
        assert found.scores[item].tolist() == pytest.approx([s for _, s in winner] + [0] * (k - len(winner)), abs=1e-4)
    with_memory = sorted({i for i, _ in memory})
    any_at_all = [item for item in range(1, ITEMS + 1) if found.ids[item, 0]]
    assert found.pool.tolist() == (with_memory if missing == "random" else any_at_all)


def side(ids: list[list[int]], scores: list[list[float]]) -> NeighbourTable:
    return NeighbourTable.of(torch.tensor(ids), torch.tensor(scores))


NONE = [0, 0]
MEMORY = side([NONE, [2, 3], [1, 0], NONE, [3, 2], NONE], [[0, 0], [0.5, 0.4], [0.5, 0], [0, 0], [0, 0], [0, 0]])
MODEL_IDS = torch.tensor([NONE, [4, 3], [4, 3], [4, 1], [1, 2], NONE])


@pytest.mark.parametrize("missing", ["keep", "random"])
def test_memory_wins_ties_and_the_winners_whole_list_is_taken(missing: Literal["keep", "random"]) -> None:
    model = torch.tensor([[0, 0], [0.5, 0.45], [0.51, 0.1], [0.3, 0.2], [0.0, 0.0], [0, 0]])
    found = combine(MEMORY, MODEL_IDS, model, missing)
    assert found.ids[1].tolist() == [2, 3]  # .5 against .5
    assert found.ids[2].tolist() == [4, 3]  # .5 against .51
    assert found.scores[2].tolist() == pytest.approx([0.51, 0.1])
    assert found.ids[3].tolist() == [4, 1]  # no memory side
    assert found.ids[4].tolist() == [3, 2]  # the worst of all memory pairs, 0, against 0


def test_an_item_without_memory_neighbour_at_the_models_bottom() -> None:
    """The model's best scores 0 too: kept as it is, or left to a random stand-in of score 0 (FACTS F15)."""
    model = torch.zeros(6, 2)
    assert combine(MEMORY, MODEL_IDS, model, "keep").ids[3].tolist() == [4, 1]
    found = combine(MEMORY, MODEL_IDS, model, "random")
    assert found.ids[3].tolist() == [0, 0]
    assert found.pool.tolist() == [1, 2, 4]


def test_a_padding_row_among_the_best_is_no_neighbour() -> None:
    found = side([NONE, [0, 2], [1, 0], NONE], [[0, 0], [0.9, 0.8], [0.7, 0.6], [0, 0]])
    assert found.ids.tolist() == [NONE, [2, 0], [1, 0], NONE]
    assert found.scores[1].tolist() == pytest.approx([0.8, 0.0])
    assert found.pool.tolist() == [1, 2]


@pytest.mark.parametrize(("switch", "first"), [("at_epoch", 3), ("after_epoch", 4)])
def test_hybrid_begins_when_the_switch_says(switch: str, first: int) -> None:
    asked = config(similarity__hybrid_after_epoch=3, fidelity__hybrid_switch=switch)
    rows = [[1, 2, 3, 4, 5], [1, 2, 6, 7, 5]]
    found = correlations(asked, split(rows), ITEMS)
    names = [found.name_at(epoch) for epoch in range(6)]
    assert names == ["memory"] * first + ["hybrid"] * (6 - first)
    memory = correlations(config(similarity__name="item_cf"), split(rows), ITEMS).at_epoch(0, None)
    for epoch in range(6):
        table = found.at_epoch(epoch, item_table())
        assert table.ids.equal(memory.ids) == (epoch < first)


def test_hybrid_follows_the_embeddings() -> None:
    found = correlations(config(similarity__hybrid_after_epoch=0), split([[1, 2]]), ITEMS)
    one, other = (found.at_epoch(5, item_table(seed)) for seed in (1, 2))
    assert not one.ids.equal(other.ids)
    assert one.ids.equal(found.at_epoch(9, item_table(1)).ids)


def test_memory_is_the_same_table_every_epoch() -> None:
    found = correlations(config(similarity__name="item_cf"), split([[1, 2, 3, 4, 5]] * 2), ITEMS)
    assert {found.name_at(epoch) for epoch in (0, 1, 500)} == {"memory"}
    assert found.at_epoch(0, None) is found.at_epoch(500, item_table())


def test_the_model_speaks_from_the_first_epoch_on() -> None:
    found = correlations(config(similarity__name="embedding"), split([[1, 2]]), ITEMS)
    assert found.name_at(0) == "model"
    table = found.at_epoch(0, item_table())
    scores, _, _ = naive.model(item_table().double().numpy(), all_rows=False)
    assert table.ids[1:-1, 0].tolist() == [naive.ranked(scores, item, 1)[0][0] for item in range(1, ITEMS + 1)]
    assert table.pool.tolist() == list(range(1, ITEMS + 1))


@pytest.mark.parametrize("name", ["embedding", "hybrid"])
def test_without_a_trained_model_there_are_no_embeddings(name: str) -> None:
    asked = config(similarity__name=name, similarity__hybrid_after_epoch=0)
    found = correlations(asked, split([[1, 2]]), ITEMS)
    with pytest.raises(UsageError, match="needs a trained model"):
        found.at_epoch(0, None)


def test_too_short_users_count_and_held_out_items_do_not() -> None:
    """Users of 5 hold 3 out (or 2): what only their last items share is not counted; a user of 2 shares all of it."""
    rows = [[1, 2, 3, 4, 5], [6, 7]]
    inputs = correlations(config(similarity__name="item_cf"), split(rows), ITEMS).at_epoch(0, None)
    assert inputs.pool.tolist() == [1, 2, 6, 7]
    asked = config(similarity__name="item_cf", fidelity__correlation_items="training")
    assert correlations(asked, split(rows), ITEMS).at_epoch(0, None).pool.tolist() == [1, 2, 3, 6, 7]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 3])
def test_every_similarity_keeps_the_tables_contract(name: str, k: int) -> None:
    chance = np.random.default_rng(1)
    rows = [chance.integers(1, ITEMS + 1, size=6).tolist() for _ in range(5)]
    found = correlations(config(similarity__name=name, similarity__top_k=k), split(rows), ITEMS)
    table = found.at_epoch(400, item_table())
    assert found.name_at(400) in ("memory", "model", "hybrid")
    assert table.ids.shape == table.scores.shape == (ITEMS + 2, k)
    assert (table.ids.dtype, table.scores.dtype, table.pool.dtype) == (torch.int64, torch.float32, torch.int64)
    assert 0 <= int(table.ids.min()) <= int(table.ids.max()) <= ITEMS
    assert 0 <= float(table.scores.min()) <= float(table.scores.max()) <= 1
    assert not table.ids[0].any()
    assert not table.ids[ITEMS + 1].any()
    own = torch.arange(ITEMS + 2).unsqueeze(1)
    assert not ((table.ids == own) & (table.ids > 0)).any()
    assert (table.ids[table.pool, 0] > 0).all()
    gaps = table.ids == 0
    assert (gaps[:, :-1] <= gaps[:, 1:]).all()  # no neighbour after a gap
    assert bool((table.scores[:, :-1] >= table.scores[:, 1:]).all())
