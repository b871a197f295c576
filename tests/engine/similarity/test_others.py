"""ItemCF without inverse user frequency, and the cosine, against double loops."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.sequences import Sequences
from engine.similarity.cosine.counting import cosine
from engine.similarity.item_cf_plain.counting import item_cf_plain
from tests.engine.similarity import naive

ITEMS = 7
rows_of_items = st.lists(st.lists(st.integers(1, ITEMS), max_size=7), max_size=8)


def plain_pair(rows: list[list[int]], i: int, j: int) -> float:
    users = {item: {user for user, row in enumerate(rows) if item in row} for item in (i, j)}
    return len(users[i] & users[j]) / math.sqrt(len(users[i]) * len(users[j]))


def cosine_pair(rows: list[list[int]], i: int, j: int) -> float:
    one, other = [row.count(i) for row in rows], [row.count(j) for row in rows]
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))


@pytest.mark.parametrize(("count", "pair"), [(item_cf_plain, plain_pair), (cosine, cosine_pair)])
@given(rows=rows_of_items, k=st.integers(1, 8), pairs_at_once=st.sampled_from([1, 9, 10_000]))
def test_it_is_its_formula(count: object, pair: object, rows: list[list[int]], k: int, pairs_at_once: int) -> None:
    found = count(Sequences.from_lists(rows), ITEMS, k, pairs_at_once)  # type: ignore[operator]
    _, shared = naive.memory(rows)
    scores = {(i, j): pair(rows, i, j) for i, j in shared}  # type: ignore[operator]
    for item in range(1, ITEMS + 1):
        own = sorted((score for (i, _), score in scores.items() if i == item), reverse=True)[:k]
        ids = [other for other in found.ids[item].tolist() if other]
        assert found.scores[item].tolist() == pytest.approx(own + [0] * (k - len(own)), rel=1e-6)
        assert [scores[item, other] for other in ids] == pytest.approx(own, rel=1e-6)
        assert [shared[item, other] for other in ids] == found.shared[item, : len(ids)].tolist()
    assert (found.low, found.high) == pytest.approx(
        (min(scores.values(), default=0), max(scores.values(), default=0)), rel=1e-6
    )


def test_they_are_one_number_until_somebody_repeats_an_item() -> None:
    once = [[1, 2, 3], [1, 2], [2, 4]]
    both = [count(Sequences.from_lists(once), 4, 3) for count in (item_cf_plain, cosine)]
    assert both[0].scores == pytest.approx(both[1].scores)
    again = Sequences.from_lists([[1, 1, 2, 3], [1, 2], [2, 4]])
    # x_1 = (2, 1, 0), x_2 = (1, 1, 1), x_3 = (1, 0, 0): 2 / sqrt(5) and 3 / sqrt(5 · 3), against 2 / sqrt(2 · 3).
    assert cosine(again, 4, 3).ids[1].tolist() == [3, 2, 0]
    assert cosine(again, 4, 3).scores[1] == pytest.approx([2 / math.sqrt(5), 3 / math.sqrt(15), 0])
    assert item_cf_plain(again, 4, 3).scores[1, 0] == pytest.approx(2 / math.sqrt(6))
