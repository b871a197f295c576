"""Attention weights of one user's history as a heat map (§3.2): a row a query, a column a key, both oldest first."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from engine.records import AttentionWeights
from workbench.plots.axes import Axis
from workbench.plots.base import Plot
from workbench.theme import Colours, Theme, mix
from workbench.widgets.tables import Columns

SHADES = 256


class TokenAxis(Axis):
    """Names tokens by their place in the history; ``·`` is one that is not of it, such as a mask."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self.places: tuple[int, ...] = ()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        count = len(self.places)
        minVal, maxVal = sorted((minVal, maxVal))  # noqa: N806 - upside down where the axis is
        step = max(1, int(np.ceil(count * 26 / max(size, 1))))
        # The newest token, which decides, is always named.
        values = [float(n) for n in range(count - 1, -1, -step) if minVal <= n <= maxVal]
        return [(float(step), values)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        del scale, spacing
        return [str(self.places[int(n)] or "·") if 0 <= int(n) < len(self.places) else "" for n in values]


class AttentionMap(Plot):
    """Shows one layer and head of `AttentionWeights`, or their mean."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.found: AttentionWeights | None = None
        self.weights: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self.image = pg.ImageItem(axisOrder="row-major")
        self._axes = {side: TokenAxis(side) for side in ("left", "bottom")}
        super().__init__(theme, parent, axes=dict(self._axes))
        self.addItem(self.image)
        self.invertY(True)
        self.setMouseEnabled(x=False, y=False)
        self.setAccessibleName("Attention weights, a row a query, a column a key")
        self.setLabel("left", "query: place in the history")
        self.setLabel("bottom", "key: place in the history")
        self.showGrid(x=False, y=False)

    def set_weights(self, found: AttentionWeights, layer: int | None, head: int | None) -> None:
        """Draw a layer and head, counted from 0; None is the mean over all of them."""
        self.found, self.weights = found, found.chosen(layer, head)
        count = len(found.items)
        for axis in self._axes.values():
            axis.places = found.places
            axis.picture = None
            axis.update()
        self.image.setImage(self.weights, levels=(0.0, self.full), autoDownsample=False)
        self.image.setRect(QRectF(-0.5, -0.5, count, count))
        self.getViewBox().setRange(xRange=(-0.5, count - 0.5), yRange=(-0.5, count - 0.5), padding=0)

    @property
    def full(self) -> float:
        """The weight that has the full colour: the largest of the later half. The first queries of a causal model see
        one, two, three keys, and would leave nothing of the scale to those that matter."""
        return float(self.weights[len(self.weights) // 2 :].max(initial=0.0)) or 1.0

    @property
    def has_data(self) -> bool:
        return self.found is not None

    def restyle(self, colours: Colours) -> None:
        shades = [QColor(mix(colours.accent, colours.surface, n / (SHADES - 1))) for n in range(SHADES)]
        self.image.setLookupTable(np.array([[c.red(), c.green(), c.blue()] for c in shades], dtype=np.uint8))
        self.showGrid(x=False, y=False)

    def reading_at(self, point: QPointF) -> str:
        found = self.found
        query, key = round(point.y()), round(point.x())
        if found is None or not (0 <= query < len(found.items) and 0 <= key < len(found.items)):
            return ""
        return f"{self._named(query)} looks at {self._named(key)}: {self.weights[query, key]:.4f}"

    def _named(self, token: int) -> str:
        assert self.found is not None
        place, title = self.found.places[token], self.found.titles[token] or f"item {self.found.items[token]}"
        return f"{place} {title}" if place else title

    def columns(self) -> Columns:
        """Query, key and weight, one row a pair that can see each other."""
        found = self.found
        if found is None:
            return []
        count = len(found.items)
        queries, keys = np.tril_indices(count) if found.is_causal else np.indices((count, count)).reshape(2, -1)
        titles = np.array([self._named(token) for token in range(count)], dtype=object)
        return [
            ("Query", titles[queries]),
            ("Key", titles[keys]),
            ("Weight", self.weights[queries, keys].astype(float)),
        ]

    def sizeHint(self) -> QSize:
        return QSize(420, 380)
