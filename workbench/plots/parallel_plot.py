"""Runs along parallel axes: a line a run, an axis a setting, the metric at the right; a range dragged on an axis keeps
the lines that go through it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QWidget

from engine.records import ParallelAxis, ParallelRuns
from workbench.plots.base import Plot
from workbench.theme import Colours, Theme, mix
from workbench.widgets.tables import Columns
from workbench.widgets.text import metric_text

SHADES = 6
"""Lines are drawn by as many items, the darker the higher the metric: an item a run would be slow."""
NEAR = 0.15
"""A click this near to an axis, in axes' distances, is on it."""
LOWEST, HIGHEST = -0.3, 1.12
LEFT, RIGHT = 0.35, 0.1
"""Room beside the outer axes, in axes' distances; at the right, for the numbers of the last one, times the axes: they
are as wide, however near the axes are."""
SHORTEST = 0.015
"""A shorter drag is a click: it takes the axis's range away."""


class ParallelPlot(Plot):
    """``kept_changed`` when other lines are kept."""

    kept_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.found: ParallelRuns | None = None
        self.axes: tuple[ParallelAxis, ...] = ()
        self.ranges: dict[str, tuple[float, float]] = {}
        """Axis name → the part of it, from 0 to 1, that kept lines go through."""
        self._allowed: Callable[[ParallelRuns], NDArray[np.bool_]] | None = None
        self._dragged: tuple[str, float] | None = None
        self._axis_items: list[Any] = []
        self._theme_now = theme
        super().__init__(theme, parent)
        self.setAccessibleName("Runs along parallel axes")
        self.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self.getPlotItem().showGrid(x=False, y=False)

    @property
    def has_data(self) -> bool:
        return self.found is not None

    # --- what is shown

    def set_runs(self, found: ParallelRuns, shown: Sequence[str] = ()) -> None:
        """Draw other runs, or other axes of them; ranges stay where their axes do."""
        self.found, self.axes = found, found.axes(shown)
        names = {axis.name for axis in self.axes}
        self.ranges = {name: part for name, part in self.ranges.items() if name in names}
        self.getViewBox().setRange(
            xRange=(-LEFT, len(self.axes) - 1 + max(LEFT, RIGHT * len(self.axes))),
            yRange=(LOWEST, HIGHEST),
            padding=0,
            disableAutoRange=True,
        )
        self._draw_axes(self._theme_now.colours)
        self._changed()

    def allow(self, rule: Callable[[ParallelRuns], NDArray[np.bool_]] | None) -> None:
        """Keep only runs, [R], that ``rule`` allows as well."""
        if rule is None and self._allowed is None:
            return
        self._allowed = rule
        self._changed()

    def clear_ranges(self) -> None:
        """Keep all lines again."""
        self.ranges.clear()
        self._changed()

    def kept(self) -> NDArray[np.bool_]:
        """Which runs go through every range, [R]."""
        if self.found is None:
            return np.zeros(0, dtype=bool)
        keep = np.ones(len(self.found.runs), dtype=bool) if self._allowed is None else self._allowed(self.found)
        for axis in self.axes:
            if axis.name in self.ranges:
                low, high = self.ranges[axis.name]
                keep = keep & (axis.places >= low - 1e-9) & (axis.places <= high + 1e-9)
        return keep

    @property
    def best(self) -> int | None:
        """The kept run with the highest metric."""
        kept = np.flatnonzero(self.kept())
        if self.found is None or not len(kept):
            return None
        return int(max(kept, key=lambda row: self.found.runs[row].y))  # type: ignore[union-attr]

    def columns(self) -> Columns:
        found = self.found
        if found is None:
            return []
        kept = self.kept()
        settings = [(name, [run.values[place] for run in found.runs]) for place, name in enumerate(found.fields)]
        return [
            ("run", [run.run_id for run in found.runs]),
            ("name", [run.name for run in found.runs]),
            *settings,
            (f"{found.split} {found.metric}", [run.y for run in found.runs]),
            ("kept", ["yes" if one else "no" for one in kept.tolist()]),
        ]

    def _named(self, path: str) -> str:
        """A setting without its section, where no other axis is called the same."""
        last = path.rpartition(".")[2]
        return last if sum(axis.name.rpartition(".")[2] == last for axis in self.axes) < 2 else path

    def reading_at(self, point: QPointF) -> str:
        row = self._nearest(point)
        if row is None or self.found is None:
            return ""
        run = self.found.runs[row]
        shown = {axis.name for axis in self.axes}
        told = [
            f"{self._named(name)} {'–' if value is None else value}"
            for name, value in zip(self.found.fields, run.values, strict=True)
            if name in shown
        ]
        return f"{run.name} · {run.run_id} · {', '.join(told)}: {self.found.metric} {metric_text(run.y)}"

    def _nearest(self, point: QPointF) -> int | None:
        """The kept line nearest above or below the point."""
        kept = np.flatnonzero(self.kept())
        if len(self.axes) < 2 or not len(kept):
            return None
        left = min(max(int(np.floor(point.x())), 0), len(self.axes) - 2)
        share = min(max(point.x() - left, 0.0), 1.0)
        ys = (1 - share) * self.axes[left].places + share * self.axes[left + 1].places
        return int(kept[np.argmin(np.abs(ys[kept] - point.y()))])

    # --- ranges, by the mouse

    def _axis_at(self, point: QPointF) -> str:
        place = round(point.x())
        near = abs(point.x() - place) <= NEAR and 0 <= place < len(self.axes)
        return self.axes[place].name if near and LOWEST / 2 < point.y() < HIGHEST else ""

    def _at(self, event: QMouseEvent) -> QPointF:
        return self.getViewBox().mapSceneToView(self.mapToScene(event.position().toPoint()))

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        ev.accept()
        point = self._at(ev)
        name = self._axis_at(point)
        if ev.button() == Qt.MouseButton.LeftButton and name:
            self._dragged = (name, point.y())

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        if self._dragged is None:
            super().mouseMoveEvent(ev)  # what the pointer reads
            return
        name, start = self._dragged
        low, high = sorted((start, self._at(ev).y()))
        if high - low >= SHORTEST:
            self.ranges[name] = (max(low, 0.0), min(high, 1.0))
            self._changed()

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        ev.accept()
        if self._dragged is None:
            return
        name, start = self._dragged
        self._dragged = None
        if abs(self._at(ev).y() - start) < SHORTEST and self.ranges.pop(name, None) is not None:
            self._changed()

    # --- drawing

    def restyle(self, colours: Colours) -> None:
        self._draw_axes(colours)
        self._draw_lines(colours)

    def _changed(self) -> None:
        self._draw_lines(self._theme_now.colours)
        self.kept_changed.emit()

    def _draw_axes(self, colours: Colours) -> None:
        """Axes with their words, which no range and no filter changes: texts cost more than all lines together."""
        for item in self._axis_items:
            self.removeItem(item)
        self._axis_items = []
        if not self.axes:
            return
        count = len(self.axes)
        ends = np.repeat(np.arange(count, dtype=float), 2), np.tile([0.0, 1.0], count)
        self._add_above(pg.PlotCurveItem(*ends, pen=pg.mkPen(colours.text, width=1), connect="pairs"))
        for x, axis in enumerate(self.axes):
            self._add_axis(x, axis, colours)

    def _draw_lines(self, colours: Colours) -> None:
        self.wipe()
        if self.found is None or not self.axes:
            return
        places = np.stack([axis.places for axis in self.axes], axis=1)
        kept, best = self.kept(), self.best
        self._add_lines(places[~kept], pg.mkPen(colours.border, width=1))
        height = places[:, -1]
        for shade in range(SHADES):
            low, high = shade / SHADES, (shade + 1) / SHADES
            part = kept & (height >= low) & ((height < high) | (shade == SHADES - 1))
            colour = mix(colours.accent, colours.surface, 0.25 + 0.75 * (shade + 1) / SHADES)
            self._add_lines(places[part], pg.mkPen(colour, width=1))
        if best is not None:
            pen = pg.mkPen(colours.series[1], width=3)
            item = pg.PlotDataItem(
                np.arange(len(self.axes)), places[best], pen=pen, symbol="o", symbolSize=7,
                symbolBrush=colours.series[1], symbolPen=None,
            )  # fmt: skip
            self.put(item)
        for x, axis in enumerate(self.axes):
            if axis.name in self.ranges:
                self.put(pg.PlotCurveItem([x, x], list(self.ranges[axis.name]), pen=pg.mkPen(colours.accent, width=7)))

    def _add_lines(self, places: NDArray[np.float64], pen: Any) -> None:
        """One item for many lines: a gap between each and the next."""
        if not len(places):
            return
        rows, width = places.shape
        gap = np.full((rows, 1), np.nan)
        xs = np.concatenate([np.tile(np.arange(width, dtype=float), (rows, 1)), gap], axis=1).ravel()
        ys = np.concatenate([places, gap], axis=1).ravel()
        self.put(pg.PlotCurveItem(xs, ys, pen=pen, connect="finite"))

    def _add_axis(self, x: int, axis: ParallelAxis, colours: Colours) -> None:
        for place, text in axis.ticks:
            self._add_text(text, x, place, (-0.12, 0.5), colours.text)
        name = re.sub("[_ ]", "\n", self._named(axis.name).replace(".", ".\n")) + ("\n(log)" if axis.is_log else "")
        self._add_text(name, x, -0.05, (0.5, 0), colours.muted)

    def _add_text(self, text: str, x: float, y: float, anchor: tuple[float, float], colour: str) -> None:
        surface = QColor(self._theme_now.colours.surface)
        surface.setAlpha(200)
        item = pg.TextItem(text, color=colour, anchor=anchor, fill=surface)
        item.setPos(x, y)
        self._add_above(item)

    def _add_above(self, item: Any) -> None:
        item.setZValue(5)
        self.addItem(item, ignoreBounds=True)
        self._axis_items.append(item)
