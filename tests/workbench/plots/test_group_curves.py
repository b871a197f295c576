"""Curves and dots of compared groups: what is drawn is in sight, and no zoom loses it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.records import ComparedCurve, ScatterPoint
from workbench.plots.base import Plot
from workbench.plots.group_curves import GroupCurvePlot, ScatterPlot
from workbench.theme import Theme


def curves(theme: Theme) -> Plot:
    plot = GroupCurvePlot(theme)
    x, mean = np.arange(1.0, 6.0), np.linspace(0.1, 0.5, 5)
    curve = ComparedCurve(0, "valid/NDCG@20", x, mean, np.full(5, 0.05), np.full(5, 3))
    plot.set_curves([curve], ["one"], is_time=False)
    return plot


def dots(theme: Theme) -> Plot:
    plot = ScatterPlot(theme)
    plot.set_points([ScatterPoint("a", "A", 1, 0.1), ScatterPoint("b", "B", 5, 0.5)], "seed", "NDCG@20")
    return plot


@pytest.mark.parametrize("make", [curves, dots])
def test_no_zoom_goes_far_beyond_what_is_drawn(qtbot: QtBot, theme: Theme, make: object) -> None:
    plot = make(theme)  # type: ignore[operator]
    qtbot.addWidget(plot)
    view = plot.getViewBox()
    for _ in range(60):
        view._resetTarget()
        view.scaleBy([1.35, 1.35], view.viewRect().center())
    (left, right), (low, high) = view.viewRange()
    assert -5 < left < 1 < 5 < right < 10
    assert -1 < low < 0.1 < 0.5 < high < 2


def test_other_curves_bring_other_limits(qtbot: QtBot, theme: Theme) -> None:
    plot = GroupCurvePlot(theme)
    qtbot.addWidget(plot)
    for epochs in (5, 500, 50):
        x = np.arange(1.0, epochs + 1)
        curve = ComparedCurve(0, "valid/NDCG@20", x, x / epochs, np.zeros(epochs), np.ones(epochs, dtype=int))
        plot.set_curves([curve], ["one"], is_time=False)
        left, right = plot.getViewBox().viewRange()[0]
        assert left < 1
        assert epochs < right < 1.3 * epochs


def test_the_beginning_of_fine_tuning_is_marked_as_long_as_it_is_drawn(qtbot: QtBot, theme: Theme) -> None:
    plot = GroupCurvePlot(theme)
    qtbot.addWidget(plot)
    x = np.arange(4.0, 8)
    two = ComparedCurve(1, "valid/NDCG@20", x, x / 10, np.zeros(4), np.ones(4, dtype=int), 3.0)
    one = ComparedCurve(0, "valid/NDCG@20", x - 3, x / 10, np.zeros(4), np.ones(4, dtype=int))
    plot.set_curves([one, two], ["SASRec", "S3-Rec"], is_time=False)
    assert plot.marks.places() == {"1": {"fine-tuning": 3.0}}
    plot.restyle(theme.colours)
    assert plot.marks.places() == {"1": {"fine-tuning": 3.0}}
    plot.set_curves([replace(two, fine_tuned_from=90.0)], ["SASRec", "S3-Rec"], is_time=True)
    assert plot.marks.places() == {"1": {"fine-tuning": 1.5}}, "in minutes, as the axis"
    plot.set_curves([one], ["SASRec"], is_time=False)
    assert plot.marks.places() == {}
