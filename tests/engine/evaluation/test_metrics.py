"""The metrics' own examples run, and their bounds hold (FACTS F2, F22)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import KS, STOPPING_METRIC
from engine.evaluation import metrics


@given(st.lists(st.integers(0, 60) | st.just(float("inf")), min_size=1, max_size=50))
def test_steps_between_cut_offs_are_possible_ones(found: list[float]) -> None:
    values = metrics.metrics_of(np.array(found, dtype=np.float64), KS)
    assert set(values) == {f"{name}@{k}" for name in ("HR", "NDCG") for k in KS} | {"MRR"}
    for small, large in ((5, 10), (10, 20)):
        hits = values[f"HR@{large}"] - values[f"HR@{small}"]
        gain = values[f"NDCG@{large}"] - values[f"NDCG@{small}"]
        assert hits / np.log2(large + 1) - 1e-12 <= gain <= hits / np.log2(small + 2) + 1e-12


def test_no_users_and_certain_misses_count_nothing() -> None:
    assert set(metrics.metrics_of(np.array([]), KS).values()) == {0.0}
    assert set(metrics.metrics_of(np.array([np.inf]), KS).values()) == {0.0}


def test_the_metric_that_stops_a_run_is_one_of_them() -> None:
    assert metrics.metrics_of(np.array([0.0]), KS)[STOPPING_METRIC] == pytest.approx(1.0)
