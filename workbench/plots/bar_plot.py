"""Histograms of up to two groups side by side, told apart by colour and by pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter
from PySide6.QtWidgets import QWidget

from workbench.plots.axes import Axis
from workbench.plots.base import CountAxis
from workbench.plots.legend import Legend
from workbench.plots.reveal import RevealedPlot
from workbench.theme import Theme, set_role, style_plot
from workbench.widgets.tables import Columns

_PATTERNS = (Qt.BrushStyle.SolidPattern, Qt.BrushStyle.BDiagPattern)


class BarPlot(RevealedPlot):
    """Bars at ``places``, one series a group; `columns` is what 'Show as table' shows."""

    def __init__(self, theme: Theme, name: str, x_label: str, y_label: str, parent: QWidget | None = None) -> None:
        # Counts are written as everywhere else, 30,000; shares of few views may be below 1 %.
        axis = Axis("left") if "%" in y_label else CountAxis("left")
        super().__init__(parent, axes={"left": axis, "bottom": Axis("bottom")}, enableMenu=False)
        self._theme = theme
        self._x_label, self._y_label = x_label, y_label
        self.places: NDArray[np.float64] = np.zeros(0)
        self.groups: dict[str, NDArray[np.float64]] = {}
        self._bars: list[pg.BarGraphItem] = []
        self.legend = Legend(self, self._draw_sample)
        self._ticks: list[tuple[float, str]] | None = None
        self.view: tuple[float, float] | None = None
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setMinimumHeight(150)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(name)
        set_role(self, "bare")
        self.setLabel("bottom", x_label)
        self.setLabel("left", y_label)
        for side in ("left", "bottom"):
            self.getAxis(side).enableAutoSIPrefix(False)
        theme.follow(self, BarPlot._restyle)

    def sizeHint(self) -> QSize:
        return QSize(300, 190)

    def set_bars(
        self,
        places: ArrayLike,
        groups: Mapping[str, ArrayLike],
        ticks: Sequence[tuple[float, str]] | None = None,
        view: tuple[float, float] | None = None,
    ) -> None:
        """Draw other numbers. ``ticks`` names places; without, the axis counts. ``view``: the places in sight."""
        self.places = np.asarray(places, dtype=float)
        self.groups = {name: np.asarray(values, dtype=float) for name, values in groups.items()}
        self._ticks = None if ticks is None else list(ticks)
        self.view = view
        self._draw()

    def columns(self) -> Columns:
        """The numbers behind the plot."""
        if not len(self.places):
            return []
        named = dict(self._ticks or ())
        first = [named.get(place, f"{place:g}") for place in self.places.tolist()]
        return [(self._x_label, first), *((name, values.tolist()) for name, values in self.groups.items())]

    def _draw(self) -> None:
        for bars in self._bars:
            self.removeItem(bars)
        self._bars = []
        self.legend.show_names([*self.groups], self._theme.colours.text)
        if not len(self.places):
            return
        step = float(np.diff(self.places).min()) if len(self.places) > 1 else 1.0
        width = 0.86 * step / max(len(self.groups), 1)
        for index, values in enumerate(self.groups.values()):
            shift = (index - (len(self.groups) - 1) / 2) * width
            drawn = values > 0  # an empty place is no line on the axis
            bars = pg.BarGraphItem(
                x=self.places[drawn] + shift,
                height=values[drawn],
                width=width,
                brush=self._brush(index),
                pen=pg.mkPen(self._brush(index).color()),
            )
            self.addItem(bars)
            self._bars.append(bars)
        self.getAxis("bottom").setTicks(None if self._ticks is None else [self._ticks])
        top = max((float(values.max(initial=0)) for values in self.groups.values()), default=0) or 1
        first, last = self.view or (float(self.places[0]), float(self.places[-1]))
        low, high = first - step, last + step
        self.getViewBox().setRange(xRange=(low, high), yRange=(0, top * 1.05), padding=0)

    def _brush(self, index: int) -> QBrush:
        series = self._theme.colours.series
        return QBrush(QColor(series[index % len(series)]), _PATTERNS[index % len(_PATTERNS)])

    def _draw_sample(self, painter: QPainter, index: int, place: QRectF) -> None:
        brush = self._brush(index)
        painter.setPen(pg.mkPen(brush.color()))
        painter.setBrush(brush)
        painter.drawRect(place)

    @staticmethod
    def _restyle(plot: Any) -> None:
        style_plot(plot, plot._theme.colours)
        plot._draw()
