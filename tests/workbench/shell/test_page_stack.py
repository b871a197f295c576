"""The stack of pages: where the focus goes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from workbench.shell.page_stack import PageStack


def _page() -> tuple[QWidget, QLineEdit]:
    page, field = QWidget(), QLineEdit()
    page.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    QVBoxLayout(page).addWidget(field)
    return page, field


def test_coming_back_to_a_page_goes_on_where_it_was_left(qtbot: QtBot) -> None:
    stack = PageStack()
    qtbot.addWidget(stack)
    (home, _), (train, field) = _page(), _page()
    for page in (home, train):
        stack.add_page(page)
    stack.show()
    stack.show_page(train)
    assert stack.focusWidget() is train
    field.setFocus()
    stack.show_page(home)
    assert stack.focusWidget() is home
    stack.show_page(train)
    assert stack.focusWidget() is field
    stack.show_page(home)
    field.setEnabled(False)  # it cannot take it any more
    stack.show_page(train)
    assert stack.focusWidget() is train
