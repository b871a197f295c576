"""The status bar says what the store does, in words and in its sign."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from engine.errors import StoreError
from workbench.context import Context
from workbench.shell.status_bar import StatusBar
from workbench.theme import Theme


@pytest.fixture
def bar(qtbot: QtBot, context: Context) -> StatusBar:
    made = StatusBar(context, lambda: None, lambda: None)
    qtbot.addWidget(made)
    return made


def sign(bar: StatusBar) -> QImage:
    return bar.saved.icon().pixmap(16, 16).toImage()


def image(theme: Theme, name: str, role: str) -> QImage:
    return theme.icon(name, role).pixmap(16, 16).toImage()


def test_a_store_out_of_reach_has_no_check_mark(bar: StatusBar, context: Context, theme: Theme) -> None:
    assert sign(bar) == image(theme, "check", "muted")
    context.runs.set_trouble(StoreError("the file is not a database."))
    assert bar.saved.text() == "store out of reach"
    assert sign(bar) == image(theme, "alert", "bad")
    theme.choose("dark")
    assert sign(bar) == image(theme, "alert", "bad")
    context.runs.set_trouble(None)
    assert sign(bar) == image(theme, "check", "muted")
