"""The blocked product against Eq. 10's double loop, both candidate rules of FACTS F16."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.similarity.embedding.products import embedding_neighbours
from tests.engine.similarity import naive

Candidates = Literal["items", "all_rows"]
# Small integers: products are exact, and many are equal.
tables = arrays.arrays(np.float64, st.tuples(st.integers(3, 9), st.integers(1, 3)), elements=st.integers(-3, 3))


@given(tables, st.integers(1, 10), st.sampled_from(["items", "all_rows"]), st.sampled_from([1, 11, 1000]))
def test_it_is_equation_10(table: np.ndarray, k: int, candidates: Candidates, at_once: int) -> None:
    found = embedding_neighbours(torch.from_numpy(table).float(), k, candidates, at_once)
    scores, low, high = naive.model(table, candidates == "all_rows")
    assert (float(found.low), float(found.high)) == (low, high)
    for item in range(len(table)):
        expected = naive.ranked(scores, item, k)
        gap = k - len(expected)
        assert found.ids[item].tolist() == [other for other, _ in expected] + [0] * gap
        assert found.scores[item].tolist() == [score for _, score in expected] + [-torch.inf] * gap
        normal = [naive.normalise(score, low, high) for _, score in expected] + [0.0] * gap
        assert found.normalised[item].tolist() == pytest.approx(normal, abs=1e-6)


def test_special_rows_take_part_only_where_they_are_asked_for() -> None:
    """Padding and mask point where item 1 does, far out; item 2 is the only other item there is."""
    table = torch.tensor([[9.0, 0.0], [1.0, 0.0], [0.0, 1.0], [5.0, 0.0]])
    items = embedding_neighbours(table, 1, "items")
    assert items.ids.squeeze(1).tolist() == [0, 2, 1, 0]
    assert (float(items.low), float(items.high)) == (0.0, 0.0)
    rows = embedding_neighbours(table, 2, "all_rows")
    assert rows.ids[1].tolist() == [0, 3]  # the padding row, then the mask's
    assert rows.ids[3].tolist() == [0, 1]
    assert not rows.ids[0].any()
    assert float(rows.high) == 45.0  # mask · padding; a self-product (25) counts too, padding's own (81) does not


def test_self_products_normalise_in_all_rows_only() -> None:
    table = torch.tensor([[0.0], [3.0], [1.0], [0.0]])
    assert float(embedding_neighbours(table, 1, "items").high) == 3.0
    assert float(embedding_neighbours(table, 1, "all_rows").high) == 9.0


def test_blocks_do_not_change_anything() -> None:
    table = torch.randn(203, 16, generator=torch.Generator().manual_seed(1))
    whole = embedding_neighbours(table, 5)
    parts = embedding_neighbours(table, 5, scores_at_once=1000)
    assert parts.ids.equal(whole.ids)
    assert torch.allclose(parts.scores[1:-1], whole.scores[1:-1])
    assert torch.allclose(parts.low, whole.low)


def test_it_leaves_no_trace_in_the_models_graph() -> None:
    table = torch.nn.Parameter(torch.randn(6, 4))
    assert not embedding_neighbours(table, 1).scores.requires_grad
