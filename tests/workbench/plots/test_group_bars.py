"""Bars of groups with their intervals."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from pytestqt.qtbot import QtBot

from workbench.plots.group_bars import Bars, GroupBarPlot
from workbench.theme import Theme


def test_a_bucket_without_an_interval_leaves_the_others_theirs(qtbot: QtBot, theme: Theme) -> None:
    means = np.array([[0.2, 0.3], [0.4, 0.5]])
    lows, highs = means - 0.1, means + 0.1
    lows[0, 1] = highs[0, 1] = np.nan
    plot = GroupBarPlot(theme, "Bars")
    qtbot.addWidget(plot)
    plot.set_bars(Bars(("one", "other"), ("short", "long"), means, lows, highs))
    (ends,) = (item for item in plot.getPlotItem().items if isinstance(item, pg.ErrorBarItem))
    assert sorted(ends.opts["y"].tolist()) == [0.2, 0.4, 0.5]
    assert plot.reading_at(pg.Point(1.2, 0)) == "long · other: .5000 [.4000, .6000]"
    assert plot.reading_at(pg.Point(0.8, 0)) == "long · one: .3000"
