"""What Compare's tables say beside their numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.records import Comparison, PairedTest
from workbench.widgets import compare_tables

TEST = PairedTest("NDCG@20", 0, 1, 0.01, 0.002, 0.018, 0.1, 0.001, 0.001, 0.1, 0.1, 60, 40, 0, None)


@pytest.mark.parametrize(
    ("low", "p", "is_apart"),
    [(0.002, 0.001, False), (-0.002, 0.3, False), (0.002, 0.3, True), (-0.002, 0.001, True)],
)
def test_where_interval_and_p_disagree_it_is_said_why(low: float, p: float, is_apart: bool) -> None:
    tests = (replace(TEST, low=low, p=p),)
    found = Comparison("test", (), ("NDCG@20",), 100, (), tests, 1, (), (), (), (), 0.95, 1000)
    assert (compare_tables.APART in compare_tables.tests_words(found)) is is_apart
