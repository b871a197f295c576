"""What a run used of the machine over time: a line a quantity, with gaps where one attempt ended and another began."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget

from workbench.plots.axes import Axis
from workbench.plots.base import Plot
from workbench.theme import Colours, Theme
from workbench.widgets.tables import Columns

DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class UsagePlot(Plot):
    """``unit`` stands behind the values; ``top`` is the highest value that the axis shows at least."""

    def __init__(self, theme: Theme, title: str, unit: str, top: float, parent: QWidget | None = None) -> None:
        self._theme, self._unit = theme, unit
        self._minutes: NDArray[np.float64] = np.empty(0)
        self._series: list[tuple[str, NDArray[np.float64]]] = []
        self._lines: list[pg.PlotDataItem] = []
        super().__init__(theme, parent, {"left": Axis("left"), "bottom": Axis("bottom")})
        self.setAccessibleName(title)
        self.setMinimumHeight(130)
        self.setLabel("bottom", "minutes since the start")
        self.setLabel("left", unit)
        self.getAxis("left").setWidth(58)
        self.setMouseEnabled(x=False, y=False)
        self._top = top
        self._legend = self.addLegend(offset=(-8, 4))

    def set_values(self, minutes: NDArray[np.float64], series: Sequence[tuple[str, NDArray[np.float64]]]) -> None:
        """``minutes`` [S] and named values [S]; NaN where something cannot be told or an attempt ended."""
        names = [name for name, _ in series]
        if names != [name for name, _ in self._series]:
            for line in self._lines:
                self.removeItem(line)
            self._legend.clear()
            self._lines = [self.plot([], [], name=name, connect="finite") for name in names]
        self._minutes, self._series = minutes, list(series)
        for line, (_, values) in zip(self._lines, series, strict=True):
            line.setData(minutes, values)
        self.restyle(self._theme.colours)
        known = [values[np.isfinite(values)] for _, values in series]
        high = max([self._top, *(float(values.max()) * 1.08 for values in known if len(values))])
        self.setYRange(0, high, padding=0)
        self.setXRange(0, max(float(minutes.max(initial=0.0)), 0.5), padding=0.02)

    def restyle(self, colours: Colours) -> None:
        for place, line in enumerate(self._lines):
            # A single sample is a dot: a line would not show it.
            line.setPen(pg.mkPen(colours.series[place % len(colours.series)], width=1, style=DASHES[place % 3]))
            line.setSymbol("o")
            line.setSymbolSize(4)
            line.setSymbolPen(None)
            line.setSymbolBrush(pg.mkBrush(colours.series[place % len(colours.series)]))

    @property
    def has_data(self) -> bool:
        return bool(len(self._minutes))

    def columns(self) -> Columns:
        return [("minutes", self._minutes), *((f"{name} ({self._unit})", values) for name, values in self._series)]

    def reading_at(self, point: QPointF) -> str:
        place = int(np.nanargmin(np.abs(self._minutes - point.x())))
        parts = [
            f"{name} {values[place]:,.1f} {self._unit}" for name, values in self._series if not np.isnan(values[place])
        ]
        return f"{self._minutes[place]:.1f} min: " + ", ".join(parts)
