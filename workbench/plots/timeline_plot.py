"""Actions over calendar time: all of them as an area, validation and test targets as lines of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from engine.records import Timeline
from workbench.plots.axes import PaintedAtOnce
from workbench.plots.base import CountAxis, Plot
from workbench.theme import Colours, Theme, mix
from workbench.widgets.numbers import percent
from workbench.widgets.tables import Columns

_FORMATS = {
    "hour": "%Y-%m-%d %H:%M",
    "day": "%Y-%m-%d",
    "week": "week of %Y-%m-%d",
    "month": "%Y-%m",
    "quarter": "%Y-%m",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(seconds: float, form: str = "%Y-%m-%d") -> str:
    """A date (UTC) from seconds since 1970; a bare number where no calendar has it.

    >>> moment(951782400), moment(1e15)
    ('2000-02-29', '1,000,000,000,000,000 s')
    """
    try:
        return (_EPOCH + timedelta(seconds=float(seconds))).strftime(form)
    except (OverflowError, ValueError):
        return f"{seconds:,.0f} s"


class DateAxis(PaintedAtOnce, pg.DateAxisItem):
    """Dates in UTC, as the bins are."""

    def __init__(self) -> None:
        super().__init__(orientation="bottom", utcOffset=0)

    def generateDrawSpecs(self, painter: QPainter) -> Any:
        """Leave out words that would stand upon others: "30" and "Oct" made one word. Months come before days."""
        specs = super().generateDrawSpecs(painter)
        if specs is None:
            return None
        line, ticks, words = specs
        kept: list[Any] = []
        for word in words:
            room = word[0].adjusted(-2, 0, 2, 0)
            if not any(room.intersects(other[0]) for other in kept):
                kept.append(word)
        return line, ticks, kept


class TimelinePlot(Plot):
    """An area of all actions a bin; a solid line for validation targets, a dashed one for test targets."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.timeline: Timeline | None = None
        self._all = pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0)
        self._valid = pg.PlotCurveItem([0, 1], [0], stepMode="center")
        self._test = pg.PlotCurveItem([0, 1], [0], stepMode="center")
        super().__init__(theme, parent, {"bottom": DateAxis(), "left": CountAxis("left")})
        self.setAccessibleName("Actions over time")
        for item in (self._all, self._valid, self._test):
            self.addItem(item)
        self.setMouseEnabled(x=True, y=False)
        self.setLabel("left", "actions")

    @property
    def has_data(self) -> bool:
        return self.timeline is not None

    def set_timeline(self, timeline: Timeline) -> None:
        """Draw another data set's times."""
        self.timeline = timeline
        edges = self._edges()
        for item, heights in (
            (self._all, timeline.actions),
            (self._valid, timeline.valid_targets),
            (self._test, timeline.test_targets),
        ):
            item.setData(edges, heights.astype(float))
        self.setLabel("left", f"actions a {timeline.unit}")
        view = self.getViewBox()
        width = float(edges[-1] - edges[0])
        view.setLimits(xMin=edges[0] - width / 20, xMax=edges[-1] + width / 20)
        top = max(float(timeline.actions.max()), 1.0)
        view.setRange(xRange=(edges[0], edges[-1]), yRange=(0, top * 1.08), padding=0)

    def _edges(self) -> np.ndarray:
        """Bin edges in seconds, [B + 1]; the last bin is as wide as the one before, or a day."""
        assert self.timeline is not None
        starts = self.timeline.starts.astype(float)
        last = starts[-1] - starts[-2] if len(starts) > 1 else 86400.0
        return np.append(starts, starts[-1] + last)

    def drawn(self) -> tuple[list[float], list[float], list[float]]:
        """Heights of the three curves."""
        a, b, c = (item.getData()[1].tolist() for item in (self._all, self._valid, self._test))
        return a, b, c

    def columns(self) -> Columns:
        """The numbers behind the plot, for 'Show as table'."""
        times = self.timeline
        if times is None:
            return []
        form = _FORMATS.get(times.unit, "%Y").replace("week of ", "")
        return [
            (f"{times.unit.capitalize()} (UTC)", [moment(start, form) for start in times.starts.tolist()]),
            ("Actions", times.actions),
            ("Validation targets", times.valid_targets),
            ("Test targets", times.test_targets),
            ("Active users", times.users),
        ]

    def reading_at(self, point: QPointF) -> str:
        times = self.timeline
        assert times is not None
        edges = self._edges()
        place = int(np.searchsorted(edges, point.x(), side="right")) - 1
        if not 0 <= place < len(times.starts):
            return ""
        when = moment(times.starts[place], _FORMATS.get(times.unit, "%Y"))
        return (
            f"{when}: {times.actions[place]:,} actions of {times.users[place]:,} users, "
            f"{times.valid_targets[place]:,} validation and {times.test_targets[place]:,} test targets"
        )

    def restyle(self, colours: Colours) -> None:
        self._all.setPen(pg.mkPen(colours.accent, width=1))
        self._all.setBrush(pg.mkBrush(mix(colours.accent, colours.surface, 0.28)))
        self._valid.setPen(pg.mkPen(colours.series[2], width=2, style=Qt.PenStyle.SolidLine))
        self._test.setPen(pg.mkPen(colours.series[1], width=2, style=Qt.PenStyle.DashLine))


def times_in_words(times: Timeline) -> str:
    """Range and order of the times, and what leave-one-out makes of them."""
    words = f"From {moment(times.first)} to {moment(times.last)} (UTC). "
    words += (
        f"{percent(times.training_after)} of the training part is later than half of the test targets: "
        "leave-one-out lets a model learn from what came after."
        if times.training_after
        else "No training action is later than half of the test targets."
    )
    if times.unordered_users:
        have = (
            "1 user's sequence is" if times.unordered_users == 1 else f"{times.unordered_users:,} users' sequences are"
        )
        words += f" {have} not in the order of the times."
    return words.replace(" %", "\u00a0%")
