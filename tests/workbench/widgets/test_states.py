"""The message in place of a content: as high as its text in the width that there is, never twice as high."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from workbench.theme import Theme
from workbench.widgets.states import StatefulStack

LONG = "A hint of several lines in a narrow part of a page, and of one line where there is room for it to be read."


def test_a_message_asks_for_the_height_of_its_text_in_its_width(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    stack = StatefulStack(QLabel("content"), Theme("light"))
    column.addWidget(stack)
    page.resize(800, 500)
    page.show()
    stack.show_empty("Nothing here", LONG, "empty", "Do something", lambda: None)
    qtbot.waitUntil(lambda: stack.currentWidget().isVisible() and stack.currentWidget().width() > 700)
    wide = stack.minimumSizeHint().height()
    page.resize(230, 500)
    qtbot.waitUntil(lambda: stack.minimumSizeHint().height() > wide)
    message = stack.currentWidget()
    assert message is not None
    texts = [label for label in message.findChildren(QLabel) if label.isVisible()]
    assert all(label.height() >= label.heightForWidth(label.width()) for label in texts)
    page.resize(800, 500)
    qtbot.waitUntil(lambda: stack.minimumSizeHint().height() == wide)
