"""Live curves of one series over several runs: one curve item a run, redrawn by one timer and only when there is news.

Pen width 1 and no antialiasing while anything is live (wider pens are many times slower), `autoDownsample` with
`clipToView`. A run's colour, dash and marker are those it has everywhere. The crosshair reads every curve at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.live_feed import Curve
from workbench.plots.axes import Axis
from workbench.plots.bands import Band, Bands
from workbench.plots.limits import LIMITS, reach
from workbench.plots.phase_marks import PhaseMarks
from workbench.plots.reveal import RevealedPlot
from workbench.plots.series import RunLook, first_above_0, frame, is_loss, is_metric, reading, series_label, smoothed
from workbench.theme import SMALL, Theme, style_plot
from workbench.widgets.choice_box import ChoiceBox, SlideBox
from workbench.widgets.layout import label
from workbench.widgets.tables import Columns, show_as_table_button

REDRAW_MS = 100
TURN_SECONDS = 0.012
"""Longer than this a turn of the event loop does not hand over curves; the rest comes with the next one."""
MOST_MARKERS = 60
"""Longer curves are told apart by colour and dash; a marker on every point would only hide them."""
MOST_READINGS = 6
CLOSEST = {False: 0.1, True: 0.01}
"""Least width of the axis of epochs: in epochs, and in decades where it is logarithmic."""


class EpochAxis(Axis):
    """Whole epochs only: there is nothing between two of them to be read off an axis."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> Any:  # noqa: N803 (pyqtgraph's names)
        if self.logMode:
            return super().tickSpacing(minVal, maxVal, size)
        spacings = [level for level in super().tickSpacing(minVal, maxVal, size) if level[0] >= 1]
        return spacings or [(1.0, 0.0)]


