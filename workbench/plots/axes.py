"""Axes that are painted as they are, not played back from a picture."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QPainter, QPicture


class PaintedAtOnce:
    """For axes of pyqtgraph, which record what they draw and play it back at each paint: the words are then laid out
    anew each time, which is four fifths of a whole plot's painting. What is drawn, and where, stays pyqtgraph's."""

    picture: QPicture | None
    """pyqtgraph's sign that nothing has changed since the last paint."""
    _specs: Any = None
    _worded = ""

    def _updateLabel(self) -> None:
        """Lay the label out only where there is one, and it is another: pyqtgraph does at every pen and style that is
        set, 38 times for a plot's four axes, which is half of what a new plot costs."""
        axis: Any = self
        words = axis.labelString() if axis.labelText or axis.labelUnits else ""
        if words and words != self._worded:
            axis.label.setHtml(words)
            axis._adjustSize()
        self._worded = words or self._worded
        self.picture = None
        axis.update()

    def paint(self, painter: QPainter, _option: Any, _widget: Any) -> None:
        axis: Any = self
        if self.picture is None:
            picture = QPicture()
            measuring = QPainter(picture)
            try:
                if axis.style["tickFont"]:
                    measuring.setFont(axis.style["tickFont"])
                self._specs = axis.generateDrawSpecs(measuring)
            finally:
                measuring.end()
            self.picture = picture
        if self._specs is None:
            return
        painter.save()
        # Without a clip Qt blends the faint lines across the plot point by point, in twenty times as long.
        painter.setClipRect(axis.boundingRect().toAlignedRect())
        axis.drawPicture(painter, *self._specs)
        painter.restore()


class Axis(PaintedAtOnce, pg.AxisItem):  # type: ignore[misc]
    """An axis of numbers."""
