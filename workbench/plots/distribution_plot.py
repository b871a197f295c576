"""How long the sequences are and how popular the items: the two distributions that decide what augmentation can do.

`LengthPlot` draws the histogram of the raw lengths and of the training inputs (FACTS F1, F4) with the K line of
Eq. 12; `PopularityPlot` draws actions over rank, both axes logarithmic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QWidget

from engine.records import DatasetSummary, ItemTable, TextColumn
from workbench.plots.base import Plot
from workbench.theme import Colours, Theme, mix
from workbench.widgets.numbers import percent
from workbench.widgets.tables import Columns

FLOOR = float(np.log10(0.5))
"""Base of the bars on a logarithmic axis: one user must still be a bar that can be seen."""
_MIDDLE = 0.995
"""Share of the users that the plot shows before the whole tail is asked for."""


class SummaryPlot(Plot):
    """A plot of a data set's summary."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.summary: DatasetSummary | None = None
        super().__init__(theme, parent)

    @property
    def has_data(self) -> bool:
        return self.summary is not None


class LengthPlot(SummaryPlot):
    """Bars for the training inputs, a stepped outline for the raw lengths, and the K line, which snaps to integers."""

    k_changed = Signal(int)
    """The K line was dragged to another K."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.k = 4
        self.is_log = False
        self.shows_tail = False
        self._short_bars = pg.BarGraphItem(x=[], height=[], width=0.84)
        self._long_bars = pg.BarGraphItem(x=[], height=[], width=0.84)
        self._raw_line = pg.PlotCurveItem([-0.5, 0.5], [0], stepMode="center")
        self._line = pg.InfiniteLine(pos=self.k + 0.5, angle=90, movable=True)
        self._text = pg.TextItem(anchor=(0, 0))
        super().__init__(theme, parent)
        self.setAccessibleName("Histogram of sequence lengths")
        for item in (self._long_bars, self._short_bars, self._raw_line, self._line):
            self.addItem(item)
        self.addItem(self._text, ignoreBounds=True)
        self._line.sigPositionChanged.connect(self._dragged)
        self.getViewBox().sigRangeChanged.connect(self._place_text)
        self.setMouseEnabled(x=True, y=False)
        self.setLabel("bottom", "items in the sequence")
        self.setLabel("left", "users")

    # --- the model

    def set_summary(self, summary: DatasetSummary) -> None:
        """Draw another data set."""
        self.summary = summary
        self._draw()
        self._fit()

    def set_k(self, k: int) -> None:
        """Move the K line; ``k_changed`` is not sent."""
        if k == self.k:
            return
        self.k = k
        self._line.blockSignals(True)
        self._line.setValue(k + 0.5)
        self._line.blockSignals(False)
        self._draw_bars()
        self._place_text()

    def set_log(self, is_log: bool) -> None:
        """Users on a logarithmic or a linear axis."""
        self.is_log = is_log
        self.getAxis("left").setLogMode(is_log)
        self._draw()
        self._fit()

    def set_tail(self, shows_tail: bool) -> None:
        """The whole range of lengths, or the part that holds 99.5 % of the users."""
        self.shows_tail = shows_tail
        self._fit()

    @property
    def text(self) -> str:
        """What the K line says."""
        if self.summary is None:
            return ""
        return f"K = {self.k} · {percent(self.summary.short_share(self.k))} short"

    def columns(self) -> Columns:
        """The numbers behind the plot, for 'Show as table'."""
        if self.summary is None:
            return []
        training, raw = self._padded()
        total = max(int(training.sum()), 1)
        return [
            ("Length", np.arange(len(raw)).tolist()),
            ("Users, raw sequence", raw.tolist()),
            ("Users, training input", training.tolist()),
            ("Share up to here", (np.cumsum(training) / total).tolist()),
        ]

    def bars(self) -> dict[int, int]:
        """Length → users of the training bars as they are drawn."""
        drawn: dict[int, int] = {}
        for item in (self._short_bars, self._long_bars):
            for x, height in zip(item.opts["x"], item.opts["height"], strict=True):
                drawn[int(x)] = round(10 ** (height + FLOOR)) if self.is_log else int(height)
        return {length: users for length, users in drawn.items() if users}

    def outline(self) -> dict[int, int]:
        """Length → users of the raw outline as it is drawn."""
        xs, ys = self._raw_line.getData()
        heights = np.where(ys <= FLOOR, 0, np.round(10**ys)) if self.is_log else ys
        return {round(x + 0.5): int(y) for x, y in zip(xs[:-1], heights, strict=True) if y}

    def reading_at(self, point: QPointF) -> str:
        length = round(point.x())
        training, raw = self._padded()
        if not 0 <= length < len(raw):
            return ""
        share = training[length] / max(int(training.sum()), 1)
        return (
            f"length {length}: {training[length]:,} training inputs ({percent(share)}), {raw[length]:,} raw sequences"
        )

    # --- drawing

    def restyle(self, colours: Colours) -> None:
        self._short_bars.setOpts(brush=colours.accent, pen=None)
        self._long_bars.setOpts(brush=mix(colours.accent, colours.surface, 0.38), pen=None)
        self._raw_line.setPen(pg.mkPen(colours.series[1], width=1.5, style=Qt.PenStyle.SolidLine))
        self._line.setPen(pg.mkPen(colours.text, width=2, style=Qt.PenStyle.DashLine))
        self._line.setHoverPen(pg.mkPen(colours.accent, width=3))
        self._text.fill = pg.mkBrush(colours.raised)
        self._text.border = pg.mkPen(colours.strong_border)
        self._text.setColor(colours.text)

    def _padded(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Training and raw histogram, as long as the longer one."""
        assert self.summary is not None
        size = max(len(self.summary.training_lengths), len(self.summary.raw_lengths))
        pad = [np.pad(h, (0, size - len(h))) for h in (self.summary.training_lengths, self.summary.raw_lengths)]
        return pad[0], pad[1]

    def _height(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Top of each bar; without users it is the base."""
        if not self.is_log:
            return counts.astype(float)
        return np.where(counts > 0, np.log10(np.maximum(counts, 1)), FLOOR)

    def _draw(self) -> None:
        if self.summary is None:
            return
        _, raw = self._padded()
        # An empty length at the end, or the outline of the longest would not come down.
        self._raw_line.setData(np.arange(len(raw) + 2) - 0.5, self._height(np.append(raw, 0)))
        self._draw_bars()
        self._place_text()

    def _draw_bars(self) -> None:
        if self.summary is None:
            return
        training, _ = self._padded()
        base = FLOOR if self.is_log else 0.0
        lengths = np.arange(len(training))
        heights = self._height(training) - base
        for item, part in ((self._short_bars, lengths <= self.k), (self._long_bars, lengths > self.k)):
            item.setOpts(x=lengths[part], height=heights[part], y0=base)

    def _fit(self) -> None:
        if self.summary is None:
            return
        training, raw = self._padded()
        reach = np.searchsorted(np.cumsum(raw), _MIDDLE * raw.sum())
        right = len(raw) if self.shows_tail else max(int(reach), self.k + 3, 8)
        most = max(raw.max(initial=1), training.max(initial=1))
        top = float(self._height(np.array([most]))[0])
        base = FLOOR if self.is_log else 0.0
        self.make_room_left(f"{most:,}")
        self.getViewBox().setLimits(xMin=-1, xMax=len(raw) + 1)
        self.getViewBox().setRange(xRange=(-0.7, right + 0.7), yRange=(base, top + (top - base) * 0.14), padding=0)
        self._place_text()

    def _dragged(self) -> None:
        highest = len(self.summary.raw_lengths) if self.summary is not None else 1000
        k = min(max(round(self._line.value() - 0.5), 0), highest)
        self._line.blockSignals(True)
        self._line.setValue(k + 0.5)
        self._line.blockSignals(False)
        if k != self.k:
            self.k = k
            self._draw_bars()
            self._place_text()
            self.k_changed.emit(k)

    def _place_text(self) -> None:
        """Beside the line, on the side where there is room."""
        self._text.setText(self.text)
        (left, right), (_, top) = self.getViewBox().viewRange()
        at = self.k + 0.5
        is_right_half = at > (left + right) / 2
        self._text.setAnchor((1.06, -0.2) if is_right_half else (-0.06, -0.2))
        self._text.setPos(at, top)


class Rows(Sequence[str]):
    """Texts in another order, found one at a time: a table of half a million opens at once."""

    def __init__(self, texts: TextColumn, rows: NDArray[np.integer]) -> None:
        self._texts, self._rows = texts, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self._texts[int(row)] for row in self._rows[place]]
        return self._texts[int(self._rows[place])]


class PopularityPlot(SummaryPlot):
    """Actions of each item over its rank, both logarithmic: a straight line is a power law."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.items: ItemTable | None = None
        """Which item has which rank, once it is known."""
        self._curve = pg.PlotCurveItem()
        super().__init__(theme, parent)
        self.setAccessibleName("Popularity of the items by rank")
        self.addItem(self._curve)
        self.setMouseEnabled(x=False, y=False)
        self.getAxis("left").setLogMode(True)
        self.getAxis("bottom").setLogMode(True)
        self.setLabel("bottom", "item, most popular first")
        self.setLabel("left", "actions")

    def set_summary(self, summary: DatasetSummary) -> None:
        """Draw another data set."""
        self.summary, self.items = summary, None
        actions = summary.popularity[summary.popularity > 0]
        if not len(actions):
            self._curve.setData([], [])
            return
        ranks = np.arange(1, len(actions) + 1)
        # A hundred thousand items make no more than a screen's width of points: sample the ranks evenly by logarithm.
        shown = np.arange(len(actions))
        if len(actions) > 2000:
            shown = np.unique(np.geomspace(1, len(actions), num=2000).round().astype(int)) - 1
        self.make_room_left(f"{actions[0]:,}")
        x, y = np.log10(ranks[shown]), np.log10(actions[shown])
        self._curve.setData(x, y, fillLevel=FLOOR)
        self.getViewBox().setRange(
            xRange=(-0.04, max(float(x[-1]), 0.3) * 1.03), yRange=(FLOOR, float(y[0]) * 1.08 + 0.1), padding=0
        )

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ranks from 1 and actions as they are drawn."""
        x, y = self._curve.getData()
        return 10 ** np.asarray(x), 10 ** np.asarray(y)

    def columns(self) -> Columns:
        """The numbers behind the plot, for 'Show as table'."""
        if self.summary is None:
            return []
        actions = self.summary.popularity
        share = np.cumsum(actions) / max(int(actions.sum()), 1)
        named: list[tuple[str, Sequence[Any]]] = []
        if self.items is not None:
            named.append(("Item", Rows(self.items.items, self.items.by_actions)))
            if self.items.titles is not None:
                named.append(("Title", Rows(self.items.titles, self.items.by_actions)))
        return [
            ("Rank", range(1, len(actions) + 1)),
            *named,
            ("Actions", actions),
            ("Share of all actions up to here", share),
        ]

    def reading_at(self, point: QPointF) -> str:
        assert self.summary is not None
        rank = round(10 ** point.x())
        if not 1 <= rank <= len(self.summary.popularity):
            return ""
        which = ""
        if self.items is not None:
            row = int(self.items.by_actions[rank - 1])
            title = self.items.titles[row] if self.items.titles is not None else ""
            which = f", {self.items.items[row]}" + (f" ({title[:40]}{'…' * (len(title) > 40)})" if title else "")
        return f"item of rank {rank:,}{which}: {int(self.summary.popularity[rank - 1]):,} actions"

    def restyle(self, colours: Colours) -> None:
        self._curve.setPen(pg.mkPen(colours.accent, width=2))
        self._curve.setBrush(pg.mkBrush(mix(colours.accent, colours.surface, 0.16)))


def tail_in_words(summary: DatasetSummary) -> str:
    """How unequal the items are, in one sentence."""
    actions = summary.popularity
    total = int(actions.sum())
    if not total:
        return ""
    head = max(1, round(len(actions) / 100))
    rare = int((actions <= 5).sum())
    words = (
        f"The most popular 1 % of the items ({head:,}) hold {percent(actions[:head].sum() / total)} of all actions; "
        f"{percent(rare / len(actions))} of the items have at most 5."
    )
    return words.replace(" %", "\u00a0%")  # a line must not break before the sign
