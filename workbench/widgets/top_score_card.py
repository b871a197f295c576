"""The whole data set under its similarities: best scores, items without a neighbour, whom the hybrid takes."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox

from engine.records import NeighbourSummary
from workbench.plots.top_score_plot import TopScorePlot
from workbench.theme import Theme
from workbench.widgets.cards import Card, label
from workbench.widgets.neighbour_column import short_name
from workbench.widgets.numbers import percent
from workbench.widgets.tables import Columns, show_as_table_button
from workbench.widgets.weights_columns import with_weights


class TopScoreCard(Card):
    """The plot, with its sentence above it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            "Best scores of all items", "Each item's first neighbour; the share that has none is told apart"
        )
        self.summary: NeighbourSummary | None = None
        self.plot = TopScorePlot(theme)
        self.words = label("", wrap=True)
        self.raw = QCheckBox("Raw scores")
        self.raw.setToolTip("Raw instead of normalised: each similarity on its own scale (Eq. 9, Eq. 10)")
        self.raw.toggled.connect(self.plot.set_raw)
        self.add_control(self.raw)
        self.add_control(show_as_table_button(theme, lambda: "Best scores of all items", self.columns))
        self.body.addWidget(self.words)
        self.body.addWidget(self.plot, 1)

    def set_summary(self, found: NeighbourSummary) -> None:
        """Show another data set or model."""
        self.summary = found
        self.plot.set_summary(found)
        self.words.setText(in_words(found))

    def columns(self) -> Columns:
        """What is drawn, with the weights that took part."""
        return with_weights(self.plot.columns(), None if self.summary is None else self.summary.weights)


def in_words(found: NeighbourSummary) -> str:
    """Shares without a neighbour, and of each side in the hybrid."""
    lines = []
    for top in found.tops:
        name = short_name(top.similarity)
        line = f"{name}: {top.without:,} of {top.items:,} items ({percent(top.without_share)}) have no neighbour"
        if top.median is not None:
            line += f"; median best score {top.median:.4f}, normalised {top.normalised_median:.4f}"
        lines.append(f"{line}.")
    if found.taken is not None:
        total = max(found.items, 1)
        lines.append(
            f"The hybrid takes the model's list for {percent(found.taken['model'] / total)} of the items, the "
            f"memory-based one for {percent(found.taken['memory'] / total)} (Eq. 11)."
        )
    return "\n".join(lines)
