"""The first tab of the Dataset page: Table 1, lengths with K, popularity, times, the protocol and what it means."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QGridLayout, QHBoxLayout

from engine.config import ExperimentConfig
from engine.records import DatasetDetails, DatasetSummary, PaperTable
from workbench.plots.timeline_plot import TimelinePlot, times_in_words
from workbench.theme import HUGE, WIDE, Theme
from workbench.widgets.cards import Card, Tile, label
from workbench.widgets.length_card import LengthCard, PopularityCard
from workbench.widgets.numbers import percent
from workbench.widgets.pieces import InPieces
from workbench.widgets.plot_card import PlotCard
from workbench.widgets.protocol_card import ProtocolCard
from workbench.widgets.targets_card import TargetsCard

TILES = (
    ("users", "Users", "Table 1"),
    ("items", "Items", "Table 1"),
    ("actions", "Actions", "Table 1"),
    ("length", "Average length", "Actions per user (Table 1)"),
    ("sparsity", "Sparsity", "1 − actions / (users × items) (Table 1)"),
)
ADDED_ROW, LAST_ROW = 10, 100
"""Rows of the grid: added cards come after the first, the second takes the room that is left."""
PLOTS_HIGH = 390


class DatasetOverview(InPieces):
    """Cards in a grid of two columns; `add_card` puts one more below."""

    def __init__(self, theme: Theme, *, at_once: bool = True) -> None:
        """``at_once`` as of `InPieces`."""
        self._theme = theme
        self._added = 0
        super().__init__(at_once=at_once)

    def make(self) -> Iterator[None]:
        """The cards; a plot is a piece."""
        theme = self._theme
        self._grid = QGridLayout(self)
        self.tiles = {name: Tile(caption, tip) for name, caption, tip in TILES}
        self.paper = label("", "note", wrap=True)
        yield
        self.lengths = LengthCard(theme)
        yield
        self.popularity = PopularityCard(theme)
        yield
        self.times = PlotCard(
            theme,
            "Actions over time",
            TimelinePlot(theme),
            "Area: all actions. Solid line: validation targets. Dashed line: test targets.",
        )
        self.no_times = label(
            "No actions over time: this data set tells no times. Import it with its column of times to see them.",
            "note",
            wrap=True,
        )
        yield
        self.protocol = ProtocolCard()
        yield
        self.targets = TargetsCard(theme)
        yield
        self._fill()
        self.clear_details()

    def _fill(self) -> None:
        grid = self._grid
        grid.setContentsMargins(HUGE, WIDE, HUGE, HUGE)
        grid.setSpacing(WIDE)
        tiles = QHBoxLayout()
        tiles.setSpacing(WIDE)
        for tile in self.tiles.values():
            tiles.addWidget(tile, 1)
        grid.addLayout(tiles, 0, 0, 1, 2)
        # What comes later stands below the plots: they are not laid out and painted once more.
        grid.addWidget(self.lengths, 1, 0)
        grid.addWidget(self.popularity, 1, 1)
        for row, card in enumerate((self.paper, self.times, self.no_times, self.protocol, self.targets), 2):
            grid.addWidget(card, row, 0, 1, 2)
        grid.setColumnStretch(0, 5)
        grid.setColumnStretch(1, 3)
        grid.setRowStretch(LAST_ROW, 1)
        for card in (self.lengths, self.popularity):
            card.setFixedHeight(PLOTS_HIGH)
        self.popularity.setMinimumWidth(280)
        self.times.setMinimumHeight(320)

    def add_card(self, card: Card) -> None:
        """Put a card below the others, e.g. the report of an import; it may hide itself."""
        self._added += 1
        self._grid.addWidget(card, ADDED_ROW + self._added, 0, 1, 2)

    def clear_details(self) -> None:
        """Hide what is not known yet: `set_details` comes a moment after `set_summary`."""
        for part in (self.paper, self.times, self.no_times, self.targets):
            part.hide()

    def set_summary(self, summary: DatasetSummary, k: int) -> None:
        """Show another data set with the K line at ``k``."""
        for name, text in (
            ("users", f"{summary.users:,}"),
            ("items", f"{summary.items:,}"),
            ("actions", f"{summary.actions:,}"),
            ("length", f"{summary.average_length:.1f}"),
            ("sparsity", percent(summary.sparsity, 2)),
        ):
            self.tiles[name].set_value(text)
        self.tiles["length"].setToolTip(f"Actions per user (Table 1); from {summary.shortest:,} to {summary.longest:,}")
        self.lengths.set_summary(summary, k)
        self.popularity.set_summary(summary)
        self.protocol.set_summary(summary)

    def set_details(self, details: DatasetDetails, config: ExperimentConfig) -> None:
        """Show times, targets and the paper's numbers."""
        self.paper.setVisible(details.paper is not None)
        if details.paper is not None:
            self.paper.setText(paper_in_words(details.paper))
        self.times.setVisible(details.timeline is not None)
        self.no_times.setVisible(details.timeline is None)
        if details.timeline is not None:
            self.times.plot.set_timeline(details.timeline)
            self.times.say(times_in_words(details.timeline))
        self.popularity.plot.items = details.items
        self.targets.set_targets(details.targets, config)
        self.targets.show()


def paper_in_words(paper: PaperTable) -> str:
    """That these are a paper's numbers, what it prints beside them, and where it errs (FACTS F23)."""
    words = f"Users, items and actions are those of {paper.name} in the paper's Table 1."
    agree = f"Its average length, {paper.average_length}, and sparsity, {paper.sparsity}, agree with this file."
    return f"{words} {' '.join(paper.faults) or agree}".replace(" %", "\u00a0%")
