"""One run's list for a user, and the user's history: cards that stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QVBoxLayout, QWidget

from engine.records import Recommendations, RunRecommendation
from workbench.item_models.recommended import (
    HISTORY_COLUMNS,
    LETTERS,
    LIST_COLUMNS,
    TARGET,
    listed,
    newest_first,
    rank_text,
)
from workbench.item_models.rows import Column, RowsModel
from workbench.item_names import item_name
from workbench.theme import SMALL, SPACE, Theme
from workbench.widgets.bar_delegate import BarDelegate
from workbench.widgets.cards import Card, Elided, SideBySide, label
from workbench.widgets.numbers import count
from workbench.widgets.row_list import RowList

HISTORY_WIDTH, LIST_WIDTH, FULL_WIDTH = 180, 270, 380
"""Pixels: the least of a card, and from where on a score has room for a bar beside its number."""
PLACE, TITLE, SCORE = range(3)
SCORE_FULL, SCORE_NARROW = 130, 66
SEEN_WORDS = {"exclude": "seen items left out", "zero": "seen items score 0", "keep": "seen items ranked too"}
"""``evaluate.seen_items`` in a few words (FACTS F3)."""


class ListCard(QWidget):
    """A titled table with a line or two above it."""

    def __init__(self, name: str, columns: Sequence[Column], least: int) -> None:
        super().__init__()
        self.model = RowsModel(columns)
        self.view = RowList()
        self.name = Elided(name, "title", Qt.TextElideMode.ElideMiddle)
        self.facts = label("", wrap=True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details = label("", "muted", wrap=True)
        self.notes = label("", "note", wrap=True)
        for part in (self.details, self.notes):
            part.hide()
        self.view.setModel(self.model)
        self.view.setAccessibleName(name)
        header = self.view.horizontalHeader()
        header.setMinimumSectionSize(24)
        for column in range(len(columns)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        card = Card()
        card.body.setSpacing(SMALL)
        for part in (self.name, self.facts, self.details, self.notes):
            card.body.addWidget(part)
        card.body.addWidget(self.view, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        self.setMinimumWidth(least)

    def show_rows(self, rows: Sequence[object], current: int = -1) -> None:
        """Show other rows, with the cursor on row ``current``; a focus that was in the list stays in it."""
        had_focus = self.view.hasFocus()
        self.model.set_rows(rows)
        if current >= 0 or (had_focus and rows):
            self.view.setCurrentIndex(self.model.index(max(current, 0), 0))
        self.view.scrollToTop()
        if had_focus:
            self.view.setFocus()


class HistoryCard(ListCard):
    """What the user had chosen before the target, the newest first, and the target itself."""

    def __init__(self) -> None:
        super().__init__("History", HISTORY_COLUMNS, HISTORY_WIDTH)
        self.view.setAccessibleName("The user's history, newest first")

    def show_user(self, found: Recommendations) -> None:
        """Show another user."""
        split = "Test" if found.split == "test" else "Validation"
        self.facts.setText(f"{TARGET} {split} target: {item_name(found.target.item, found.target.title)}")
        self.facts.setToolTip(
            f"Item {found.target.item}: {'the last' if found.split == 'test' else 'the last but one'} of the user's "
            "items, which leave-one-out holds out"
        )
        self.facts.setAccessibleName(self.facts.text())
        self.show_rows(newest_first(found.history))


class RecommendedListCard(ListCard):
    """``letter`` is what the run is called wherever it stands beside others."""

    def __init__(self, theme: Theme, letter: str) -> None:
        super().__init__(letter, LIST_COLUMNS, LIST_WIDTH)
        self.letter = letter
        self.view.setItemDelegateForColumn(SCORE, BarDelegate(theme, self.view))
        self.view.horizontalHeader().setSectionResizeMode(SCORE, QHeaderView.ResizeMode.Interactive)

    def show_run(self, run: RunRecommendation, name: str) -> None:
        """Show a run's list; ``name`` is what the window calls the run."""
        self.name.set_full(f"{self.letter} · {name}")
        self.view.setAccessibleName(f"List of run {self.letter}, {name}")
        self.facts.setText(f"{TARGET} Target's rank {rank_text(run.rank)} of {run.candidates:,}")
        self.facts.setToolTip(f"From 1, as the run's own evaluation ranked; ties: {run.ties}")
        self.facts.setAccessibleName(self.facts.text())
        self.details.setText(" · ".join(self._details(run)))
        self.details.setToolTip(
            "The weights of the best validation epoch (§5.1.4); seen items as in the run's own evaluation"
        )
        self.details.show()
        self.notes.setText("\n".join(run.notes))
        self.notes.setVisible(bool(run.notes))
        places = [place for place, row in enumerate(run.items) if row.is_target]
        self.show_rows(listed(run), places[0] if places else -1)

    @staticmethod
    def _details(run: RunRecommendation) -> list[str]:
        facts = []
        if run.epoch is not None:
            facts.append(f"best epoch {run.epoch}")
        facts.append(f"sees the last {count(run.inputs, 'item')}" if run.inputs else "sees no history")
        facts.append(SEEN_WORDS.get(run.seen_items, run.seen_items))
        return facts

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = SCORE_FULL if self.width() >= FULL_WIDTH else SCORE_NARROW
        self.view.horizontalHeader().resizeSection(SCORE, width)


class ListsBeside(SideBySide):
    """The history and up to three lists."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(above=SPACE)
        self.history = HistoryCard()
        self.cards = [RecommendedListCard(theme, letter) for letter in LETTERS]
        self.add(self.history, 2)
        for card in self.cards:
            self.add(card, 3)

    def show_found(self, found: Recommendations, names: Sequence[str]) -> None:
        """Show a user's history and lists; ``names`` of the runs, in their order."""
        self.history.show_user(found)
        for place, card in enumerate(self.cards):
            card.setVisible(place < len(found.runs))
            if place < len(found.runs):
                card.show_run(found.runs[place], names[place])
