"""Keys of the window: whose they are while a menu has been read, and while a field is written in."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.helpers.fake_data import fill_runs
from tests.helpers.fake_runs import FakeRuns
from workbench.context import Context
from workbench.main_window import MainWindow


@pytest.fixture
def context(engine_context: Context) -> Context:
    return engine_context


def test_a_closed_menu_gives_the_keyboard_back(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    """While the menu bar has it, Alt+3 would be that of every page that has been made."""
    if QGuiApplication.platformName() == "offscreen":
        pytest.skip("the focus needs a real window manager: run with DISPLAY and QT_QPA_PLATFORM=xcb")
    fill_runs(runs)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for name in ("compare", "runs"):
        window.show_page(name)
    page = window.page_widget("runs")
    window.backstage.feed.start()
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.table.setFocus()
    bar = window.menuBar()
    entry = next(action for action in bar.actions() if action.text().replace("&", "") == "Runs")
    menu = entry.menu()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(entry).center())
    qtbot.waitUntil(menu.isVisible)
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not menu.isVisible() and window.focusWidget() is page.table)
    qtbot.keyClick(page.table, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert page.tabs.tabText(page.tabs.currentIndex()) == "Curves"


def test_keys_of_the_runs_page_work_in_it_and_not_in_its_filter(
    qtbot: QtBot, window: MainWindow, runs: FakeRuns
) -> None:
    if QGuiApplication.platformName() == "offscreen":
        pytest.skip("the focus needs a real window manager: run with DISPLAY and QT_QPA_PLATFORM=xcb")
    fill_runs(runs)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.show_page("runs")
    page = window.page_widget("runs")
    window.backstage.feed.start()
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.table.select("r0001")
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert "r0001" in page.model.ticked
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert "r0001" not in page.model.ticked
    qtbot.keyClick(page.table, Qt.Key.Key_L)
    assert window.docks["log"].isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.filter.hasFocus()
    qtbot.keyClicks(page.filter, "la ")
    assert page.filter.text() == "la "
    assert window.docks["log"].isVisible()
