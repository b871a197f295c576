"""Names of a plot's groups, each behind a sample of its look, in a strip above the plot: nothing drawn gets into them.

pyqtgraph's own legend lies upon what is plotted, and a click on it hides a curve but neither its band nor its whiskers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QApplication, QGraphicsSceneResizeEvent

from workbench.theme import SMALL, WIDE

Draw = Callable[[QPainter, int, QRectF], None]
"""Draws the sample of the group of a number into a rectangle."""
MOST_NAMED = 8
"""Groups that are named; the reading under the pointer and the table name all."""
SAMPLE_WIDTH, SAMPLE_HEIGHT = 18, 10
WIDEST_NAME = 300
BELOW = 4
"""Pixels of air between the last line and the plot."""


class Legend(pg.GraphicsWidget):  # type: ignore[misc]
    """As many columns as there is room for; a name without room is cut in the middle, since names differ at their
    ends. All of them are the tool tip."""

    def __init__(self, plot: Any, draw: Draw) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self._numbers: tuple[int, ...] = ()
        self._colour = QColor()
        self._draw = draw
        self._font = QFont(QApplication.font())
        self._font.setPointSizeF(max(self._font.pointSizeF() - 1, 7))
        self._plot = plot
        self._item = plot.getPlotItem()
        # In the place of the title, which no plot here has: above the plotted area and as wide as it.
        self._item.layout.removeItem(self._item.titleLabel)
        self._item.layout.addItem(self, 0, 1)

    def show_names(self, names: Sequence[str], colour: str, drawn: Sequence[int] | None = None) -> None:
        """Name other groups, in the colour of text; ``drawn`` are the numbers of those that the plot shows."""
        self._numbers = tuple(range(len(names)) if drawn is None else drawn)[:MOST_NAMED]
        self.names, self._colour = tuple(names[number] for number in self._numbers), QColor(colour)
        self.setToolTip("\n".join(self.names))
        self._fit()
        self.update()

    @property
    def _line(self) -> float:
        return ceil(QFontMetricsF(self._font).height()) + 1

    @property
    def _columns(self) -> int:
        metrics = QFontMetricsF(self._font)
        widest = max((metrics.horizontalAdvance(name) for name in self.names), default=0.0)
        each = SAMPLE_WIDTH + SMALL + min(widest, WIDEST_NAME) + WIDE
        return max(min(int((self.size().width() + WIDE) // each), len(self.names)), 1)

    @property
    def lines(self) -> int:
        """How many there are, one above the other."""
        return ceil(len(self.names) / self._columns)

    def _fit(self) -> None:
        height = self.lines * self._line + BELOW if self.names else 0
        if height != self._item.layout.rowMaximumHeight(0):
            self._item.layout.setRowFixedHeight(0, height)
            self._plot.updateGeometry()

    def resizeEvent(self, event: QGraphicsSceneResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paint(self, painter: QPainter, _option: Any, _widget: Any) -> None:
        columns, line = self._columns, self._line
        width = self.size().width() / columns
        metrics = QFontMetricsF(self._font)
        painter.setFont(self._font)
        for place, (number, name) in enumerate(zip(self._numbers, self.names, strict=True)):
            x, y = place % columns * width, place // columns * line
            self._draw(painter, number, QRectF(x, y + (line - SAMPLE_HEIGHT) / 2, SAMPLE_WIDTH, SAMPLE_HEIGHT))
            left = x + SAMPLE_WIDTH + SMALL
            room = QRectF(left, y, min(width - SAMPLE_WIDTH - SMALL - SMALL, WIDEST_NAME), line)
            painter.setPen(self._colour)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
