"""The protocol card of one run and its leak check, computed in the engine process when the tab is first seen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from engine.records import LeakFinding, RunProtocolRecord, RunRecord
from workbench.context import Context
from workbench.theme import SMALL, SPACE, WIDE, set_role
from workbench.widgets.cards import clear, scrolled
from workbench.widgets.layout import Card, label
from workbench.widgets.states import StatefulStack

VERDICTS = {
    "clean": ("No leak found", "note"),
    "departure": ("Held-out items are used, though not learned from", "note-warn"),
    "impossible": ("The stored numbers cannot be of one ranking", "note-bad"),
    "leak": ("Held-out items reach training", "note-bad"),
    "unknown": ("Cannot be checked", "note-warn"),
}
SIGNS = {"clean": "✓", "departure": "!", "leak": "✗", "impossible": "✗", "unknown": "?"}
Key = tuple[str, str, str]
"""Run, and what of it can change the card: the device and the versions are known once it trains."""


class RunProtocol(QWidget):
    """Give it runs with `show_record`; it asks for the card once it is visible."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._wanted: Key = ("", "", "")
        self._shown: Key = ("", "", "")
        self._cards: dict[Key, RunProtocolRecord] = {}
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(SPACE, WIDE, WIDE, WIDE)
        self._column.setSpacing(SPACE)
        self.states = StatefulStack(scrolled(inner), context.theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.states)

    def show_record(self, record: RunRecord) -> None:
        """Show this run's card, as soon as somebody looks."""
        self._wanted = (record.id, record.device, str(record.versions))
        if self.isVisible():
            self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def _ask(self) -> None:
        wanted = self._wanted
        if not wanted[0] or wanted == self._shown:
            return
        if wanted in self._cards:
            self._show(wanted, self._cards[wanted])
            return
        if wanted[0] != self._shown[0]:
            self.states.show_loading("Reading the data and looking for leaks …")

        def found(card: RunProtocolRecord) -> None:
            self._cards[wanted] = card
            if wanted == self._wanted:
                self._show(wanted, card)

        self._context.run_in_engine(
            self._context.workspace.protocols.of,
            wanted[0],
            on_result=found,
            on_error=lambda error: self.states.show_error(error, "Try again", self._ask),
            key="run-protocol",
        )

    def _show(self, key: Key, card: RunProtocolRecord) -> None:
        self._shown = key
        clear(self._column)
        while self._column.count():
            self._column.takeAt(0)
        self._column.addWidget(self._leaks(card))
        self._column.addWidget(self._facts(card))
        self._column.addStretch(1)
        self.states.show_content()

    def _leaks(self, card: RunProtocolRecord) -> QFrame:
        title, role = VERDICTS[card.verdict]
        made = Card(
            "Leak check",
            "Counted on the split of this very file: what training reads, place by place. HR bounds how NDCG can rise.",
        )
        made.body.addWidget(label(title, role, wrap=True))
        for finding in card.findings:
            made.body.addWidget(self._finding(finding))
        return made

    @staticmethod
    def _finding(finding: LeakFinding) -> QLabel:
        text = label(f"{SIGNS[finding.verdict]}  {finding.name}: {finding.told}", wrap=True, selectable=True)
        text.setAccessibleName(f"{finding.name}: {finding.verdict}. {finding.told}")
        return text

    @staticmethod
    def _facts(card: RunProtocolRecord) -> QFrame:
        made = Card("Protocol", "Every choice that moves the numbers; runs that differ here are not averaged.")
        grid = QGridLayout()
        grid.setHorizontalSpacing(WIDE)
        grid.setVerticalSpacing(SMALL)
        grid.setColumnStretch(1, 1)
        for row, fact in enumerate(card.facts):
            name, value = label(fact.name, "muted"), label(fact.value, wrap=True, selectable=True)
            for part in (name, value):
                part.setToolTip(f"Source: {fact.source}" if fact.source else "")
            value.setAccessibleName(f"{fact.name}: {fact.value}")
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        made.body.addLayout(grid)
        set_role(made, "card")
        return made
