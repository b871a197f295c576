"""The rail: as high as it is given, every page within reach, and its buttons where they always are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QScrollArea, QToolButton
from pytestqt.qtbot import QtBot

from tests.helpers.made_up_pages import add_pages
from workbench.context import Context
from workbench.main_window import MainWindow
from workbench.theme import SMALL

Make = Callable[[int], MainWindow]


@pytest.fixture
def make(qtbot: QtBot, engine_context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[MainWindow] = []

    def window(more: int) -> MainWindow:
        add_pages(monkeypatch, more)
        made.append(MainWindow(engine_context))
        qtbot.addWidget(made[-1])
        made[-1].show_page("home")
        return made[-1]

    yield window
    for item in made:
        item.close_without_asking()


def area(window: MainWindow) -> QScrollArea:
    return window.rail.findChild(QScrollArea)


def buttons(window: MainWindow) -> list[QToolButton]:
    return window.rail.findChildren(QToolButton)


def test_two_more_pages_make_the_window_no_larger_than_a_laptops_screen(qtbot: QtBot, make: Make) -> None:
    window = make(2)
    window.resize(1000, 690)
    window.show()
    for page in window.pages:
        window.show_page(page)
    window.show_dock("log")
    qtbot.waitUntil(lambda: window.docks["log"].isVisible())
    assert window.minimumSizeHint().height() <= 690
    assert (window.width(), window.height()) == (1000, 690)


def test_the_page_that_is_shown_is_in_sight_in_a_low_window(qtbot: QtBot, make: Make) -> None:
    window = make(2)
    window.resize(1000, 560)
    window.show()
    qtbot.waitUntil(area(window).verticalScrollBar().isVisible)
    for page, button in [*zip(window.pages, buttons(window), strict=True)][::-1]:
        window.show_page(page)
        assert button.visibleRegion().boundingRect() == button.rect(), page
    window.resize(1000, 900)
    window.show_page("more-2")
    window.resize(1000, 560)
    assert buttons(window)[-1].visibleRegion().boundingRect() == buttons(window)[-1].rect()


def test_the_scroll_bar_comes_only_where_it_is_needed_and_moves_no_button(qtbot: QtBot, make: Make) -> None:
    window = make(0)
    window.resize(1000, 860)
    window.show()
    bar = area(window).verticalScrollBar()
    assert not bar.isVisible()
    places = [(button.pos(), button.size()) for button in buttons(window)]
    right = window.rail.width() - buttons(window)[0].geometry().right() - 1
    assert (places[0][0].x(), places[0][0].y(), right) == (SMALL, SMALL, SMALL + 1), "the border is one pixel wide"
    window.resize(1000, 470)
    qtbot.waitUntil(bar.isVisible)
    assert [(button.pos(), button.size()) for button in buttons(window)] == places
    assert area(window).horizontalScrollBar().maximum() == 0, "nothing can be moved sideways"


def test_a_tenth_page_has_no_key(make: Make) -> None:
    window = make(4)
    keys = {page: window.table.actions[f"page.{page}"].shortcut().toString() for page in window.pages}
    assert list(keys.values()) == [*(f"Ctrl+{number}" for number in range(1, 10)), "", ""]
    assert [button.toolTip() for button in buttons(window)][-3:] == ["More 2  (Ctrl+9)", "More 3", "More 4"]
