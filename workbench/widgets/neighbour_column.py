"""One similarity's neighbours of an item: a card that stands beside the other similarities' cards."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QVBoxLayout, QWidget

from engine import registry
from engine.records import NeighbourColumn, NeighbourRecord
from workbench.item_models.rows import Column, RowsModel
from workbench.item_names import item_name
from workbench.theme import SMALL, Theme
from workbench.widgets.bar_delegate import BarDelegate
from workbench.widgets.cards import Card, Elided, label
from workbench.widgets.row_list import RowList
from workbench.widgets.states import StatefulStack

LEAST_WIDTH, TITLE_WIDTH = 300, 140
"""Pixels of a card, and of a title as far as it is that long: titles go first. Where there is no room beside them, a
neighbour's tip says its raw score and how many users share and have it."""
NORMALISED_FULL, NORMALISED_NARROW = 104, 66
_AROUND = 36
"""The card's margins and the list's frame."""
RANK, TITLE, SCORE, NORMALISED, SHARED, USERS = range(6)
COMMON = "●"


def short_name(similarity: str) -> str:
    """What a similarity is called where there is little room."""
    entry = registry.entry("similarity", similarity)
    return str(entry.facts["short"])


class Ranked(NamedTuple):
    """A neighbour with its place, from 1, whether another column has it too, and its score beside the first one's."""

    rank: int
    of: NeighbourRecord
    is_common: bool
    share: float


def _title(row: Ranked) -> str:
    return item_name(row.of.item, row.of.title)


COLUMNS = (
    Column(
        "#",
        lambda row: row.rank,
        lambda row: f"{COMMON} {row.rank}" if row.is_common else f"{row.rank}",
        tip=f"Place; {COMMON} another column has it too",
    ),
    Column(
        "Neighbour",
        _title,
        about=lambda row: (
            f"{_title(row)} (item {row.of.item}): raw score {row.of.score:.4f}; "
            f"{row.of.shared_users:,} users have both items, {row.of.users:,} have this one"
        ),
    ),
    Column("Score", lambda row: row.of.score, lambda row: f"{row.of.score:.4f}", tip="Raw correlation"),
    Column(
        "Norm.",
        lambda row: row.of.normalised,
        lambda row: f"{row.of.normalised:.4f}",
        lambda row: row.share,
        "Normalised: min-max over all pairs, 0…1: what the hybrid compares (Eq. 11). The bar is relative to the best",
    ),
    Column("Shared", lambda row: row.of.shared_users, tip="Users who have both items"),
    Column("Users", lambda row: row.of.users, tip="Users who have the neighbour: its popularity"),
)


class NeighbourColumnCard(QWidget):
    """``walked`` with the id of a neighbour that was clicked or taken with Return."""

    walked = Signal(str)

    def __init__(self, theme: Theme, similarity: str, title: str, tip: str) -> None:
        super().__init__()
        self.similarity = similarity
        self.model = RowsModel(COLUMNS)
        self.view = RowList()
        self.name = Elided(short_name(similarity), "title")
        self.name.setToolTip(tip)
        self.note = label("", "note", wrap=True)
        self.stack = StatefulStack(self._content(theme, title), theme)
        card = Card()
        card.body.setSpacing(SMALL)
        card.body.addWidget(self.name)
        card.body.addWidget(self.stack, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        self.setMinimumWidth(LEAST_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._needs: list[int] = []
        """What each column would take, measured once for the rows that are shown."""
        self.model.modelReset.connect(self._needs.clear)
        self.view.activated.connect(self._walk)
        self.view.clicked.connect(self._walk)

    def _content(self, theme: Theme, title: str) -> QWidget:
        self.view.setModel(self.model)
        self.view.setAccessibleName(f"Neighbours: {title}")
        self.view.setToolTip("Click a neighbour, or press Return on it, to see its own neighbours")
        self.view.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.view.setItemDelegateForColumn(NORMALISED, BarDelegate(theme, self.view))
        header = self.view.horizontalHeader()
        header.setMinimumSectionSize(36)
        for column in range(len(COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(NORMALISED, QHeaderView.ResizeMode.Interactive)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addWidget(self.note)
        layout.addWidget(self.view, 1)
        return content

    def show_column(self, column: NeighbourColumn, common: Collection[str]) -> None:
        """Show what the engine has found; ``common`` are ids that more than one similarity found."""
        had_focus = self.view.hasFocus()
        best = max((of.normalised for of in column.neighbours), default=0.0) or 1.0
        rows = [
            Ranked(rank, of, of.item in common, float(of.normalised / best))
            for rank, of in enumerate(column.neighbours, 1)
        ]
        self.model.set_rows(rows)
        self.note.setText(column.note)
        self.note.setVisible(bool(column.note))
        self.view.setVisible(bool(rows))
        self.stack.show_content()
        self._fit()
        if rows:
            self.view.setCurrentIndex(self.model.index(0, RANK))
            self.view.scrollToTop()
            if had_focus:
                self.view.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show as many columns as leave titles their room."""
        view, header = self.view, self.view.horizontalHeader()
        if not self._needs:
            self._needs += [max(view.sizeHintForColumn(n), header.sectionSizeHint(n)) for n in range(len(COLUMNS))]
        needs = self._needs
        room = self.width() - _AROUND - needs[RANK] - NORMALISED_NARROW - min(needs[TITLE], TITLE_WIDTH)
        has_score = room >= needs[SCORE]
        room -= needs[SCORE]
        has_users = room >= needs[SHARED] + needs[USERS]
        room -= needs[SHARED] + needs[USERS]
        is_wide = room >= NORMALISED_FULL - NORMALISED_NARROW
        for column, is_shown in ((SCORE, has_score), (SHARED, has_users), (USERS, has_users)):
            view.setColumnHidden(column, not is_shown)
        header.resizeSection(NORMALISED, NORMALISED_FULL if is_wide else NORMALISED_NARROW)

    def _walk(self, index: QModelIndex) -> None:
        item = self.model.rows[index.row()].of.item
        if not item.startswith("["):  # the padding and mask rows are no items
            self.walked.emit(item)
