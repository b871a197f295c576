"""What Compare shows, of which target, against what, and which of the paper's numbers beside."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from engine.records import ComparedChoice, PaperNumbers
from workbench.theme import SMALL, SPACE, WIDE
from workbench.widgets.cards import label
from workbench.widgets.choice_box import ChoiceBox, NameBox

BASELINE_TIP = "What the others are tested against"
PAPER_TIP = "A column of the paper's Table 2 as a line"


class CompareControls(QWidget):
    """``shown``: draw anew what is known. ``asked``: it has to be compared anew."""

    shown = Signal()
    asked = Signal()

    def __init__(self, metrics: Sequence[str]) -> None:
        super().__init__()
        self.metric_box, self.split_box, self.paper = (ChoiceBox() for _ in range(3))
        self.baseline = NameBox()
        for name in metrics:
            self.metric_box.addItem(name, name)
        self.split_box.addItem("Test", "test")
        self.split_box.addItem("Validation", "valid")
        self.paper.addItem("No paper's numbers", "")
        # The box is often narrower than the name.
        self.baseline.currentTextChanged.connect(
            lambda name: self.baseline.setToolTip(f"{name}\n{BASELINE_TIP}" if name else BASELINE_TIP)
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE, 0, WIDE, 0)  # as the cards below
        row.setSpacing(SMALL)
        for caption, box, letters, tip, signal in (
            ("Metric", self.metric_box, 9, "What the plots show", self.shown),
            ("Targets", self.split_box, 9, "Leave-one-out: test or validation", self.asked),
            ("Baseline", self.baseline, 10, BASELINE_TIP, self.asked),
            ("Paper", self.paper, 8, PAPER_TIP, self.shown),
        ):
            text = label(caption, "muted")
            text.setBuddy(box)
            box.setAccessibleName(caption)
            box.setToolTip(tip)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(letters)
            box.activated.connect(lambda _, tell=signal: tell.emit())
            row.addWidget(text)
            row.addWidget(box, letters)

    def offer_baselines(self, groups: Sequence[ComparedChoice]) -> None:
        """The compared groups; what was the baseline stays it, otherwise the first."""
        before = self.baseline.currentData()
        self.baseline.clear()
        for item in groups:
            self.baseline.addItem(item.label, item.run_ids)
        self.baseline.setCurrentIndex(max(self.baseline.findData(before), 0))

    def offer_paper(self, numbers: PaperNumbers) -> None:
        """The columns of Table 2, where the data set is one of the paper's three."""
        before = self.paper.currentData()
        models = list(dict.fromkeys(cell.model for cell in numbers.cells if cell.table == 2))
        self.paper.clear()
        self.paper.addItem("none" if models else "not in the paper", "")
        for model in models:
            self.paper.addItem(model, model)
        self.paper.setCurrentIndex(max(self.paper.findData(before), 0))

    def allow_paper(self, *, is_test: bool) -> None:
        """The paper tells of the test alone."""
        self.paper.setEnabled(self.paper.count() > 1 and is_test)
        self.paper.setToolTip(PAPER_TIP if is_test else "The paper's numbers are of the test, and these of validation")

    @property
    def place_of_baseline(self) -> int:
        """Number of the group that the others are tested against."""
        return max(self.baseline.currentIndex(), 0)
