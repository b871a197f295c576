"""What the policy makes of all users, and how that depends on where correlated items come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.api.augmentations import PART
from engine.config import ExperimentConfig
from engine.records import AugmentationEffect
from workbench.context import Context
from workbench.plots.bar_plot import BarPlot
from workbench.theme import SMALL, SPACE, set_role
from workbench.widgets.cards import Card, label, scrolled
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.numbers import percent, signed
from workbench.widgets.parts import PartsBar
from workbench.widgets.pieces import InPieces
from workbench.widgets.run_choice import RunChoice
from workbench.widgets.states import StatefulStack
from workbench.widgets.tables import Columns, show_as_table_button
from workbench.widgets.weights_columns import weights_columns, with_weights

SOURCES = (("memory", "Memory-based, as set"), ("hybrid", "Hybrid (Eq. 11)"), ("model", "Model-based (Eq. 10)"))


class EffectPanel(InPieces):
    """``settings`` gives the draft and the seed when Count is pressed."""

    def __init__(
        self, context: Context, settings: Callable[[], tuple[ExperimentConfig, int]], *, at_once: bool = True
    ) -> None:
        self.context = context
        self._settings = settings
        super().__init__(at_once=at_once)

    def make(self) -> Iterator[None]:
        context = self.context
        self._path = ""
        self._is_wanted = False
        self._counting = "memory"
        self.found: dict[str, AugmentationEffect] = {}
        """What was counted with these settings, by source."""
        self.source = ChoiceBox()
        for name, text in SOURCES:
            self.source.addItem(text, name)
        self.source.setAccessibleName("Correlation source")
        self.source.setToolTip("Where Substitute and Insert find correlated items (§4.1.3)")
        self.run = RunChoice(context)
        self.button = QPushButton("Count all users")
        set_role(self.button, "primary")
        self.parts = PartsBar(context)
        theme = context.theme
        self.shift = BarPlot(theme, "Change of length", "view length − training input length, items", "views")
        yield
        self.kept = BarPlot(theme, "Items kept", "share of the items kept, %", "views")
        yield
        self.overlap = BarPlot(theme, "Overlap", "overlap of a user's two views (Jaccard of items), %", "users")
        yield
        self.drawn = BarPlot(theme, "Operators drawn", "operator", "views")
        yield
        self.words = label("", "muted", wrap=True)
        self.plots = QWidget()
        # The plots scroll by themselves where the screen is small: users and settings stay in sight.
        self.stack = StatefulStack(scrolled(self.plots), theme)
        self._arrange()
        self.button.clicked.connect(self.count)
        self.source.currentIndexChanged.connect(self._source_changed)
        self.run.run_changed.connect(self._run_changed)
        self.run.listed.connect(self._runs_listed)
        self.parts.part_done.connect(self._add)
        self.parts.failed.connect(self._failed)
        self.parts.cancelled.connect(self._cancelled)
        self.parts.finished.connect(self._finished)
        self.forget()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SMALL)
        caption = label("Source", "muted")
        caption.setBuddy(self.source)
        for widget in (caption, self.source, self.run.caption, self.run, self.button):
            head.addWidget(widget)
        head.setStretchFactor(self.run, 2)
        head.addWidget(self.parts, 1)
        self.as_table = show_as_table_button(self.context.theme, lambda: "Effect by source", self.comparison)
        head.addWidget(self.as_table)
        grid = QGridLayout(self.plots)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE)
        for index, plot in enumerate((self.shift, self.kept, self.overlap, self.drawn)):
            card = Card(plot.accessibleName(), "The middle 98 %; the table has all." if plot is self.shift else "")
            card.add_control(show_as_table_button(self.context.theme, plot.accessibleName, self._table_of(plot)))
            card.body.addWidget(plot)
            grid.addWidget(card, index // 2, index % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(self.words)
        layout.addWidget(self.stack, 1)

    # --- what is asked

    def forget(self) -> None:
        """The settings or the data set have changed: what was counted holds no more."""
        self.parts.stop()
        self._is_wanted = False
        self.found = {}
        self._show_what_is_known()

    @property
    def chosen(self) -> str:
        return str(self.source.currentData())

    @Slot()
    def count(self) -> None:
        """Count all users with the source chosen."""
        self.found.pop(self.chosen, None)
        self._path = self.context.session.dataset
        self.button.setEnabled(False)
        self._is_wanted = True
        self.words.setText("")
        self.stack.show_loading("Counting the users …", self.cancel)
        self.context.run_in_engine(
            self.context.workspace.augmentations.users_to_count,
            self._path,
            on_result=self._start,
            on_error=self._failed,
            key=(id(self), "users"),
        )

    @Slot()
    def cancel(self) -> None:
        """End the count, also while it only begins."""
        self._is_wanted = False
        self.parts.cancel()
        self._show_what_is_known()

    def _start(self, users: int) -> None:
        if not self._is_wanted:
            return  # cancelled, or the settings have changed
        config, seed = self._settings()
        source = self._counting = self.chosen
        run = "" if source == "memory" else self.run.run
        function = self.context.workspace.augmentations.effect
        path = self._path

        def call(part: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return function, (path, config, seed, source, "", part * PART, PART, run)

        self.parts.start(max(1, -(-users // PART)), call)

    def _add(self, _part: int, found: AugmentationEffect) -> None:
        before = self.found.get(found.source)
        self.found[found.source] = found if before is None else before.plus(found)

    # --- what is shown

    def _cancelled(self) -> None:
        self.found.pop(self._counting, None)  # what was counted so far is not all users
        self._show_what_is_known()

    def _finished(self) -> None:
        self._show_what_is_known()

    def _source_changed(self, *_: object) -> None:
        if self.parts.is_running:
            self.found.pop(self._counting, None)  # what was counted so far is not all users
        self.parts.stop()
        self._is_wanted = False
        self._show_what_is_known()

    def _run_changed(self, *_: object) -> None:
        if self.chosen != "memory" and not self.parts.is_running:
            self.found.pop(self.chosen, None)
            self._show_what_is_known()

    @Slot()
    def _runs_listed(self) -> None:
        if not self.parts.is_running and not self._is_wanted:
            self._show_what_is_known()

    def _failed(self, error: BaseException) -> None:
        self.found.pop(self._counting, None)
        self.as_table.setEnabled(bool(self.found))
        self.words.setText("")
        self.button.setEnabled(True)
        self.stack.show_error(error, "Try again", self.count)

    def _show_what_is_known(self) -> None:
        needs_run = self.chosen != "memory"
        self.run.setVisible(needs_run)
        self.run.caption.setVisible(needs_run)
        can_count = not needs_run or bool(self.run.run)
        self.button.setEnabled(can_count)
        self.as_table.setEnabled(bool(self.found))
        found = self.found.get(self.chosen)
        if found is not None:
            self._draw(found)
            self.stack.show_content()
            return
        self.words.setText("")
        if can_count:
            self.stack.show_empty(
                "Nothing is counted with these settings yet",
                "Two views of every user, made by the training code with operators that the policy draws (Eq. 12): "
                "lengths, items kept, overlap, operators.",
                button="Count all users",
                action=self.count,
            )
        else:
            self.stack.show_empty(
                "This source needs a trained run of this data set",
                "Its correlations follow the run's item embeddings (Eq. 10).",
                button="Go to Train",
                action=lambda: self.context.session.open_page("train"),
            )

    def _draw(self, found: AugmentationEffect) -> None:
        means = found.means()
        users = int(found.users.sum())
        differing = ""
        if found.source != "memory" and found.differing is not None and found.looked_up:
            differing = f" {percent(found.differing / found.looked_up)} are other items than memory-based."
        if found.weights is not None:
            differing += f" Embeddings: {found.weights.words()}."
        self.words.setText(
            f"{users:,} users, {percent(found.short_share)} on the short branch. A view's length changes by "
            f"{signed(means['length_shift'])} items on average, and it keeps {percent(means['kept'])}; a user's two "
            f"views share {percent(means['overlap'])} of their items. {found.looked_up:,} items were looked up, of "
            f"mean correlation {means['score']:.3f}, {percent(means['stand_in_share'])} of them random stand-ins."
            + differing
        )
        used = np.flatnonzero(found.shifts.sum(0))
        low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 1)
        share = np.cumsum(found.shifts.sum(0)) / max(2 * users, 1)
        middle = (float(np.searchsorted(share, 0.01)), float(np.searchsorted(share, 0.99)))
        view = (middle[0] - found.SPAN, middle[1] - found.SPAN)
        self.shift.set_bars(np.arange(low, high) - found.SPAN, _branches(found.shifts[:, low:high]), view=view)
        shares = np.arange(found.BINS) * 5
        self.kept.set_bars(shares, _branches(found.kept))
        self.overlap.set_bars(shares, _branches(found.overlap))
        places = np.arange(len(found.letters))
        ticks = list(zip(places.astype(float).tolist(), found.letters, strict=True))
        self.drawn.set_bars(places, _branches(found.operators), ticks)

    def comparison(self) -> Columns:
        """One row a source that was counted."""
        rows = list(self.found.values())
        means = [found.means() for found in rows]
        return [
            ("Source", [found.source for found in rows]),
            ("Users", [int(found.users.sum()) for found in rows]),
            ("Looked-up items", [found.looked_up for found in rows]),
            ("Other than memory-based", ["unknown" if f.differing is None else f.differing for f in rows]),
            ("Mean correlation", [mean["score"] for mean in means]),
            ("Random stand-ins", [found.stand_ins for found in rows]),
            ("Left for want of a neighbour", [found.unmatched for found in rows]),
            ("Items kept", [mean["kept"] for mean in means]),
            ("Overlap (Jaccard)", [mean["overlap"] for mean in means]),
            *weights_columns([found.weights for found in rows]),
        ]

    def _table_of(self, plot: BarPlot) -> Callable[[], Columns]:
        """What is behind a plot, with the weights where the source has some."""

        def columns() -> Columns:
            found = self.found.get(self.chosen)
            return with_weights(plot.columns(), None if found is None else found.weights)

        return columns


def _branches(counts: Any) -> dict[str, Any]:
    return {"short": counts[0], "long": counts[1]}
