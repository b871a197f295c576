"""Widgets that are put together in pieces: what Qt sends to one that is not whole yet does it no harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect, QSize
from pytestqt.qtbot import QtBot

from workbench.context import Context
from workbench.pages import PageWidget, pages
from workbench.shell.page_stack import PageStack
from workbench.widgets.lazy import Lazy
from workbench.widgets.pieces import InPieces

SIZES = (QSize(1500, 900), QSize(700, 500))


def put_together(page: PageWidget) -> Iterator[None]:
    """All pieces of a page, and of what it would make only when seen."""
    while page.make_more():
        yield
    for lazy in page.findChildren(Lazy):
        while lazy.make_more():
            yield


@pytest.mark.parametrize("page_id", [page.id for page in pages()])
def test_a_page_may_be_laid_out_and_painted_after_each_piece(qtbot: QtBot, context: Context, page_id: str) -> None:
    # As when the window's picture is taken, or the window resized, while the page behind is being made. An error there
    # ends the program: PySide 6.10 and later give a reference back that is not theirs when one is raised meanwhile.
    stack = PageStack()
    qtbot.addWidget(stack)
    page = next(page for page in pages() if page.id == page_id).build(context, at_once=False)
    stack.add_page(page)
    for number, _ in enumerate(put_together(page)):
        stack.resize(SIZES[number % 2])
        stack.grab(QRect(0, 0, 1, 1))  # raises what methods that Qt calls have raised
    assert page.is_whole


def test_pieces_are_whole_once_nothing_is_left(qtbot: QtBot) -> None:
    class Two(InPieces):
        def make(self) -> Iterator[None]:
            yield
            yield

    two = Two(at_once=False)
    qtbot.addWidget(two)
    assert [two.make_more(), two.is_whole, two.make_more(), two.is_whole] == [True, False, True, False]
    assert [two.make_more(), two.is_whole, two.make_more(), two.is_whole] == [False, True, False, True]
