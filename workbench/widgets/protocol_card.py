"""The protocol card: what leave-one-out makes of this data set, and what that means for the metrics (FACTS F1–F3)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel

from engine.records import DatasetSummary
from workbench.theme import HUGE, SMALL, TIGHT
from workbench.widgets.cards import Card, label
from workbench.widgets.numbers import percent

Row = tuple[str, str, str, str]
"""Caption, number, share of the users, explanation."""
ROWS = 5


def protocol_rows(summary: DatasetSummary) -> list[Row]:
    """The card's rows, in words."""
    users, evaluated = max(summary.users, 1), max(summary.evaluated_users, 1)
    repeated = (
        "Excluding seen items makes each of them a certain miss; scoring seen items 0, as the published code does, "
        "lets them hit."
        if summary.repeated_targets
        else "Excluding seen items costs no user its target."
    )
    cold = (
        "No training input holds this item: a model can only rank it by chance."
        if summary.cold_targets
        else "Every target occurs in some training part."
    )
    short = (
        "Kept for item correlations, left out of training targets and evaluation."
        if summary.too_short_users
        else "Every user has the 4 items that the split needs."
    )
    return [
        (
            "Evaluated users",
            f"{summary.evaluated_users:,}",
            percent(summary.evaluated_users / users),
            "Test target: the last item; validation target: the one before; training input: all but the last three.",
        ),
        ("Too short", f"{summary.too_short_users:,}", percent(summary.too_short_users / users), short),
        (
            "Users with repeats",
            f"{summary.users_with_repeats:,}",
            percent(summary.users_with_repeats / users),
            "An item stands more than once in the sequence.",
        ),
        ("Repeated targets", f"{summary.repeated_targets:,}", percent(summary.repeated_targets / evaluated), repeated),
        ("Cold targets", f"{summary.cold_targets:,}", percent(summary.cold_targets / evaluated), cold),
    ]


class ProtocolCard(Card):
    """Five counts side by side, each with what becomes of it."""

    def __init__(self) -> None:
        super().__init__("Protocol", "Leave-one-out, ranked against all items.")
        self.rows: list[Row] = []
        self._cells: list[tuple[QLabel, QLabel, QLabel, QLabel]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(HUGE)
        grid.setVerticalSpacing(TIGHT)
        for column in range(ROWS):
            caption, number, share = label("", "muted"), label("", "title"), label("", "muted")
            words = label("", "muted", wrap=True)
            words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            line = QHBoxLayout()
            line.setSpacing(SMALL)
            line.addWidget(number)
            line.addWidget(share, 1, Qt.AlignmentFlag.AlignBottom)
            grid.addWidget(caption, 0, column)
            grid.addLayout(line, 1, column)
            grid.addWidget(words, 2, column, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(column, 1)
            self._cells.append((caption, number, share, words))
        grid.setRowStretch(2, 1)
        self.body.addLayout(grid)

    def set_summary(self, summary: DatasetSummary) -> None:
        """Show another data set's counts."""
        self.rows = protocol_rows(summary)
        for cells, row in zip(self._cells, self.rows, strict=True):
            for cell, text in zip(cells, row, strict=True):
                cell.setText(text)
            cells[1].setAccessibleName(f"{row[0]}: {row[1]}, {row[2]}. {row[3]}")
