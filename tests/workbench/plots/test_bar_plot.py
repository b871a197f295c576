"""Histograms of two groups: their names, and how high they are drawn."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QBrush
from pytestqt.qtbot import QtBot

from workbench.plots.bar_plot import BarPlot
from workbench.theme import Theme


def test_counts_have_their_thousands_set_apart_and_shares_their_fractions(qtbot: QtBot) -> None:
    theme = Theme("light")
    counts, shares = BarPlot(theme, "a", "x", "views"), BarPlot(theme, "b", "x", "share, %")
    for plot in (counts, shares):
        qtbot.addWidget(plot)
    assert counts.getAxis("left").tickStrings([30_000.0], 1.0, 10_000.0) == ["30,000"]
    assert shares.getAxis("left").tickStrings([0.5], 1.0, 0.5) == ["0.5"]


@pytest.fixture
def plot(qtbot: QtBot, theme: Theme) -> BarPlot:
    made = BarPlot(theme, "Bars", "operators", "share, %")
    qtbot.addWidget(made)
    made.resize(400, 240)
    made.set_bars([0, 1], {"short": [100, 20], "long": [0, 40]}, [(0, "RR"), (1, "CC")])
    made.show()
    made.getPlotItem().layout.activate()
    return made


def test_names_stand_above_the_bars(plot: BarPlot) -> None:
    """They stood upon the plot, which left a third of it empty for them: a share's axis went on to 135 %."""
    assert plot.legend.names == ("short", "long")
    bottom = plot.legend.mapRectToScene(plot.legend.rect()).bottom()
    assert bottom <= plot.getViewBox().sceneBoundingRect().top()
    low, high = plot.getViewBox().viewRange()[1]
    assert (low, high) == (0, pytest.approx(105))


def test_names_and_bars_change_with_the_theme_and_the_numbers(plot: BarPlot, theme: Theme) -> None:
    before = [QBrush(bars.opts["brush"]).color().name() for bars in plot._bars]
    theme.choose("dark")
    after = [QBrush(bars.opts["brush"]).color().name() for bars in plot._bars]
    assert after != before
    plot.set_bars([0], {"all": [3]})
    assert plot.legend.names == ("all",)
    plot.set_bars([], {})
    assert plot.legend.names == ()
