"""Figures show what they draw: whiskers end inside of the axes, however few users are behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from engine.records import ComparedGroup, Comparison, Measure, SliceTable
from engine.reports import figures

MEANS = np.array([[0.10, 0.20], [0.12, 0.30]])
LOWS = np.array([[0.08, -0.10], [0.10, 0.02]])
HIGHS = np.array([[0.12, 0.50], [0.14, 0.95]])
"""Four users in the second bucket: their interval is far longer than any bar."""


def axes_of(draw: Any) -> Any:
    axes = Figure(layout="constrained").subplots()
    draw(axes)
    return axes


def test_the_whiskers_of_a_handful_of_users_end_inside_of_the_figure() -> None:
    users = np.array([900, 4])
    table = SliceTable("length", "HR@5", "test", ("3–5", "50+"), users, MEANS, LOWS, HIGHS, np.zeros((2, 2)))
    low, high = axes_of(figures.slice_bars(table, ["one", "other"])).get_ylim()
    assert high > HIGHS.max()
    assert low < LOWS.min()


@pytest.mark.parametrize("split", ["valid", "test"])
def test_the_whiskers_of_whole_groups_end_inside_of_the_figure(split: str) -> None:
    groups = tuple(ComparedGroup(name, (name,), (1,), "d", "f", "h", "m", "p") for name in ("one", "other"))
    measures = tuple(
        Measure(n, "HR@5", float(MEANS[n, 1]), None, float(LOWS[n, 1]), float(HIGHS[n, 1]), (0.2,)) for n in (0, 1)
    )
    found = Comparison(split, groups, ("HR@5",), 4, measures, (), 0, (), (), (), (), 0.95, 100)
    low, high = axes_of(figures.bars(found, "HR@5")).get_ylim()
    assert high > HIGHS.max()
    assert low < LOWS.min()
