"""The strip of names above a plot."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from workbench.plots.group_bars import Bars, GroupBarPlot
from workbench.plots.legend import MOST_NAMED, Legend
from workbench.theme import Theme


def shown(qtbot: QtBot, theme: Theme, names: tuple[str, ...], width: int) -> tuple[GroupBarPlot, Legend]:
    plot = GroupBarPlot(theme, "Bars")
    qtbot.addWidget(plot)
    plot.resize(width, 200)
    values = np.linspace(0.01, 0.06, len(names))[:, None]
    plot.set_bars(Bars(names, ("",), values, 0.5 * values, 9 * values))
    plot.show()
    plot.getPlotItem().layout.activate()
    assert plot.legend is not None
    return plot, plot.legend


def test_names_stand_above_what_is_drawn(qtbot: QtBot, theme: Theme) -> None:
    """A whisker that leaves the plot at its top cannot get into them."""
    plot, legend = shown(qtbot, theme, ("SASRec", "CoSeRec"), 700)
    assert legend.names == ("SASRec", "CoSeRec")
    bottom = legend.mapRectToScene(legend.rect()).bottom()
    assert bottom <= plot.getViewBox().sceneBoundingRect().top()
    assert legend.size().height() > 0


def test_its_font_is_still_qts_to_ask_for(qtbot: QtBot, theme: Theme) -> None:
    assert shown(qtbot, theme, ("SASRec",), 700)[1].font().pointSizeF() > 0


def test_as_many_columns_as_have_room(qtbot: QtBot, theme: Theme) -> None:
    names = tuple(f"CoSeRec for the sample shop, epochs {n}" for n in range(6))
    heights = {width: shown(qtbot, theme, names, width)[1].size().height() for width in (300, 700, 1300)}
    assert heights[300] > heights[700] > heights[1300]


def test_more_groups_than_can_be_named(qtbot: QtBot, theme: Theme) -> None:
    _, legend = shown(qtbot, theme, tuple(f"g{n}" for n in range(20)), 700)
    assert len(legend.names) == MOST_NAMED
    _, none = shown(qtbot, theme, (), 700)
    assert none.names == ()
