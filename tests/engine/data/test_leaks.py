"""The leak check against a loop over users, and that it would find a leak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import leaks
from engine.data.leaks import count_leaks
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut

ROWS = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=8), min_size=1, max_size=6)


@given(ROWS, st.sampled_from(["inputs", "training"]), st.sampled_from(["training", "whole"]))
def test_the_counts_are_those_of_a_loop(rows: list[list[int]], counts: str, excluded: str) -> None:
    found = count_leaks(Sequences.from_lists(rows), counts, excluded)  # type: ignore[arg-type]
    long = [row for row in rows if len(row) >= 4]
    assert found.pairs == sum(len(row) - 3 for row in long)
    held = {"inputs": 3, "training": 2}[counts]
    assert found.counted == sum(len(row) - held if len(row) >= 4 else len(row) for row in rows)
    assert (found.leaking_pairs, found.leaking_counted) == (0, 0)
    assert found.users == len(long)
    assert found.guarded_users == (len(long) if excluded == "whole" else 0)


def test_an_item_that_comes_again_is_no_leak() -> None:
    assert count_leaks(Sequences.from_lists([[7, 7, 7, 7, 7]]), "inputs", "training").leaking_pairs == 0


def test_a_split_that_gives_training_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless(LeaveOneOut):
        """Trains on everything but the first item."""

        @property
        def train_inputs(self) -> Sequences:  # type: ignore[override]
            return self.whole.cut(last=1)

        @property
        def train_targets(self) -> Sequences:  # type: ignore[override]
            return self.whole.cut(first=1)

    monkeypatch.setattr(leaks, "LeaveOneOut", Careless)
    found = count_leaks(Sequences.from_lists([[1, 2, 3, 4, 5], [1, 2, 3]]), "inputs", "training")
    assert (found.pairs, found.leaking_pairs) == (4, 2)
