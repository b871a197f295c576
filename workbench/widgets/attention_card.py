"""The card of a run's attention weights: which run, layer and head; the heat map; what has none says so."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from engine.records import Recommendations, RunRecommendation
from workbench.item_models.recommended import LETTERS
from workbench.plots.attention_map import AttentionMap
from workbench.theme import SMALL, SPACE, Theme
from workbench.widgets.cards import label
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.plot_card import PlotCard
from workbench.widgets.states import StatefulStack

MEAN = -1
"""Data of the entry that averages over all layers or heads."""


class AttentionCard(QWidget):
    """Give it what the engine has found with `show_found`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.found: Recommendations | None = None
        self.run_box, self.layer_box, self.head_box = ChoiceBox(), ChoiceBox(), ChoiceBox()
        self.map = AttentionMap(theme)
        self.card = PlotCard(theme, "Attention over the history", self.map, " ", self._title)
        self.stack = StatefulStack(self.card, theme)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SMALL)
        for caption, box, tip in (
            ("Run", self.run_box, "Whose attention is shown"),
            ("Layer", self.layer_box, "Self-attention block, the first sees the items themselves (§3.2)"),
            ("Head", self.head_box, "Attention head; the mean is over all of them"),
        ):
            text = label(caption, "muted")
            text.setBuddy(box)
            box.setAccessibleName(f"Attention: {caption.lower()}")
            box.setToolTip(tip)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(4)
            row.addWidget(text)
            row.addWidget(box, 3 if box is self.run_box else 1)
        self.run_box.activated.connect(lambda _: self._show_run())
        for box in (self.layer_box, self.head_box):
            box.activated.connect(lambda _: self._draw())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(row)
        layout.addWidget(self.stack, 1)

    @property
    def run(self) -> RunRecommendation | None:
        """The run whose attention is chosen."""
        place = self.run_box.currentIndex()
        return self.found.runs[place] if self.found is not None and 0 <= place < len(self.found.runs) else None

    def show_found(self, found: Recommendations, names: Sequence[str]) -> None:
        """Show another user or other runs; a run that has attention is chosen, where there is one."""
        before = self.run.run if self.run is not None else ""
        self.found = found
        with QSignalBlocker(self.run_box):
            self.run_box.clear()
            for letter, name in zip(LETTERS, names, strict=False):
                self.run_box.addItem(f"{letter} · {name}")
            ids = [run.run for run in found.runs]
            able = next((place for place, run in enumerate(found.runs) if run.has_attention), 0)
            self.run_box.setCurrentIndex(ids.index(before) if before in ids else able)
        self._show_run()

    def _show_run(self) -> None:
        run = self.run
        if run is None:
            return
        self.layer_box.setEnabled(run.has_attention)
        self.head_box.setEnabled(run.has_attention)
        if not run.has_attention:
            self.stack.show_empty(
                f"{run.model} has no attention weights",
                "Transformers have them: SASRec, CL4SRec, CoSeRec, BERT4Rec.",
                "info",
            )
            return
        if run.attention is None:
            self.stack.show_loading("Asking for the attention weights …")
            return
        for box, word, many in (
            (self.layer_box, "Layer", run.attention.layers),
            (self.head_box, "Head", run.attention.heads),
        ):
            with QSignalBlocker(box):
                before = box.currentData()
                box.clear()
                box.addItem("Mean", MEAN)
                for number in range(many):
                    box.addItem(f"{word} {number + 1}", number)
                box.setCurrentIndex(max(box.findData(before), 0))
        self._draw()

    def _draw(self) -> None:
        run = self.run
        if run is None or run.attention is None:
            return
        layer, head = (
            None if box.currentData() == MEAN else box.currentData() for box in (self.layer_box, self.head_box)
        )
        self.map.set_weights(run.attention, layer, head)
        seen = "each row sees its own and earlier items" if run.attention.is_causal else "each row sees all items"
        last = "the last row ranks the next item" if run.attention.is_causal else "the mask in the last row is ranked"
        self.card.subtitle.setText(
            f"The stronger the colour, the more: full at {self.map.full:.3f}. Rows sum to 1; {seen}; {last}."
        )
        self.card.subtitle.show()
        self.stack.show_content()

    def _title(self) -> str:
        user = self.found.user if self.found is not None else ""
        chosen = [
            f"mean over {many}" if box.currentData() == MEAN else box.currentText().lower()
            for box, many in ((self.layer_box, "layers"), (self.head_box, "heads"))
        ]
        return f"Attention, user {user}, {', '.join(chosen)}"
