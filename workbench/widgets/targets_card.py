"""What repeated and cold targets mean for HR and NDCG, under the rule in use and under the others (FACTS F3)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel

from engine.config import ExperimentConfig
from engine.records import TargetCounts
from workbench.theme import HUGE, TIGHT, Theme
from workbench.widgets.cards import Card, label
from workbench.widgets.numbers import percent
from workbench.widgets.tables import Columns, show_as_table_button

NAMES = {"valid": "Validation", "test": "Test"}
HEADS = ("", "Targets", "Repeated", "Cold", "Highest HR, NDCG")
TIPS = (
    "",
    "One a user with at least 4 items",
    "The target is in the user's own history before it",
    "No training part contains the target",
    "The most that a metric can be where seen items are excluded: 1 − repeated / targets",
)
RULES = {
    "exclude": "Seen items excluded",
    "zero": "Seen items scored 0",
    "keep": "Seen items kept",
}
TIES = {
    "optimistic": "takes the best place of the tie: it hits at k where fewer than k unseen items score above 0",
    "pessimistic": "takes the last place of the tie, behind all that the user has seen",
    "mean": "takes the middle place of the tie",
    "id": "stands in the tie by its id, so the numbering of the items moves the metric",
}
CLEAN = {
    "exclude": "the rule takes competitors away and costs no user its target",
    "zero": "seen items compete only with targets that score below 0",
    "keep": "seen items stay competitors, and push targets down where a model repeats what it was given",
}


def meaning(rule: str, ties: str, targets: tuple[TargetCounts, ...]) -> str:
    """What the rule of ``evaluate.seen_items`` makes of these targets, in a sentence or two."""
    valid, test = targets
    if not (valid.repeated or test.repeated):
        return f"No target is in its own history: {CLEAN[rule]}."
    if rule == "exclude":
        return (
            f"A repeated target is never in the list: a certain miss at every k. No model can pass "
            f"{test.highest:.4f} on the test targets and {valid.highest:.4f} on the validation targets."
        )
    if rule == "zero":
        return (
            "The published code's way: a repeated target scores 0 like everything the user has seen, so it "
            f"{TIES[ties]} (ties: {ties}). It can hit, by no merit of the model."
        )
    return (
        "Repeated targets are ranked by their scores like any other item; so are all the other seen items, "
        "which push targets down where a model repeats what it was given."
    )


def cold_meaning(targets: tuple[TargetCounts, ...]) -> str:
    """What cold targets mean, whatever the rule."""
    valid, test = targets
    if not (valid.cold or test.cold):
        return "Every target occurs in some training part."
    return (
        "A model has never been told of a cold item: no neighbour, no count, an embedding that only negatives have "
        f"moved. Nearly certain misses under every rule: {percent(test.cold / max(test.targets, 1), 2)} of the test "
        f"targets, {percent(valid.cold / max(valid.targets, 1), 2)} of the validation targets."
    ).replace(" %", "\u00a0%")


class TargetsCard(Card):
    """A row a split, and a sentence a rule; the rule that Train uses is marked."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Repeated and cold targets", "What they mean for HR@k and NDCG@k, by the rule for seen items.")
        self.targets: tuple[TargetCounts, ...] = ()
        self._cells: list[list[QLabel]] = []
        self.sentences = {rule: label("", "muted", wrap=True) for rule in RULES}
        self.names = {rule: label(name, "section") for rule, name in RULES.items()}
        self.cold = label("", "muted", wrap=True)
        self.add_control(show_as_table_button(theme, lambda: "Repeated and cold targets", self.columns))
        grid = QGridLayout()
        grid.setHorizontalSpacing(HUGE)
        grid.setVerticalSpacing(TIGHT)
        for column, (head, tip) in enumerate(zip(HEADS, TIPS, strict=True)):
            title = label(head, "muted")
            title.setToolTip(tip)
            grid.addWidget(title, 0, column, Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
        for row in (1, 2):
            cells = [label("", "section" if column == 0 else "") for column in range(len(HEADS))]
            for column, cell in enumerate(cells):
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                grid.addWidget(cell, row, column, side)
            self._cells.append(cells)
        grid.setColumnStretch(len(HEADS), 1)
        self.body.addLayout(grid)
        rules = QGridLayout()
        rules.setHorizontalSpacing(HUGE)
        rules.setVerticalSpacing(TIGHT)
        for row, rule in enumerate(RULES):
            rules.addWidget(self.names[rule], row, 0, Qt.AlignmentFlag.AlignTop)
            rules.addWidget(self.sentences[rule], row, 1)
        rules.addWidget(label("Cold items", "section"), len(RULES), 0, Qt.AlignmentFlag.AlignTop)
        rules.addWidget(self.cold, len(RULES), 1)
        rules.setColumnStretch(1, 1)
        self.body.addLayout(rules)

    def set_targets(self, targets: tuple[TargetCounts, ...], config: ExperimentConfig) -> None:
        """Show another data set's counts."""
        self.targets = targets
        for cells, found in zip(self._cells, targets, strict=True):
            total = max(found.targets, 1)
            texts = (
                NAMES[found.split],
                f"{found.targets:,}",
                f"{found.repeated:,}  ({percent(found.repeated / total, 2)})",
                f"{found.cold:,}  ({percent(found.cold / total, 2)})",
                f"{found.highest:.4f}",
            )
            for cell, head, text in zip(cells, HEADS, texts, strict=True):
                cell.setText(text)
                cell.setAccessibleName(f"{texts[0]} {head}: {text}" if head else text)
        self.cold.setText(cold_meaning(targets))
        self.set_rule(config)

    def set_rule(self, config: ExperimentConfig) -> None:
        """Mark the rule that Train uses."""
        if not self.targets:
            return
        for rule, name in RULES.items():
            is_used = config.evaluate.seen_items == rule
            self.names[rule].setText(f"{name} · in use" if is_used else name)
            self.sentences[rule].setText(meaning(rule, config.evaluate.ties, self.targets))

    def columns(self) -> Columns:
        """The counts, for 'Show as table'."""
        return [
            ("Split", [NAMES[found.split] for found in self.targets]),
            ("Targets", [found.targets for found in self.targets]),
            ("Repeated", [found.repeated for found in self.targets]),
            ("Cold", [found.cold for found in self.targets]),
            ("Repeated and cold", [found.repeated_and_cold for found in self.targets]),
            ("Highest HR and NDCG, seen excluded", [found.highest for found in self.targets]),
        ]
