"""Axes that are painted at once look as pyqtgraph's own, and follow the range."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsTextItem
from pytestqt.qtbot import QtBot

from workbench.plots.axes import Axis, PaintedAtOnce


def picture(plot: pg.PlotWidget) -> NDArray[np.uint8]:
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3].copy()


@pytest.mark.parametrize("has_grid", [False, True])
def test_it_looks_as_pyqtgraphs_own(qtbot: QtBot, has_grid: bool) -> None:
    pictures = []
    for kind in (pg.AxisItem, Axis):
        plot = pg.PlotWidget(axisItems={side: kind(side) for side in ("left", "bottom")})
        qtbot.addWidget(plot)
        plot.resize(420, 300)
        plot.plot([0.0, 1.0, 2.0, 3.0], [0.01, 0.03, 0.02, 0.05])
        plot.showGrid(has_grid, has_grid, 0.3)
        plot.show()
        plot.grab()  # the first one makes room for the words
        pictures.append(picture(plot))
    theirs, ours = (image.astype(int) for image in pictures)
    assert (theirs != theirs[0, 0]).any(-1).mean() > 0.01  # there is something to be seen
    assert (np.abs(theirs - ours).max(-1) > 8).mean() < 0.002


def test_it_follows_the_range_and_asks_once_a_range(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plainly = Axis.generateDrawSpecs
    monkeypatch.setattr(Axis, "generateDrawSpecs", lambda self, p: asked.append(self.orientation) or plainly(self, p))
    plot = pg.PlotWidget(axisItems={side: Axis(side) for side in ("left", "bottom")})
    qtbot.addWidget(plot)
    plot.resize(420, 300)
    plot.setRange(xRange=(0, 1), yRange=(0, 1))
    plot.show()
    plot.grab()
    before = picture(plot)
    asked.clear()
    assert (picture(plot) == before).all()
    assert asked == []
    plot.setXRange(0, 500)
    assert (picture(plot) != before).any()
    assert "bottom" in asked
    assert issubclass(Axis, PaintedAtOnce)


def test_a_label_is_laid_out_where_there_is_one_and_follows_its_words_and_colour(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[str] = []
    plainly = QGraphicsTextItem.setHtml
    monkeypatch.setattr(QGraphicsTextItem, "setHtml", lambda self, text: laid_out.append(text) or plainly(self, text))
    axis = Axis("bottom")
    axis.setPen("#102030")
    assert laid_out == []
    plot = pg.PlotWidget(axisItems={"bottom": axis})
    qtbot.addWidget(plot)
    bare = axis.maximumHeight()
    plot.setLabel("bottom", "epoch", units="s")
    assert axis.label.toPlainText() == "epoch (s)"
    assert axis.maximumHeight() > bare
    laid_out.clear()
    axis.setTextPen("#405060")
    axis.setTextPen("#405060")
    axis.setTickPen("#405060")
    assert [text for text in laid_out if "epoch" in text] == ["<span style='color: #405060'>epoch (s)</span>"]
    plot.setLabel("bottom", "")
    assert not axis.label.isVisible()
    assert axis.maximumHeight() == bare
    plot.setLabel("bottom", "epoch", units="s")
    assert axis.label.toPlainText() == "epoch (s)"
    assert axis.maximumHeight() > bare