class MetricPlot(QWidget):
    """Chooser, plot, reading. Give it runs with `set_runs` and curves with `set_curves`."""

    series_changed = Signal(str)

    def __init__(self, theme: Theme, title: str, prefixes: Sequence[str], redraw_ms: int = REDRAW_MS) -> None:
        super().__init__()
        self._theme = theme
        self._title = title
        self._prefixes = tuple(prefixes)
        self._looks: dict[str, RunLook] = {}
        self._curves: dict[str, Curve] = {}
        self._drawn: dict[str, Curve] = {}
        self._items: dict[str, Any] = {}
        self._spare: list[Any] = []
        self._dirty: set[str] = set()
        self._areas: dict[str, Band] = {}
        self._wanted_series = ""
        self._last = 0.0
        self._pointer: float | None = None
        self._build()
        self._show_smoothing()
        self._timer = QTimer(self)
        self._timer.setInterval(redraw_ms)
        self._timer.timeout.connect(self.redraw)
        theme.follow(self, MetricPlot._restyle)

    # Parts ----------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.plot: Any = self._make_plot()
        self.reading = QLabel()
        self.reading.setTextFormat(Qt.TextFormat.RichText)
        self.reading.setAccessibleName(f"{self._title}: values at the pointer")
        self.reading.setContentsMargins(SMALL, 0, SMALL, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addLayout(self._make_head())
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.reading)

    def _make_head(self) -> QHBoxLayout:
        self.series = ChoiceBox()
        self.series.setAccessibleName(f"{self._title}: series")
        self.series.setMinimumWidth(150)
        # The longest name would take the room of the controls beside it; the tool tip says it whole.
        self.series.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.series.setMinimumContentsLength(22)
        self.series.setPlaceholderText("after the first epoch")
        self.series.activated.connect(self._choose)
        self.smoothing = SlideBox(Qt.Orientation.Horizontal)
        self.smoothing.setRange(1, 50)
        self.smoothing.setFixedWidth(64)
        self.smoothing.setAccessibleName("Smoothing window in points")
        self.smoothing.setToolTip("Mean over this many points; for losses only")
        self.smoothing.valueChanged.connect(self._smooth)
        self.smoothing_label = label("raw", "muted")
        self.smoothing_label.setFixedWidth(56)
        self.log = QCheckBox("log")
        self.log.setToolTip("Logarithmic value axis")
        self.log.setAccessibleName(f"{self._title}: logarithmic axis")
        self.log.toggled.connect(self._set_log)
        self.log_epochs = QCheckBox("log x")
        self.log_epochs.setToolTip("Logarithmic axis of epochs")
        self.log_epochs.setAccessibleName(f"{self._title}: logarithmic axis of epochs")
        self.log_epochs.toggled.connect(self._set_log_epochs)
        auto = QToolButton()
        self._theme.follow_icon(auto, "autoscale", "muted")
        auto.setToolTip("Show all of every curve (A)")
        auto.setAccessibleName(f"{self._title}: show all")
        auto.clicked.connect(self.autoscale)
        self.table_button = show_as_table_button(self._theme, self._table_title, self.columns)
        # The short word: two plots stand beside a table of runs that needs the width.
        self.table_button.setText("Table")
        self.table_button.setToolTip("Show the numbers as a table")
        head = QHBoxLayout()
        head.setSpacing(SMALL)
        for widget in (self.series, self.smoothing, self.smoothing_label, self.log, self.log_epochs):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(auto)
        head.addWidget(self.table_button)
        return head

    def _make_plot(self) -> Any:
        plot = RevealedPlot(enableMenu=False, axes={"left": Axis("left"), "bottom": EpochAxis("bottom")})
        plot.setAccessibleName(f"{self._title}: curves of the ticked runs")
        plot.setMinimumHeight(120)
        item = plot.getPlotItem()
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        item.hideButtons()
        item.setLabel("bottom", "epoch")
        item.getAxis("left").setWidth(62)
        item.layout.setContentsMargins(2, 8, 12, 4)
        plot.setMouseEnabled(x=True, y=False)
        # Never seen: it keeps the axes from shrinking around one point, or beginning behind the first, and shows all
        # whatever was in sight before. A bare curve: what pyqtgraph thins out to the range in sight has no bounds
        # where that range is far too wide (its issue 2328).
        self._frame = pg.PlotCurveItem(pen=pg.mkPen(None))
        plot.addItem(self._frame)
        self._bands = Bands(plot)
        self._marks = PhaseMarks(plot)
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._cross.hide()
        plot.addItem(self._cross, ignoreBounds=True)
        self._proxy = pg.SignalProxy(plot.scene().sigMouseMoved, rateLimit=25, slot=self._moved)
        return plot

    def _restyle(self) -> None:
        colours = self._theme.colours
        style_plot(self.plot, colours)
        self._cross.setPen(pg.mkPen(colours.strong_border, width=1))
        for run_id in self._looks:
            self._style(run_id)
        self._draw_bands()
        self._show_reading()

    # What is drawn --------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str:
        """Name of the series that is drawn, or nothing."""
        return str(self.series.currentData() or "")

    def choose(self, name: str) -> None:
        """Draw this series, as soon as some run has it."""
        self._wanted_series = name
        place = self.series.findData(name)
        if place >= 0 and place != self.series.currentIndex():
            self.series.setCurrentIndex(place)
            self._choose(place)

    def set_series(self, names: Sequence[str]) -> None:
        """Offer the series among ``names`` that belong to this plot."""
        wanted = [name for name in names if name.startswith(self._prefixes)]
        if wanted == [self.series.itemData(row) for row in range(self.series.count())]:
            return
        before = self._wanted_series or self.chosen
        self.series.clear()
        for name in wanted:
            self.series.addItem(series_label(name).replace(" within the epoch", ""), name)
            self.series.setItemData(self.series.count() - 1, series_label(name), Qt.ItemDataRole.ToolTipRole)
        self.series.setCurrentIndex(max(0, self.series.findData(before)) if wanted else -1)
        self.series.setToolTip(series_label(self.chosen) if wanted else "")
        self._show_frame()
        self.series_changed.emit(self.chosen)

    def set_runs(self, looks: Mapping[str, RunLook]) -> None:
        """Draw exactly these runs."""
        for gone in set(self._looks) - set(looks):
            if gone in self._items:
                # Kept for another run: a new curve item costs the view as much as drawing it.
                item = self._items.pop(gone)
                item.setData([], [])
                self._spare.append(item)
            self._curves.pop(gone, None)
            self._drawn.pop(gone, None)
            self._marks.remove(gone)
        for run_id, look in looks.items():
            if self._looks.get(run_id) != look:
                self._looks[run_id] = look
                if run_id in self._items:
                    self._style(run_id)
                self._draw_mark(run_id, look)
        self._looks = dict(looks)
        self._areas = {name: band for name, band in self._areas.items() if name in looks}
        self._draw_bands()
        self._show_reading()

    def set_curves(self, curves: Mapping[str, Curve]) -> None:
        """New data of some of the runs; drawn at once, or at the next tick of the timer where it runs already."""
        for run_id, curve in curves.items():
            if run_id in self._looks:
                self._curves[run_id] = curve
                self._dirty.add(run_id)
        if self._dirty and not self._timer.isActive():
            self._timer.start()
            QTimer.singleShot(0, self, self.redraw)

    def set_bands(self, bands: Mapping[str, Band]) -> None:
        """Areas around some of the curves: a group's standard deviation around its mean."""
        if bands or self._areas:
            self._areas = {name: band for name, band in bands.items() if name in self._looks}
            self._draw_bands()

    def _draw_bands(self) -> None:
        colours = {name: self._theme.series_style(self._looks[name].order).colour for name in self._areas}
        window = self.smoothing.value() if is_loss(self.chosen) else 1
        shown = {
            name: replace(b, mean=smoothed(b.mean, window), deviation=smoothed(b.deviation, window))
            for name, b in self._areas.items()
        }
        self._bands.show(shown, colours, is_log=self.log.isChecked())
        self._show_frame()

    def redraw(self) -> None:
        """Hand the changed curves to the plot; stops the timer when there is no more news."""
        if not self._dirty:
            self._timer.stop()
            self.plot.setUpdatesEnabled(True)
            return
        window = self.smoothing.value() if is_loss(self.chosen) else 1
        until = time.monotonic() + TURN_SECONDS
        # What has left since, and what has left and come back without a curve, waits for its next points.
        self._dirty &= self._curves.keys()
        while self._dirty:
            run_id = self._dirty.pop()
            xs, ys = self._curves[run_id]
            # A copy: the book's buffer goes on growing behind a view.
            self._drawn[run_id] = shown = (xs.copy(), smoothed(ys, window).copy())
            marker = self._theme.series_style(self._looks[run_id].order).marker if len(xs) <= MOST_MARKERS else None
            self._item(run_id).setData(*shown, symbol=marker)
            if time.monotonic() > until:
                break
        # Painted once, with the last curve: painting those at hand after each turn costs more than handing them over.
        self.plot.setUpdatesEnabled(not self._dirty)
        if self._dirty:
            QTimer.singleShot(0, self, self.redraw)
            return
        self._show_frame()
        self._show_reading()

    def spare(self, count: int) -> None:
        """Make curves before a run needs them: making one takes as long as drawing it."""
        self._spare += (self.plot.plot([], []) for _ in range(count))

    def _item(self, run_id: str) -> Any:
        """The run's curve in the plot, made or taken over when it is first drawn."""
        if run_id not in self._items:
            self._items[run_id] = self._spare.pop() if self._spare else self.plot.plot([], [])
            self._style(run_id)
        return self._items[run_id]

    def cover(self, last: float) -> None:
        """Reach to epoch ``last`` at least: as far as a plot on the same axis of epochs."""
        if last != self._last:
            self._last = last
            self._show_frame()

    def _show_frame(self) -> None:
        """The corners of all that was handed over, as the axes have them; no zoom goes far beyond."""
        drawn = [*self._drawn.values(), *self._bands.edges]
        x_is_log, y_is_log = self.log_epochs.isChecked(), self.log.isChecked()
        never_below_0 = is_metric(self.chosen)
        xs, ys = frame(drawn, self._last, never_below_0=never_below_0)
        if x_is_log:
            xs = np.log10([first_above_0(drawn), xs[1]])
        if y_is_log:  # no logarithm of what is not above 0
            ys = np.log10(np.where(ys > 0, ys, ys[1])) if ys[1] > 0 else np.zeros(2)
        self._frame.setData(xs, ys)
        left, right = reach(*xs)
        self.plot.setLimits(
            xMin=left if x_is_log else 0,
            xMax=right,
            minXRange=CLOSEST[x_is_log],
            yMin=0 if never_below_0 and not y_is_log else LIMITS[0],
        )

    def _set_log(self, on: bool) -> None:
        self._lift_limits()
        self.plot.setLogMode(y=on)
        self._draw_bands()

    def _set_log_epochs(self, on: bool) -> None:
        self._lift_limits()
        self.plot.setLogMode(x=on)
        for run_id, look in self._looks.items():
            self._draw_mark(run_id, look)
        self._show_frame()
        self.plot.enableAutoRange()

    def _lift_limits(self) -> None:
        """Before an axis changes its kind: on a logarithmic one a limit of 0 would be one of 1."""
        low, high = LIMITS
        self.plot.setLimits(xMin=low, xMax=high, yMin=low, minXRange=None)

    def drawn(self, run_id: str) -> Curve | None:
        """What the plot shows of a run (smoothed, where it is)."""
        return self._drawn.get(run_id)

    def _style(self, run_id: str) -> None:
        look = self._theme.series_style(self._looks[run_id].order)
        if run_id in self._items:
            item, pen = self._items[run_id], pg.mkPen(look.colour, width=1, style=look.dash)
            # All at once: each of the item's own setters would build its curve and its markers anew.
            item.opts |= {"pen": pen, "symbolPen": None, "symbolBrush": pg.mkBrush(look.colour), "symbolSize": 6}
            item.updateItems(styleUpdate=True)
        self._marks.colour(run_id, look.colour)

    def _draw_mark(self, run_id: str, look: RunLook) -> None:
        colour = self._theme.series_style(look.order).colour
        self._marks.show(run_id, look.marks, colour, is_log=self.log_epochs.isChecked())

    # Controls -------------------------------------------------------------------------------------------------------

    def _choose(self, _: int) -> None:
        self._wanted_series = self.chosen
        self.series.setToolTip(series_label(self.chosen))
        self._dirty.clear()
        for run_id in self._looks:
            self._curves[run_id] = self._drawn[run_id] = (np.empty(0), np.empty(0))
        for item in self._items.values():
            item.setData([], [])
        self._show_smoothing()
        self._show_frame()
        self.series_changed.emit(self.chosen)
        self.autoscale()

    def _smooth(self, _: int) -> None:
        self._show_smoothing()
        self._draw_bands()
        self.set_curves(dict(self._curves))

    def _show_smoothing(self) -> None:
        can = is_loss(self.chosen) if self.chosen else any(is_loss(prefix) for prefix in self._prefixes)
        self.smoothing.setVisible(can)
        self.smoothing_label.setVisible(can)
        window = self.smoothing.value()
        self.smoothing_label.setText("raw" if window == 1 else f"{window} points")

    def autoscale(self) -> None:
        """Show all of every curve, and follow them as they grow."""
        self.plot.enableAutoRange()

    def _moved(self, event: tuple[QPointF]) -> None:
        view = self.plot.getPlotItem().vb
        inside = self.plot.sceneBoundingRect().contains(event[0]) and view.sceneBoundingRect().contains(event[0])
        place = float(view.mapSceneToView(event[0]).x()) if inside else None
        self._cross.setVisible(inside)
        if place is not None:
            self._cross.setPos(place)
            place = 10**place if self.log_epochs.isChecked() else place
        self._pointer = place
        self._show_reading()

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._pointer = None
        self._cross.hide()
        self._show_reading()

    def readings(self) -> list[tuple[str, float | None]]:
        """Run id and value at the pointer, or its last value where the pointer is elsewhere."""
        found = []
        for run_id in self._looks:
            curve = self._drawn.get(run_id, (np.empty(0), np.empty(0)))
            last = float(curve[1][-1]) if len(curve[1]) else None
            found.append((run_id, last if self._pointer is None else reading(curve, self._pointer)))
        return found

    def _show_reading(self) -> None:
        found = self.readings()
        where = "latest" if self._pointer is None else f"epoch {self._pointer:.1f}"
        parts = [f"<span style='color:{self._theme.colours.muted}'>{where}</span>"] if found else []
        for run_id, value in found[:MOST_READINGS]:
            look = self._theme.series_style(self._looks[run_id].order)
            text = "–" if value is None else f"{value:.4f}"
            if run_id in self._areas and value is not None:
                text += f" (n = {self._areas[run_id].count_at(self._pointer)})"
            parts.append(f"<span style='color:{look.colour}'>{SIGNS[look.marker]}</span> {text}")
        if len(found) > MOST_READINGS:
            parts.append(f"+{len(found) - MOST_READINGS} more")
        self.reading.setText("&nbsp;&nbsp;&nbsp;".join(parts))

    # Show as table --------------------------------------------------------------------------------------------------

    def _table_title(self) -> str:
        return series_label(self.chosen) if self.chosen else self._title

    def columns(self) -> Columns:
        """The recorded values, unsmoothed: an epoch column and a value column for each run."""
        made: list[tuple[str, Sequence[object]]] = []
        for run_id, look in self._looks.items():
            xs, ys = self._curves.get(run_id, (np.empty(0), np.empty(0)))
            made += [(f"{look.name}: epoch", list(xs)), (f"{look.name}: {self.chosen}", list(ys))]
            if run_id in self._areas:
                band = self._areas[run_id]
                made += [(f"{look.name}: ± std", list(band.deviation)), (f"{look.name}: runs", list(band.counts))]
        return made


# The markers of the curves, as characters for the line of readings.
SIGNS = {"o": "●", "s": "■", "t": "▼", "d": "◆", "+": "✚", "x": "✖", "star": "✱"}
