"""Is the positive pair really closer? A user's two views under a run's encoder, beside other users' views (Eq. 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.config import ExperimentConfig, fields_of
from engine.records import PairSimilarities
from workbench.context import Context
from workbench.plots.bar_plot import BarPlot
from workbench.theme import SMALL, SPACE, set_role
from workbench.widgets.cards import Card, label
from workbench.widgets.numbers import percent
from workbench.widgets.parts import PartsBar
from workbench.widgets.pieces import InPieces
from workbench.widgets.run_choice import RunChoice
from workbench.widgets.states import StatefulStack
from workbench.widgets.tables import Columns, show_as_table_button
from workbench.widgets.weights_columns import with_weights

BATCHES = 8
"""Batches that are compared; the numbers then move little."""
_CELLS = 40


class PairsPanel(InPieces):
    """``settings`` gives the draft and the seed when Compare is pressed."""

    def __init__(
        self, context: Context, settings: Callable[[], tuple[ExperimentConfig, int]], *, at_once: bool = True
    ) -> None:
        self.context = context
        self._settings = settings
        super().__init__(at_once=at_once)

    def make(self) -> Iterator[None]:
        context = self.context
        self.found: PairSimilarities | None = None
        self.run = RunChoice(context)
        self.button = QPushButton("Compare the pairs")
        set_role(self.button, "primary")
        self.parts = PartsBar(context)
        theme = context.theme
        self.plot = BarPlot(theme, "Similarities of views", "similarity of two views", "share, %")
        yield
        self.by_pair = BarPlot(theme, "Partner nearest, by operators", "operators of the two views", "ranked first, %")
        yield
        self.words = label("", "muted", wrap=True)
        self.plots = QWidget()
        self.stack = StatefulStack(self.plots, theme)
        self._arrange()
        self.button.clicked.connect(self.compare)
        self.run.run_changed.connect(self.forget)
        self.run.listed.connect(self._runs_listed)
        self.parts.part_done.connect(self._add)
        self.parts.failed.connect(self._failed)
        self.parts.cancelled.connect(self._show_what_is_known)
        self.parts.finished.connect(self._show_what_is_known)
        self.forget()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SMALL)
        for widget in (self.run.caption, self.run, self.button):
            head.addWidget(widget)
        head.setStretchFactor(self.run, 2)
        head.addWidget(self.parts, 1)
        row = QHBoxLayout(self.plots)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        columns: tuple[tuple[BarPlot, Callable[[], Columns]], ...] = (
            (self.plot, lambda: self._with_weights(self.plot.columns())),
            (self.by_pair, self.operator_columns),
        )
        for plot, asked in columns:
            card = Card(plot.accessibleName(), "The outer bars hold the rest." if plot is self.plot else "")
            card.add_control(show_as_table_button(self.context.theme, plot.accessibleName, asked))
            card.body.addWidget(plot)
            row.addWidget(card)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.words)
        layout.addWidget(self.stack, 1)

    @Slot()
    def forget(self, *_: object) -> None:
        """The settings, the run or the data set have changed: what was compared holds no more."""
        self.parts.stop()
        self.found = None
        self._show_what_is_known()

    @Slot()
    def _runs_listed(self) -> None:
        if not self.parts.is_running:
            self._show_what_is_known()

    @Slot()
    def compare(self) -> None:
        """Compare the views of some batches under the chosen run's encoder."""
        config, seed = self._settings()
        function, path = self.context.workspace.augmentations.pairs, self.context.session.dataset
        run = self.run.run
        self.found = None
        self.button.setEnabled(False)
        self.stack.show_loading("Encoding the views …", self.parts.cancel)

        def call(part: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return function, (path, config, "", seed, part, run)

        self.parts.start(BATCHES, call)

    def _add(self, _part: int, found: PairSimilarities | None) -> None:
        if found is not None:
            self.found = found if self.found is None else self.found.plus(found)

    def _failed(self, error: BaseException) -> None:
        self.words.setText("")
        self.button.setEnabled(True)
        self.stack.show_error(error, "Try again", self.compare)

    def _show_what_is_known(self) -> None:
        has_run = bool(self.run.run)
        self.button.setEnabled(has_run)
        if self.found is not None:
            self._draw(self.found)
            self.stack.show_content()
            return
        self.words.setText("")
        if has_run:
            self.stack.show_empty(
                "Nothing is compared with these settings yet",
                "Views of some batches, by operators that the policy draws (Eq. 12), under the run's encoder: is a "
                "user's partner nearer than other users' views?",
                button="Compare the pairs",
                action=self.compare,
            )
        else:
            self.stack.show_empty(
                "This needs a trained run of this data set",
                "The views are compared under its encoder.",
                button="Go to Train",
                action=lambda: self.context.session.open_page("train"),
            )

    def _draw(self, found: PairSimilarities) -> None:
        told = found.summary()
        self.words.setText(
            f"{int(told['users']):,} users; similarity {found.similarity} ({self._represented(found)}). A user's two "
            f"views: {told['positive_mean']:.3f} on average, views of two users: {told['negative_mean']:.3f}. "
            f"The partner is the nearest of all {found.others + 1:,} for {percent(told['first_share'])} of the views "
            f"(by chance {percent(told['chance'])}); its median rank is {told['median_rank']:g}."
            + (f" Encoder: {found.weights.words()}." if found.weights else "")
        )
        both = np.concatenate((found.positives, found.negatives))
        # Dot products have a long tail: the outer cells hold what lies outside the middle 98 %.
        low, high = np.quantile(both, (0.01, 0.99)).tolist()
        edges = np.linspace(low, max(high, low + 1e-6), _CELLS + 1)
        shares = {
            name: 100 * np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(len(values), 1)
            for name, values in (("same user", found.positives), ("other users", found.negatives))
        }
        self.plot.set_bars((edges[:-1] + edges[1:]) / 2, shares)
        rows = found.by_operators()
        ticks = [(float(place), f"{a}{b}") for place, (a, b, _, _) in enumerate(rows)]
        self.by_pair.set_bars(np.arange(len(rows)), {"ranked first": [100 * row[3] for row in rows]}, ticks)

    def _represented(self, found: PairSimilarities) -> str:
        """What stands for a sequence, as Train's form calls it."""
        infos = {info.name: info for info in fields_of(self._settings()[0], "loss")}
        return infos["representation"].choices.get(found.representation, found.representation)

    def operator_columns(self) -> Columns:
        """Users and share ranked first of every pair of operators."""
        rows = () if self.found is None else self.found.by_operators()
        names = ("First", "Second", "Users", "Share ranked first")
        return self._with_weights([(name, [row[index] for row in rows]) for index, name in enumerate(names)])

    def _with_weights(self, columns: Columns) -> Columns:
        """The table, with the weights under which the views were compared."""
        return with_weights(columns, None if self.found is None else self.found.weights)
