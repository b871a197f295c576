"""What every plot of this folder is: a plot in the theme's colours that reads aloud what is under the pointer and
gives its numbers as columns, for 'Show as table'.

A new plot: derive from `Plot`, draw, say ``columns()`` and ``reading_at()``, and put it into a
`workbench.widgets.plot_card.PlotCard`, which brings the button and the line with the reading.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.ma  # np.unique and np.quantile import it at their first call: 20 ms in the midst of a drawing
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QWidget

from workbench.plots.axes import Axis
from workbench.plots.reveal import RevealedPlot
from workbench.theme import Colours, Theme, set_role, style_plot
from workbench.widgets.tables import Columns


class CountAxis(Axis):
    """Whole numbers only; on a logarithmic scale 1, 10, 100 …, with 2 and 5 between them where there is room."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        if not self.logMode:
            levels = super().tickValues(minVal, maxVal, size)
            return [(step, list(values)) for step, values in levels if step >= 1]
        low, high = int(np.floor(min(minVal, maxVal))), int(np.ceil(max(minVal, maxVal)))
        decades = [float(n) for n in range(max(low, 0), high + 1)]
        between = [n + float(np.log10(m)) for n in decades for m in (2, 5)]
        has_room = size / max(high - low, 1) > 90
        levels = [(1.0, decades)] + ([(0.3, between)] if has_room else [])
        return [(step, [v for v in values if minVal <= v <= maxVal]) for step, values in levels]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        del scale, spacing
        return [f"{round(10**value if self.logMode else value):,}" for value in values]


class Plot(RevealedPlot):
    """A plot without pyqtgraph's own buttons and menus; the pointer's reading goes out as text.

    ``axes`` are pyqtgraph axes by side, in place of the counts that both axes show otherwise.
    """

    read = Signal(str)
    """What stands under the pointer; empty where there is nothing."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, axes: dict[str, pg.AxisItem] | None = None) -> None:
        given = axes or {}
        sides = {side: given.get(side) or CountAxis(side) for side in ("left", "bottom")}
        super().__init__(parent, axes=sides, enableMenu=False)
        self.hideButtons()
        self.setMinimumHeight(200)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        set_role(self, "bare")
        self.scene().sigMouseMoved.connect(self._moved)
        self._items: list[Any] = []
        # Lines of two levels: a third is a hundred faint ones, which take as long to paint as all the rest. The height
        # of a line of text: an axis that finds it while it paints lays out and paints all once more.
        styles = {"left": {}, "bottom": {"tickTextHeight": self.fontMetrics().height(), "autoExpandTextSpace": False}}
        for side, style in styles.items():
            self.getAxis(side).enableAutoSIPrefix(False)
            self.getAxis(side).setStyle(maxTickLevel=1, **style)
        theme.follow(self, Plot._restyle_with(theme))

    @staticmethod
    def _restyle_with(theme: Theme) -> Any:
        def restyle(plot: Plot) -> None:
            style_plot(plot, theme.colours)
            plot.restyle(theme.colours)

        return restyle

    def make_room_left(self, text: str) -> None:
        """Keep the left axis as wide as its widest ``text`` asks for, so that no painting has to make it wider."""
        axis = self.getAxis("left")
        width = QFontMetrics(axis.style["tickFont"] or self.font()).horizontalAdvance(text)
        if axis.style["autoExpandTextSpace"] or width != axis.style["tickTextWidth"]:
            axis.setStyle(tickTextWidth=width, autoExpandTextSpace=False)

    def put(self, item: Any, *, ignore_bounds: bool = False) -> None:
        """Add something drawn that `wipe` takes away again."""
        self.addItem(item, ignoreBounds=ignore_bounds)
        self._items.append(item)

    def wipe(self) -> None:
        """Take away all that was `put`, to draw anew."""
        for item in self._items:
            self.removeItem(item)
        self._items = []

    def restyle(self, colours: Colours) -> None:
        """Colours of what is drawn. Called once before the constructor of `Plot` ends: make the items before it."""

    @property
    def has_data(self) -> bool:
        """Whether anything is drawn that the pointer could read."""
        return True

    def columns(self) -> Columns:
        """The numbers behind the plot, unrounded, one column a series."""
        raise NotImplementedError

    def reading_at(self, point: QPointF) -> str:
        """The text for a point in the axes' own coordinates."""
        raise NotImplementedError

    def sizeHint(self) -> QSize:
        return QSize(420, 230)

    def wheelEvent(self, ev: Any) -> None:
        """Zoom with Ctrl; without it the wheel scrolls the page that the plot stands on."""
        if ev.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(ev)
        else:
            ev.ignore()

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self.read.emit("")

    def _moved(self, place: QPointF) -> None:
        if self.has_data and self.getViewBox().sceneBoundingRect().contains(place):
            self.read.emit(self.reading_at(self.getViewBox().mapSceneToView(place)))
        else:
            self.read.emit("")
