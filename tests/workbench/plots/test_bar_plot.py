"""Bars: counts are written as everywhere else, and only several series need a legend."""

from __future__ import annotations

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
