"""Several runs as one curve: the mean at each epoch and a band of one sample standard deviation around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from workbench.live_feed import Curve

BAND_ALPHA = 46
"""Of 255: several bands can lie over each other."""


@dataclass(frozen=True, eq=False)
class Band:
    """``xs`` [P] are all epochs that any run has, ``mean`` [P] over the runs that have it, ``deviation`` [P] (n − 1;
    0 where one run alone is there), ``counts`` [P] the runs."""

    xs: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def curve(self) -> Curve:
        return self.xs, self.mean

    def count_at(self, at: float | None) -> int:
        """Runs behind the mean at the epoch nearest to ``at``, the earlier of two; None: at the last one."""
        if not len(self.xs):
            return 0
        return int(self.counts[-1 if at is None else np.abs(self.xs - at).argmin()])


def band_of(curves: Sequence[Curve]) -> Band:
    """The band of several curves; they may end at different epochs."""
    drawn = [(xs, ys) for xs, ys in curves if len(xs)]
    if not drawn:
        nothing = np.empty(0)
        return Band(nothing, nothing, nothing, np.empty(0, dtype=np.int64))
    all_x = np.concatenate([xs for xs, _ in drawn])
    all_y = np.concatenate([ys for _, ys in drawn])
    xs, place = np.unique(all_x, return_inverse=True)
    counts = np.bincount(place)
    mean = np.bincount(place, all_y) / counts
    squares = np.bincount(place, (all_y - mean[place]) ** 2)
    deviation = np.sqrt(squares / np.maximum(counts - 1, 1))
    return Band(xs, mean, deviation, counts)


class Bands:
    """The filled areas of a plot, by the id of the curve in their middle."""

    def __init__(self, plot: Any) -> None:
        self._plot = plot
        self._items: dict[str, tuple[Any, Any, Any]] = {}
        self._held: dict[str, Band] = {}
        self._edges: list[Curve] = []

    @property
    def held(self) -> Mapping[str, Band]:
        """What is drawn."""
        return self._held

    @property
    def edges(self) -> Sequence[Curve]:
        """The lower and the upper edge of each band, as they are drawn."""
        return self._edges

    def show(self, bands: Mapping[str, Band], colours: Mapping[str, str], *, is_log: bool) -> None:
        """Draw exactly these bands."""
        for gone in set(self._items) - set(bands):
            for item in self._items.pop(gone):
                self._plot.removeItem(item)
        self._held, self._edges = dict(bands), []
        for name, band in bands.items():
            if name not in self._items:
                low, high = (self._plot.plot([], [], pen=pg.mkPen(None)) for _ in range(2))
                area = pg.FillBetweenItem(low, high)
                area.setZValue(-20)
                self._plot.addItem(area, ignoreBounds=True)
                self._items[name] = (low, high, area)
            low, high, area = self._items[name]
            below, above = band.mean - band.deviation, band.mean + band.deviation
            if is_log:
                # No logarithm of what is not above 0: the band ends at the mean there.
                below = np.where(below > 0, below, band.mean)
            self._edges += [(band.xs, below), (band.xs, above)]
            low.setData(band.xs, below)
            high.setData(band.xs, above)
            colour = QColor(colours[name])
            colour.setAlpha(BAND_ALPHA)
            area.setBrush(pg.mkBrush(colour))
