"""Every item's best score under each similarity: how sure the correlations are, and how far apart the two sides lie."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from engine.records import NeighbourSummary, TopScores
from workbench.plots.reveal import RevealedPlot
from workbench.theme import DASHES, Colours, Theme, set_role, style_plot
from workbench.widgets.neighbour_column import short_name
from workbench.widgets.tables import Columns


class TopScorePlot(RevealedPlot):
    """One stepped outline a similarity, told apart by colour and dash; items over score."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.summary: NeighbourSummary | None = None
        self.is_raw = False
        self._theme = theme
        self._lines: list[pg.PlotCurveItem] = []
        self._legend = self.addLegend(offset=(-12, 8))
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setMinimumHeight(220)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Histogram of the items' best scores")
        self.setLabel("left", "items")
        for side in ("left", "bottom"):
            self.getAxis(side).enableAutoSIPrefix(False)
        set_role(self, "bare")
        theme.follow(self, TopScorePlot._restyle)

    def set_summary(self, summary: NeighbourSummary) -> None:
        """Draw another data set or model."""
        self.summary = summary
        self._draw()

    def set_raw(self, is_raw: bool) -> None:
        """Raw scores, each similarity on its own scale, or normalised ones."""
        self.is_raw = is_raw
        self._draw()

    def columns(self) -> Columns:
        """The numbers behind the plot, for 'Show as table'."""
        if self.summary is None:
            return []
        made: list[tuple[str, list[object]]] = []
        for top in self.summary.tops:
            edges, counts = self._histogram(top)
            made += [
                (f"{top.similarity}: from", edges[:-1].tolist()),
                ("to", edges[1:].tolist()),
                ("items", counts.tolist()),
            ]
        return made

    def drawn(self) -> list[int]:
        """Items in each outline as it is drawn."""
        return [int(np.sum(line.getData()[1])) for line in self._lines]

    def sizeHint(self) -> QSize:
        return QSize(520, 280)

    def _histogram(self, top: TopScores) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        return (top.edges, top.counts) if self.is_raw else (top.normalised_edges, top.normalised_counts)

    def _restyle(self) -> None:
        style_plot(self, self._theme.colours)
        self._draw()

    def _draw(self) -> None:
        for line in self._lines:
            self.removeItem(line)
        self._legend.clear()
        self._lines = []
        if self.summary is None:
            return
        colours: Colours = self._theme.colours
        self._legend.setLabelTextColor(colours.text)
        for place, top in enumerate(self.summary.tops):
            edges, counts = self._histogram(top)
            colour, dash = colours.series[place % len(colours.series)], DASHES[place % len(DASHES)]
            line = pg.PlotCurveItem(edges, counts, stepMode="center", pen=pg.mkPen(colour, width=2, style=dash))
            self.addItem(line)
            self._legend.addItem(line, short_name(top.similarity))
            self._lines.append(line)
        self.setLabel("bottom", "best score, raw" if self.is_raw else "best score, normalised (Eq. 11)")
        self.autoRange()
