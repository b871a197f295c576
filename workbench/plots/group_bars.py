"""Bars with intervals: a group beside the next, for one measure or for every bucket of users."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter
from PySide6.QtWidgets import QWidget

from workbench.plots.axes import Axis
from workbench.plots.base import Plot
from workbench.plots.legend import Legend
from workbench.theme import Colours, Theme, mix
from workbench.widgets.tables import Columns
from workbench.widgets.text import metric_text

PATTERNS = (
    Qt.BrushStyle.SolidPattern,
    Qt.BrushStyle.BDiagPattern,
    Qt.BrushStyle.Dense4Pattern,
    Qt.BrushStyle.FDiagPattern,
    Qt.BrushStyle.HorPattern,
    Qt.BrushStyle.CrossPattern,
    Qt.BrushStyle.VerPattern,
)


def brush(colours: Colours, number: int) -> QBrush:
    """Colour and pattern of a group: seven of each, moved against each other beyond seven groups."""
    count = len(colours.series)
    return QBrush(QColor(colours.series[number % count]), PATTERNS[(number + number // count) % len(PATTERNS)])


def soft(colours: Colours, number: int) -> str:
    """The ground below a group's pattern."""
    return mix(colours.series[number % len(colours.series)], colours.surface, 0.35)


@dataclass(frozen=True, eq=False)
class Bars:
    """``means``, ``lows`` and ``highs`` [groups, buckets]; ``lines`` are reference values with their names."""

    groups: tuple[str, ...]
    buckets: tuple[str, ...]
    means: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    bucket_label: str = ""
    value_label: str = ""
    users: tuple[int, ...] = ()
    shares: NDArray[np.float64] | None = None
    """What each bucket adds to a group's difference from the ``baseline``, [groups, buckets]."""
    baseline: str = ""
    lines: tuple[tuple[str, float], ...] = field(default=())


NOTHING = Bars((), (), np.empty((0, 0)), np.empty((0, 0)), np.empty((0, 0)))


def bar_width(groups: int) -> float:
    """Share of a bucket that one bar takes: all of it together but a gap, and one alone is no wall.

    >>> bar_width(1), round(bar_width(4), 2)
    (0.3, 0.21)
    """
    return min(0.84 / groups, 0.3)


NO_NAMES = 4
"""Pixels below an axis without names: nothing but its line."""


