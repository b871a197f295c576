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


def test_the_range_covers_the_whiskers_of_a_handful_of_users(qtbot: QtBot, theme: Theme) -> None:
    means = np.array([[0.1, 0.2], [0.12, np.nan]])
    lows, highs = means - 0.02, means + 0.02
    lows[0, 1], highs[0, 1] = -0.1, 0.95  # four users
    plot = GroupBarPlot(theme, "Bars")
    qtbot.addWidget(plot)
    plot.set_bars(Bars(("one", "other"), ("short", "long"), means, lows, highs, lines=(("paper", 0.3),)))
    low, high = plot.getViewBox().viewRange()[1]
    assert low < -0.1
    assert high > 0.95
    plot.set_bars(Bars(("one",), ("",), means[:1, :1], lows[:1, :1], highs[:1, :1], lines=(("paper", 0.3),)))
    assert plot.getViewBox().viewRange()[1][0] == 0, "nothing below 0: bars stand on the axis"
    assert 0.3 < plot.getViewBox().viewRange()[1][1] < 0.35


def test_bars_without_names_below_them_have_the_whole_height(qtbot: QtBot, theme: Theme) -> None:
    means = np.array([[0.1, 0.2]])
    plot = GroupBarPlot(theme, "Bars")
    qtbot.addWidget(plot)
    axis = plot.getAxis("bottom")
    plot.set_bars(Bars(("one",), ("short", "long"), means, means, means))
    named = axis.minimumHeight()
    plot.set_bars(Bars(("one",), ("",), means[:, :1], means[:, :1], means[:, :1]))
    assert axis.minimumHeight() == axis.maximumHeight() == 4 < named
    plot.set_bars(Bars(("one",), ("",), means[:, :1], means[:, :1], means[:, :1], bucket_label="training length"))
    assert axis.minimumHeight() > 4
