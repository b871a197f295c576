"""The message in place of a content: as high as its text in the width that there is, never twice as high."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from workbench.theme import Theme
from workbench.widgets import states
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


def test_messages_within_messages_are_not_asked_again_and_again(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each level that has a height for its width would ask those below several times: hundreds of times for a page."""
    asked: list[object] = []
    plainly = states._Message.minimumSizeHint
    monkeypatch.setattr(states._Message, "minimumSizeHint", lambda self: asked.append(self) or plainly(self))
    inner: QWidget = QLabel("content")
    for _ in range(4):
        around, beside = QWidget(), QSplitter()
        beside.addWidget(inner)
        column = QVBoxLayout(around)
        column.addWidget(QLabel("head"))
        stack = StatefulStack(beside, Theme("light"))
        beside.addWidget(other := StatefulStack(QLabel("more"), Theme("light")))
        other.show_empty("Nothing here", LONG)
        column.addWidget(stack)
        inner = around
    qtbot.addWidget(inner)
    inner.resize(600, 400)
    inner.grab()
    assert 4 <= len(asked) <= 75


def test_a_page_with_nothing_to_show_asks_for_the_messages_room_only(qtbot: QtBot) -> None:
    wide = QLabel("content")
    wide.setMinimumWidth(900)
    page, part = StatefulStack(wide, Theme("light"), is_page=True), StatefulStack(QLabel("content"), Theme("light"))
    for stack in (page, part):
        qtbot.addWidget(stack)
    assert page.minimumSizeHint().width() >= 900
    page.show_empty("Nothing here", LONG)
    part.show_empty("Nothing here", LONG)
    assert page.minimumSizeHint().width() == part.minimumSizeHint().width()
    page.show_content()
    assert page.minimumSizeHint().width() >= 900


def test_the_picture_goes_before_a_word_is_cut(qtbot: QtBot) -> None:
    dock = QWidget()  # gives what it has, whatever is asked for
    qtbot.addWidget(dock)
    stack = StatefulStack(QLabel("content"), Theme("light"))
    stack.setParent(dock)
    stack.show_empty("Nothing is queued", "Queue a run on the Train page.")
    stack.resize(900, 300)
    dock.resize(900, 300)
    dock.show()
    message = stack._message
    qtbot.waitUntil(message.icon.isVisible)
    for height, has_icon in ((120, False), (300, True), (120, False)):
        stack.resize(900, height)
        qtbot.waitUntil(lambda has_icon=has_icon: message.icon.isVisible() is has_icon)
        for words in (message.title, message.hint):
            qtbot.waitUntil(lambda words=words: words.height() >= words.heightForWidth(words.width()))