class GroupBarPlot(Plot):
    """Every bucket holds one bar a group, told apart by colour and by pattern."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        self.shown = NOTHING
        self.legend: Legend | None = None
        self._theme_now = theme
        super().__init__(theme, parent, axes={"left": Axis("left"), "bottom": Axis("bottom")})
        self.setMouseEnabled(x=False, y=False)
        self.setMinimumHeight(150)
        self.setAccessibleName(name)
        self.legend = Legend(self, self._draw_sample)

    @property
    def has_data(self) -> bool:
        return bool(self.shown.groups)

    def sizeHint(self) -> QSize:
        return QSize(420, 170 + 10 * max((self.legend.lines if self.legend else 0) - 1, 0))

    def set_bars(self, bars: Bars) -> None:
        """Draw other numbers."""
        self.shown = bars
        self.setAccessibleDescription(
            "; ".join(
                f"{group}, {bucket}: {metric_text(float(bars.means[n, place]))}"
                for n, group in enumerate(bars.groups[:8])
                for place, bucket in enumerate(bars.buckets)
            )
        )
        self._draw(self._theme_now.colours)

    def restyle(self, colours: Colours) -> None:
        self._draw(colours)

    def drawn(self) -> NDArray[np.float64]:
        """Heights of the bars as they are drawn, [groups, buckets]."""
        heights = [
            item.opts["height"] for item in self._items if isinstance(item, pg.BarGraphItem) and item.zValue() >= 0
        ]
        return np.array(heights)

    def columns(self) -> Columns:
        bars = self.shown
        made: list[tuple[str, Sequence[Any]]] = [
            (bars.bucket_label or "bucket", [bucket for _ in bars.groups for bucket in bars.buckets]),
            ("group", [group for group in bars.groups for _ in bars.buckets]),
        ]
        if bars.users:
            made.append(("users", [users for _ in bars.groups for users in bars.users]))
        for title, values in (("mean", bars.means), ("low", bars.lows), ("high", bars.highs)):
            made.append((title, values.reshape(-1).tolist()))
        if bars.shares is not None:
            made.append((f"part of the difference from {bars.baseline}", bars.shares.reshape(-1).tolist()))
        return made

    def reading_at(self, point: QPointF) -> str:
        bars = self.shown
        place = round(point.x())
        if not 0 <= place < len(bars.buckets):
            return ""
        groups = len(bars.groups)
        number = math.floor((point.x() - place) / bar_width(groups) + groups / 2)
        if not 0 <= number < groups:
            return ""
        mean, low, high = (float(values[number, place]) for values in (bars.means, bars.lows, bars.highs))
        users = f", {bars.users[place]:,} users" if bars.users else ""
        between = f" [{metric_text(low)}, {metric_text(high)}]" if np.isfinite(low) else ""
        bucket = f"{bars.buckets[place]}{users} · " if bars.buckets[place] else ""
        return f"{bucket}{bars.groups[number]}: {metric_text(mean)}{between}"

    def _draw(self, colours: Colours) -> None:
        self.wipe()
        bars = self.shown
        if self.legend is not None:
            self.legend.show_names(bars.groups, colours.text)
        if not bars.groups:
            return
        places = np.arange(len(bars.buckets), dtype=float)
        groups = len(bars.groups)
        width = bar_width(groups)
        x = places + (np.arange(groups)[:, None] + 0.5 - groups / 2) * width  # [groups, buckets]
        self._add_grounds(colours, x, width)
        for number in range(len(bars.groups)):
            self._add_bars(colours, number, x[number], width)
        self._add_intervals(colours, x, width)
        for name, value in bars.lines:
            line = pg.InfiniteLine(
                value,
                angle=0,
                pen=pg.mkPen(colours.text, width=1, style=Qt.PenStyle.DashLine),
                label=f"{name} {metric_text(value)}",
                labelOpts={"position": 0.012, "color": colours.text, "anchors": [(0, 1), (0, 1)]},
            )
            self.put(line, ignore_bounds=True)
        ticks = self._ticks()
        self.getAxis("bottom").setTicks([list(enumerate(ticks))])
        is_told = any(ticks) or bool(bars.bucket_label)
        self.getAxis("bottom").setHeight((56 if bars.users else None) if is_told else NO_NAMES)
        self.setLabel("bottom", bars.bucket_label, color=colours.muted)
        self.setLabel("left", bars.value_label, color=colours.muted)
        self.getViewBox().setRange(xRange=(-0.5, len(bars.buckets) - 0.5), yRange=self._ends(), padding=0)

    def _ticks(self) -> list[str]:
        users = self.shown.users or ()
        return [f"{bucket}\n{users[place]:,}" if users else bucket for place, bucket in enumerate(self.shown.buckets)]

    def _ends(self) -> tuple[float, float]:
        """Below and above every bar, line and whisker: an interval that runs out of the plot says nothing."""
        bars = self.shown
        found = np.concatenate([[0.0], bars.means.ravel(), bars.lows.ravel(), bars.highs.ravel()])
        found = np.append(found, [value for _, value in bars.lines])
        found = found[np.isfinite(found)]
        low, high = float(found.min()), float(found.max())
        room = 0.06 * (high - low)
        return (low - room if low < 0 else 0.0, high + room or 1.0)

    def _draw_sample(self, painter: QPainter, number: int, place: QRectF) -> None:
        colours = self._theme_now.colours
        colour = colours.series[number % len(colours.series)]
        painter.fillRect(place, QColor(soft(colours, number)))
        painter.setPen(QColor(colour))
        painter.setBrush(brush(colours, number))
        painter.drawRect(place)

    def _add_grounds(self, colours: Colours, x: NDArray[np.float64], width: float) -> None:
        """A pattern alone is faint where a pixel is half a point: a soft ground of its colour lies below it."""
        grounds = [soft(colours, number) for number in range(len(x))]
        ground = pg.BarGraphItem(
            x=x.ravel(),
            height=self.shown.means.ravel(),
            width=width * 0.9,
            brushes=np.repeat(grounds, x.shape[1]).tolist(),
            pen=None,
        )
        ground.setZValue(-1)
        self.put(ground)

    def _add_bars(self, colours: Colours, number: int, x: NDArray[np.float64], width: float) -> None:
        bars = self.shown
        drawn = pg.BarGraphItem(
            x=x,
            height=bars.means[number],
            width=width * 0.9,
            brush=brush(colours, number),
            pen=pg.mkPen(colours.series[number % len(colours.series)]),
        )
        self.put(drawn)

    def _add_intervals(self, colours: Colours, x: NDArray[np.float64], width: float) -> None:
        """The whiskers of all groups that have them: an item each would cost as much as its bars."""
        bars = self.shown
        known = np.isfinite(bars.lows)
        if known.any():
            means, lows, highs = (values[known] for values in (bars.means, bars.lows, bars.highs))
            ends = pg.ErrorBarItem(
                x=x[known],
                y=means,
                top=np.maximum(highs - means, 0),
                bottom=np.maximum(means - lows, 0),
                beam=min(width * 0.3, 0.03),
                pen=pg.mkPen(colours.text, width=1),
            )
            self.put(ends)
