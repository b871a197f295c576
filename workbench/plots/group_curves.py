"""Curves of compared groups, mean over seeds with a band of ± std; and a dot a run, any setting against any metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from pyqtgraph.graphicsItems.ScatterPlotItem import drawSymbol
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from engine.records import ComparedCurve, ScatterPoint
from workbench.item_models.delegates import draw_sample
from workbench.plots.axes import Axis
from workbench.plots.base import Plot
from workbench.plots.legend import Legend
from workbench.plots.limits import show_all
from workbench.plots.phase_marks import PhaseMarks
from workbench.theme import Colours, Theme
from workbench.widgets.tables import Columns, as_text
from workbench.widgets.text import metric_text

MOST_MARKERS = 60
DOT = 10
"""Pixels of a run's dot."""


class WholeAxis(Axis):
    """Epochs and seeds: there is nothing between two of them to be read off the axis. Others are any number."""

    is_whole = True

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> Any:  # noqa: N803 (pyqtgraph's names)
        spacings = super().tickSpacing(minVal, maxVal, size)
        return ([level for level in spacings if level[0] >= 1] or [(1.0, 0.0)]) if self.is_whole else spacings


class GroupCurvePlot(Plot):
    """One line a group; its colour, dash and marker are those of the group's place in the comparison."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.curves: tuple[ComparedCurve, ...] = ()
        self.labels: tuple[str, ...] = ()
        self.is_time = False
        self.legend: Legend | None = None
        self.marks = PhaseMarks(self)
        self._theme_now = theme
        super().__init__(theme, parent, axes={"left": Axis("left"), "bottom": WholeAxis("bottom")})
        self.legend = Legend(self, self._draw_sample)
        self.setAccessibleName("Curves of the compared groups")

    @property
    def has_data(self) -> bool:
        return bool(self.curves)

    def set_curves(self, curves: Sequence[ComparedCurve], labels: Sequence[str], *, is_time: bool) -> None:
        """Draw other curves."""
        self.curves, self.labels, self.is_time = tuple(curves), tuple(labels), is_time
        self._draw(self._theme_now.colours)
        show_all(self)

    def restyle(self, colours: Colours) -> None:
        self._draw(colours)

    def columns(self) -> Columns:
        made: list[tuple[str, Any]] = []
        for curve in self.curves:
            made += [
                ("seconds" if self.is_time else "epoch", curve.x),
                (self.labels[curve.group], curve.mean),
                ("std", curve.std),
                ("n", curve.n),
            ]
        return made

    def reading_at(self, point: QPointF) -> str:
        at = point.x() * 60 if self.is_time else point.x()
        read = []
        for curve in self.curves[:6]:
            nearest = int(np.argmin(np.abs(curve.x - at)))
            std = f" ± {metric_text(float(curve.std[nearest]))}" if curve.n[nearest] > 1 else ""
            read.append(f"{self.labels[curve.group]}: {metric_text(float(curve.mean[nearest]))}{std}")
        place = f"{point.x():.1f} min" if self.is_time else f"epoch {max(1, round(point.x()))}"
        return f"{place} · {' · '.join(read)}"

    def _draw(self, colours: Colours) -> None:
        self.wipe()
        if self.legend is not None:
            self.legend.show_names(self.labels, colours.text, [curve.group for curve in self.curves])
        self.getAxis("bottom").is_whole = not self.is_time
        for curve in self.curves:
            look = self._theme_now.series_style(curve.group)
            x = curve.x / 60 if self.is_time else curve.x
            marker = look.marker if len(x) <= MOST_MARKERS else None
            line = self.plot(
                x,
                curve.mean,
                pen=pg.mkPen(look.colour, width=1, style=look.dash),
                symbol=marker,
                symbolSize=6,
                symbolPen=None,
                symbolBrush=look.colour,
            )
            self._items.append(line)
            if (curve.n > 1).any():
                self._put_band(curve, x, look.colour)
        self._draw_marks()
        self.setLabel("bottom", "minutes of training and validating" if self.is_time else "epoch", color=colours.muted)
        name = self.curves[0].series if self.curves else ""
        self.setLabel("left", name.replace("valid/", "validation ").replace("loss/", "loss: "), color=colours.muted)

    def _draw_marks(self) -> None:
        """Where runs of two stages begin their second one."""
        for group in self.marks.places():
            self.marks.remove(group)
        for curve in self.curves:
            if curve.fine_tuned_from is not None:
                at = curve.fine_tuned_from / 60 if self.is_time else curve.fine_tuned_from
                colour = self._theme_now.series_style(curve.group).colour
                self.marks.show(str(curve.group), {"fine-tuning": at}, colour, is_log=False)

    def _draw_sample(self, painter: QPainter, number: int, place: QRectF) -> None:
        at = QPointF(place.left(), place.center().y())
        draw_sample(painter, self._theme_now, number, at, round(place.width()))

    def _put_band(self, curve: ComparedCurve, x: Any, colour: str) -> None:
        edges = [
            pg.PlotCurveItem(x, values, pen=pg.mkPen(None))
            for values in (curve.mean - curve.std, curve.mean + curve.std)
        ]
        soft = QColor(colour)
        soft.setAlpha(45)
        band = pg.FillBetweenItem(*edges, brush=soft)
        band.setZValue(-10)
        for item in (*edges, band):
            self.put(item)


class ScatterPlot(Plot):
    """A dot a run, in its group's colour and marker; a setting that is not a number has its values side by side."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.points: tuple[ScatterPoint, ...] = ()
        self.labels: tuple[str, ...] = ()
        self._group_of: Mapping[str, int] = {}
        self.legend: Legend | None = None
        self._field = self._metric = ""
        self._names: list[str] = []
        self.lines: tuple[tuple[str, float], ...] = ()
        """Names and values of the metric that lie across the plot, e.g. the paper's."""
        self._theme_now = theme
        super().__init__(theme, parent, axes={"left": Axis("left"), "bottom": WholeAxis("bottom")})
        self.legend = Legend(self, self._draw_sample)
        self.setAccessibleName("Runs by a setting and a metric")

    @property
    def has_data(self) -> bool:
        return bool(self.points)

    def set_groups(self, groups: Sequence[Sequence[str]], labels: Sequence[str]) -> None:
        """Whose runs the points will be: ids of each group's runs, and its name."""
        self.labels = tuple(labels)
        self._group_of = {run: place for place, runs in enumerate(groups) for run in runs}

    def set_points(self, points: Sequence[ScatterPoint], field: str, metric: str) -> None:
        """Draw other runs; ``metric`` as the axis shall call it."""
        self.points, self._field, self._metric = tuple(points), field, metric
        is_number = all(isinstance(p.x, (int, float)) and not isinstance(p.x, bool) for p in points)
        self._names = [] if is_number else sorted({as_text(p.x) for p in points})
        self._draw(self._theme_now.colours)
        self._fit()

    def set_lines(self, lines: Sequence[tuple[str, float]]) -> None:
        """Lay other values of the metric across the plot."""
        if tuple(lines) != self.lines:
            self.lines = tuple(lines)
            self._draw(self._theme_now.colours)
            self._fit()

    def _fit(self) -> None:
        show_all(self, padding=0.08)

    def _draw_sample(self, painter: QPainter, number: int, place: QRectF) -> None:
        look = self._theme_now.series_style(number)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(place.center())
        drawSymbol(painter, look.marker, DOT, pg.mkPen(self._theme_now.colours.text), pg.mkBrush(look.colour))
        painter.restore()

    def restyle(self, colours: Colours) -> None:
        self._draw(colours)

    def group_of(self, point: ScatterPoint) -> str:
        """Name of the group that a run stands in; empty where nobody has said."""
        place = self._group_of.get(point.run_id)
        return "" if place is None else self.labels[place]

    def columns(self) -> Columns:
        return [
            ("run", [point.run_id for point in self.points]),
            ("group", [self.group_of(point) for point in self.points]),
            (self._field, [point.x for point in self.points]),
            (self._metric, [point.y for point in self.points]),
        ]

    def reading_at(self, point: QPointF) -> str:
        if not self.points:
            return ""
        x, y = self._places()
        (left, right), (low, high) = self.getViewBox().viewRange()
        far = ((x - point.x()) / max(right - left, 1e-12)) ** 2 + ((y - point.y()) / max(high - low, 1e-12)) ** 2
        nearest = self.points[int(np.argmin(far))]
        name = self.group_of(nearest) or nearest.name
        return f"{name} · {nearest.run_id} · {as_text(nearest.x)}: {metric_text(nearest.y)}"

    def _places(self) -> tuple[Any, Any]:
        if self._names:
            x = np.array([self._names.index(as_text(point.x)) for point in self.points], dtype=float)
        else:
            x = np.array([float(point.x) for point in self.points])
        return x, np.array([point.y for point in self.points])

    def _draw(self, colours: Colours) -> None:
        self.wipe()
        groups = np.array([self._group_of.get(point.run_id, 0) for point in self.points], dtype=int)
        drawn = np.unique(groups).tolist()
        if self.legend is not None:
            self.legend.show_names(self.labels, colours.text, drawn if self.labels else [])
        if not self.points:
            return
        x, y = self._places()
        for group in drawn:
            look, mine = self._theme_now.series_style(group), groups == group
            dots = pg.ScatterPlotItem(
                x[mine], y[mine], size=DOT, symbol=look.marker, pen=pg.mkPen(colours.text), brush=look.colour
            )
            self.put(dots)
        for name, value in self.lines:
            pen = pg.mkPen(colours.text, width=1, style=Qt.PenStyle.DashLine)
            # A curve and not an endless line: the range must take it in, wherever it lies.
            self.put(pg.PlotCurveItem([float(x.min()), float(x.max()) + 1e-9], [value, value], pen=pen))
            words = pg.TextItem(f"{name} {metric_text(value)}", color=colours.text, anchor=(0, 1))
            words.setPos(float(x.min()), value)
            self.put(words)
        self.getAxis("bottom").is_whole = all(isinstance(point.x, int) for point in self.points)
        self.getAxis("bottom").setTicks([list(enumerate(self._names))] if self._names else None)
        self.setLabel("bottom", self._field, color=colours.muted)
        self.setLabel("left", self._metric, color=colours.muted)
