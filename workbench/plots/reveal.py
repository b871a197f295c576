"""Plots that come into sight together are painted one after the other, a turn of the event loop each.

A plot takes 10 to 20 ms; a page of six, painted in one turn, would be felt.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from workbench.plots.axes import Axis

SIDES = ("left", "bottom", "right", "top")
TURN_SECONDS = 0.008
"""After so much painting in one turn, a plot that has just come into sight waits for the next one."""


class _Turn(QObject):
    """How long plots have been painted in this turn of the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._spent = 0.0

    @property
    def is_spent(self) -> bool:
        return self._spent > TURN_SECONDS

    def spend(self, seconds: float) -> None:
        if not self._spent:
            QTimer.singleShot(0, self, self._begin)
        self._spent += seconds

    @Slot()
    def _begin(self) -> None:
        self._spent = 0.0


@cache
def _this_turn() -> _Turn:
    return _Turn()


class RevealedPlot(pg.PlotWidget):
    """Shows its ground alone for a turn or more: first comes the page around it, then one plot after the other."""

    def __init__(
        self, parent: QWidget | None = None, *, axes: dict[str, pg.AxisItem] | None = None, **keywords: Any
    ) -> None:
        """``axes``: those in sight, by side; the others are there, as pyqtgraph wants it, and hidden."""
        self._is_new = False
        self._may_be_painted = True
        seen = axes or {side: Axis(side) for side in ("left", "bottom")}
        unseen = {side: Axis(side) for side in SIDES if side not in seen}
        super().__init__(parent, axisItems=seen | unseen, **keywords)
        for side in unseen:
            self.hideAxis(side)

    def showEvent(self, event: QShowEvent) -> None:
        self._is_new = True
        self._may_be_painted = False
        super().showEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        turn = _this_turn()
        if self._is_new and (turn.is_spent or not self._may_be_painted):
            painter = QPainter(self.viewport())
            painter.fillRect(event.rect(), self.backgroundBrush())
            painter.end()
            QTimer.singleShot(0, self, self._paint_later)
            return
        if self._is_new:
            # What axes have asked for since; otherwise it comes after this paint, and all is painted again.
            self.getPlotItem().layout.activate()
            self._is_new = False
        began = time.perf_counter()
        super().paintEvent(event)
        turn.spend(time.perf_counter() - began)

    @Slot()
    def _paint_later(self) -> None:
        self._may_be_painted = True
        self.viewport().update()
