"""Ragged sequences against lists."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.data.sequences import Sequences

rows = st.lists(st.lists(st.integers(1, 9), max_size=8), max_size=8)


def lists(sequences: Sequences) -> list[list[int]]:
    return [sequences[row].tolist() for row in range(len(sequences))]


@given(rows, st.integers(0, 9), st.integers(0, 9))
def test_cutting(wanted: list[list[int]], first: int, last: int) -> None:
    sequences = Sequences.from_lists(wanted)
    assert lists(sequences) == wanted
    assert sequences.lengths.tolist() == [len(row) for row in wanted]
    assert sequences.owners.tolist() == [index for index, row in enumerate(wanted) for _ in row]
    assert lists(sequences.cut(first, last)) == [row[first : max(len(row) - last, first)] for row in wanted]
    assert lists(sequences.tail(last)) == [row[len(row) - min(last, len(row)) :] for row in wanted]
    assert lists(sequences.distinct()) == [sorted(set(row)) for row in wanted]
    half = np.array([len(row) // 2 for row in wanted], dtype=np.int64)
    assert lists(sequences.head(half)) == [row[: len(row) // 2] for row in wanted]


@given(rows.filter(bool), st.randoms())
def test_taking(wanted: list[list[int]], chance: object) -> None:
    order = [chance.randrange(len(wanted)) for _ in range(5)]  # type: ignore[attr-defined]
    assert lists(Sequences.from_lists(wanted).take(np.array(order))) == [wanted[row] for row in order]
