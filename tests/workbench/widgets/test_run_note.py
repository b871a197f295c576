"""The card with a run's tags and note."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench.run_book import RunBook
from workbench.theme import Theme
from workbench.widgets.run_note import RunNote


def test_both_fields_have_a_name_that_is_seen_when_they_are_filled(qtbot: QtBot, theme: Theme) -> None:
    nobody: Any = None
    card = RunNote(theme, RunBook(), nobody)
    qtbot.addWidget(card)
    card.tags.setText("paper, seed sweep")
    card.note.setText("a note")
    card.show()
    names = {found.buddy(): found.text() for found in card.findChildren(QLabel) if found.isVisible() and found.buddy()}
    assert names == {card.tags: "Tags", card.note: "Note"}
