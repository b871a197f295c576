"""The card with the length histogram: its K line, the spin box that moves it by keyboard, and its switches."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton

from engine.records import DatasetSummary
from workbench.plots.distribution_plot import LengthPlot, PopularityPlot, tail_in_words
from workbench.theme import SPACE, Theme
from workbench.widgets.cards import label, roomy
from workbench.widgets.choice_box import NumberBox
from workbench.widgets.numbers import percent
from workbench.widgets.plot_card import PlotCard


class LengthCard(PlotCard[LengthPlot]):
    """Histogram, K and the short share; ``k_chosen`` when K is to be used in Train."""

    k_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            theme,
            "Sequence lengths",
            LengthPlot(theme),
            "Bars: training inputs, which K compares. Outline: raw sequences.",
        )
        self.k = NumberBox()
        self.share = label("", "title")
        self.log = QCheckBox("Log users")
        self.tail = QCheckBox("Whole tail")
        self.use = QPushButton("Use K in Train")
        self._summary: DatasetSummary | None = None
        self._arrange(theme)
        self.k.valueChanged.connect(self._k_entered)
        self.plot.k_changed.connect(self.k.setValue)
        self.log.toggled.connect(self.plot.set_log)
        self.tail.toggled.connect(self.plot.set_tail)
        self.use.clicked.connect(lambda: self.k_chosen.emit(self.k.value()))

    def _arrange(self, theme: Theme) -> None:
        self.k.setRange(0, 1_000_000)
        self.k.setValue(self.plot.k)
        roomy(self.k)
        self.k.setAccessibleName("K: training inputs of at most this many items are short")
        self.k.setToolTip("K of Eq. 12: a training input of at most this many items counts as short. Drag the line.")
        self.k.setMinimumWidth(76)
        self.log.setToolTip("Count users on a logarithmic axis")
        self.tail.setToolTip("Show every length, not only those of 99.5 % of the users")
        self.use.setToolTip("Make this K the short length of the next run")
        theme.follow_icon(self.use, "train", "muted")
        self.share.setAccessibleName("Share of short users")
        controls = QHBoxLayout()
        controls.setSpacing(SPACE)
        name = label("K", "section")
        name.setBuddy(self.k)
        for shown in (name, self.k, self.share):
            controls.addWidget(shown)
        controls.addStretch(1)
        for switch in (self.log, self.tail, self.use):
            controls.addWidget(switch)
        self.body.insertLayout(0, controls)

    def set_summary(self, summary: DatasetSummary, k: int) -> None:
        """Show another data set with the line at ``k``."""
        self._summary = summary
        self.k.blockSignals(True)
        self.k.setMaximum(max(len(summary.raw_lengths), k, 1))
        self.k.setValue(k)
        self.k.blockSignals(False)
        self.plot.set_k(k)
        self.plot.set_summary(summary)
        self._show_share()

    def _k_entered(self, k: int) -> None:
        self.plot.set_k(k)
        self._show_share()

    def _show_share(self) -> None:
        if self._summary is not None:
            self.share.setText(f"{percent(self._summary.short_share(self.k.value()))} short")

    def show_k_in_use(self, k: int) -> None:
        """Say whether Train already has this K."""
        is_used = k == self.k.value()
        self.use.setEnabled(not is_used)
        self.use.setText("Train uses this K" if is_used else "Use K in Train")


class PopularityCard(PlotCard[PopularityPlot]):
    """The tail of the items."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Popularity", PopularityPlot(theme), table_title=lambda: "Popularity of the items")

    def set_summary(self, summary: DatasetSummary) -> None:
        """Show another data set."""
        self.plot.set_summary(summary)
        self.say(tail_in_words(summary))
