"""Plots that come into sight together: one a turn of the event loop, and all of them in the end."""

from __future__ import annotations

import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from workbench.plots import reveal
from workbench.plots.reveal import RevealedPlot


@pytest.fixture
def four(qtbot: QtBot) -> QWidget:
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    for number in range(4):
        plot = RevealedPlot()
        plot.plot([0, 1], [0, number + 1])
        column.addWidget(plot)
    page.resize(400, 600)
    return page


def test_one_a_turn_and_all_in_the_end(qtbot: QtBot, four: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[tuple[int, RevealedPlot]] = []
    turns = [0]
    whole = pg.PlotWidget.paintEvent

    def counting(plot: RevealedPlot, event: object) -> None:
        if all(plot is not other for _, other in painted):
            painted.append((turns[0], plot))
        whole(plot, event)

    monkeypatch.setattr(reveal, "TURN_SECONDS", 0.0)  # any painting spends the turn
    monkeypatch.setattr(pg.PlotWidget, "paintEvent", counting)
    clock = QTimer()
    clock.timeout.connect(lambda: turns.__setitem__(0, turns[0] + 1))
    clock.start(0)
    four.show()
    qtbot.waitUntil(lambda: len(painted) == 4)
    assert len({turn for turn, _ in painted}) == 4


def test_a_plot_that_waits_shows_its_ground(qtbot: QtBot, four: QWidget) -> None:
    plot = four.findChildren(RevealedPlot)[0]
    plot.setBackground("#123456")
    four.show()
    qtbot.waitUntil(lambda: not plot._is_new)
    plot._is_new = True
    reveal._this_turn().spend(1.0)
    waiting = plot.grab().toImage()
    middle = waiting.rect().center()
    assert QColor(waiting.pixel(middle)).name() == "#123456"
    assert {waiting.pixel(x, middle.y()) for x in range(10, waiting.width() - 10)} == {waiting.pixel(middle)}
    qtbot.waitUntil(lambda: not plot._is_new)


def test_a_plot_in_sight_is_painted_at_once(qtbot: QtBot, four: QWidget) -> None:
    four.show()
    plots = four.findChildren(RevealedPlot)
    qtbot.waitUntil(lambda: not any(plot._is_new for plot in plots))
    asked: list[str] = []

    class Watch(QObject):
        def eventFilter(self, _: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                asked.append("paint")
            return False

    watch = Watch()
    for plot in plots:
        plot.viewport().installEventFilter(watch)
        plot.viewport().repaint()
    assert len(asked) == 4
    assert not any(plot._is_new for plot in plots)
