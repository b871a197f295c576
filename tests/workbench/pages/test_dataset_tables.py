"""Dataset: users, items, a user's sequence, times and targets; by keyboard; with K; and what fails."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from engine.errors import UsageError
from tests.helpers.fake_engine import LENGTHS, FakeDatasets
from workbench.context import Context
from workbench.pages.dataset import PAGE, DatasetPage
from workbench.widgets.cards import Card
from workbench.widgets.filter_table import FilterTable
from workbench.widgets.states import StatefulStack
from workbench.widgets.tables import TableWindow


@pytest.fixture
def data(shop: Context) -> FakeDatasets:
    return shop.workspace.datasets  # type: ignore[return-value]


@pytest.fixture
def page(qtbot: QtBot, shop: Context, data: FakeDatasets) -> DatasetPage:
    made = PAGE.build(shop)
    assert isinstance(made, DatasetPage)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    return made


def opened(qtbot: QtBot, page: DatasetPage, tab: str = "users") -> DatasetPage:
    page.page_shown()
    qtbot.waitUntil(lambda: page.details is not None)
    page.show_tab(tab)
    return page


def first_column(table: FilterTable) -> list[str]:
    return [table.model.index(row, 0).data() for row in range(table.model.rowCount())]


def asked_pages(shop: Context) -> list[tuple[str, Any]]:
    asked: list[tuple[str, Any]] = []
    shop.session.page_requested.connect(lambda name, state: asked.append((name, state)))
    return asked


def test_users_are_filtered_as_one_types_and_counted(qtbot: QtBot, page: DatasetPage) -> None:
    table = opened(qtbot, page).users.table
    assert first_column(table) == [str(n) for n in range(1, 13)]
    assert table.found.full == "12 users"
    qtbot.keyClicks(table.field, "length>=20")
    assert first_column(table) == ["11", "12"]
    assert table.found.full == "2 of 12 users"
    table.field.setText("length>=9999")
    assert table.found.full == "None of 12 users: clear the filter (Esc)"
    qtbot.keyClick(table.field, Qt.Key.Key_Escape)
    assert table.model.rowCount() == 12


def test_a_filter_that_is_wrong_is_said_at_the_field(qtbot: QtBot, page: DatasetPage) -> None:
    table = opened(qtbot, page).users.table
    table.field.setText("lenth>3")
    assert table.problem.text().startswith("There is no column 'lenth'. Columns: user, length, input, short,")
    assert table.problem.isVisible()
    assert table.field.property("wrong") is True
    table.field.setText("length>30")
    assert not table.problem.isVisible()
    assert table.field.property("wrong") is False
    assert first_column(table) == ["12"]


def test_ready_made_filters_write_themselves_into_the_field(qtbot: QtBot, page: DatasetPage) -> None:
    table = opened(qtbot, page).users.table
    table._use_ready_made(table.ready_made.findText("With repeats"))
    assert table.field.text() == "repeats>0"
    assert first_column(table) == ["12"]  # 40 actions on 29 items
    table.field.setText("repeats>1")
    assert table.ready_made.currentIndex() == -1


def test_s_sorts_by_the_cursors_column_and_the_cursor_stays_on_its_user(qtbot: QtBot, page: DatasetPage) -> None:
    table = opened(qtbot, page).users.table
    qtbot.keyClick(table.field, Qt.Key.Key_Down)
    assert table.view.hasFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_S, Qt.Key.Key_S):
        qtbot.keyClick(table.view, key)
    assert table.model.sorted_by == ("length", True)
    assert first_column(table)[:2] == ["12", "11"]
    assert table.view.currentIndex().siblingAtColumn(0).data() == "2"
    qtbot.keyClick(table.view, Qt.Key.Key_S)
    assert first_column(table)[:2] == ["1", "2"]


def test_orders_come_back(qtbot: QtBot, page: DatasetPage) -> None:
    page.restore_state({"orders": {"users": ["length", True], "items": [3], "more": 1}})
    assert page.save_state()["orders"] == {"users": ["length", True]}
    table = opened(qtbot, page).users.table
    assert first_column(table)[:2] == ["12", "11"]
    table.sort_next(0)
    assert page.save_state()["orders"] == {"users": ["user", False]}
    page.restore_state({"orders": "nonsense"})


def test_the_cursor_shows_the_users_sequence_with_its_split(qtbot: QtBot, page: DatasetPage) -> None:
    opened(qtbot, page).users.table.view.setCurrentIndex(page.users.table.model.index(4, 0))
    panel = page.users.panel
    qtbot.waitUntil(lambda: panel.sequence is not None)
    assert panel.sequence is not None
    assert (panel.title.text(), panel.sequence.user) == ("User 5", "5")
    used = [panel.model.index(row, 3).data() for row in range(panel.model.rowCount())]
    middle = ["input · training target"] * (LENGTHS[4] - 4)
    assert used == ["input", *middle, "training target", "Validation target", "Test target"]
    assert "Training input: 4 ≤ K = 8, so it is short" in panel.words.text()
    page.lengths.k.setValue(3)
    assert "Training input: 4 > K = 3, so it is long" in panel.words.text()
    # The table's column of short users follows K, and the cursor stays.
    column = [c.name for c in page.users.table.model.columns].index("short")
    assert page.users.table.model.index(4, column).data() == ""
    assert page.users.table.current == 4


def test_a_filter_on_short_follows_k(qtbot: QtBot, page: DatasetPage) -> None:
    table = opened(qtbot, page).users.table
    table.field.setText("short=yes")
    for k in (2, 4, 37):
        page.lengths.k.setValue(k)
        assert table.model.rowCount() == sum(length - 3 <= k for length in LENGTHS)


def test_a_user_by_id_is_shown_and_marked(qtbot: QtBot, page: DatasetPage) -> None:
    panel = opened(qtbot, page).users.panel
    qtbot.keyClicks(panel.by_id, "12")
    qtbot.keyClick(panel.by_id, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.title.text() == "User 12")
    assert page.users.table.view.currentIndex().siblingAtColumn(0).data() == "12"
    qtbot.keyClicks(panel.by_id, "nobody")
    qtbot.keyClick(panel.by_id, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: panel.stack.state == "error")
    assert "There is no user 'nobody' in sample." in panel.stack.text


def test_the_strip_and_the_table_of_a_user_move_together(qtbot: QtBot, page: DatasetPage) -> None:
    opened(qtbot, page).ask_user("11")
    panel = page.users.panel
    qtbot.waitUntil(lambda: panel.sequence is not None)
    panel.strip.setFocus()
    qtbot.keyClick(panel.strip, Qt.Key.Key_End)
    assert panel.view.currentIndex().row() == LENGTHS[10] - 1
    assert "test target" in panel.strip.accessibleDescription()
    panel.view.setCurrentIndex(panel.model.index(2, 0))
    assert panel.strip.current == 2
    panel.table_button.click()
    window = page.window().findChild(TableWindow)
    assert window is not None
    assert (window.windowTitle(), window.model.rowCount()) == ("Sequence of user 11", LENGTHS[10])
    window.close()


def test_return_leads_to_the_other_pages(qtbot: QtBot, page: DatasetPage, shop: Context) -> None:
    asked = asked_pages(shop)
    users, items = opened(qtbot, page).users, page.items
    users.table.pick(6)
    qtbot.keyClick(users.table.view, Qt.Key.Key_Return)
    page.show_tab("items")
    qtbot.keyClick(items.table.field, Qt.Key.Key_Down)
    qtbot.keyClick(items.table.view, Qt.Key.Key_Return)
    assert asked == [("augment", {"user": "7"}), ("neighbours", {"item": "1"})]


def test_items_are_found_by_title(qtbot: QtBot, page: DatasetPage) -> None:
    table = opened(qtbot, page, "items").items.table
    table.field.setText("GAS stove")
    titles = [table.model.index(row, 1).data() for row in range(table.model.rowCount())]
    assert titles
    assert all(title.startswith("Gas stove") for title in titles)
    assert page.filter_box() is table.field


def test_times_and_targets_are_on_the_overview(qtbot: QtBot, page: DatasetPage, shop: Context) -> None:
    overview = opened(qtbot, page, "overview").overview
    assert overview.times.isVisible()
    assert not overview.no_times.isVisible()
    assert sum(overview.times.plot.drawn()[0]) == sum(LENGTHS)
    names = {rule: name.text() for rule, name in overview.targets.names.items()}
    assert names["exclude"] == "Seen items excluded · in use"
    shop.session.change({"evaluate.seen_items": "zero"})
    assert overview.targets.names["zero"].text() == "Seen items scored 0 · in use"
    assert overview.targets.names["exclude"].text() == "Seen items excluded"


def test_without_times_the_overview_says_so(qtbot: QtBot, page: DatasetPage, data: FakeDatasets) -> None:
    data.has_times = False
    overview = opened(qtbot, page, "overview").overview
    assert not overview.times.isVisible()
    assert "tells no times" in overview.no_times.text()
    assert overview.no_times.isVisible()


def test_tables_say_that_they_are_coming_and_can_be_cancelled(
    qtbot: QtBot, page: DatasetPage, data: FakeDatasets
) -> None:
    page.page_shown()
    qtbot.waitUntil(lambda: page.stack.state == "content")
    qtbot.waitUntil(lambda: page.details is not None)
    data.wait = threading.Event()
    page._ask_details()
    assert [stack.state for stack in page.table_stacks] == ["loading", "loading"]
    page._cancel_details()
    assert [stack.text for stack in page.table_stacks] == ["Counting was cancelled."] * 2
    data.wait.set()


def test_tables_that_fail_say_why(qtbot: QtBot, page: DatasetPage, data: FakeDatasets) -> None:
    opened(qtbot, page)
    data.fails = UsageError("There is no file x.txt.", "Choose another.")
    page._ask_details()
    qtbot.waitUntil(lambda: page.table_stacks[0].state == "error")
    assert page.table_stacks[1].text == "There is no file x.txt."


def test_another_page_can_ask_for_a_user_before_anything_is_read(qtbot: QtBot, page: DatasetPage) -> None:
    page.open_state(user="3")
    page.page_shown()
    qtbot.waitUntil(lambda: page.users.panel.title.text() == "User 3")
    assert page.tabs.currentIndex() == 1


def test_a_card_can_be_added(qtbot: QtBot, page: DatasetPage) -> None:
    card = Card("Import", "What became of the rows.")
    page.add_card(card)
    opened(qtbot, page, "overview")
    assert card.isVisible()
    assert card.y() > page.overview.targets.y()


def test_every_plot_has_its_table(qtbot: QtBot, page: DatasetPage) -> None:
    overview = opened(qtbot, page, "overview").overview
    buttons = [b for b in overview.findChildren(QPushButton) if b.text() == "Show as table" and b.isVisible()]
    assert len(buttons) == 4
    for button in buttons:
        button.click()
    windows = page.window().findChildren(TableWindow)
    titles = {"Sequence lengths", "Popularity of the items", "Actions over time", "Repeated and cold targets"}
    assert {window.windowTitle() for window in windows} == titles
    assert all(window.model.rowCount() for window in windows)
    for window in windows:
        window.close()


def test_no_part_is_left_blank(qtbot: QtBot, page: DatasetPage) -> None:
    opened(qtbot, page)
    states = {stack.state for stack in page.findChildren(StatefulStack)}
    assert states == {"content", "empty"}
    assert page.users.panel.stack.text == "Pick a user from the table, or enter an id."


def test_rows_are_as_wide_as_the_table(qtbot: QtBot, page: DatasetPage) -> None:
    opened(qtbot, page).resize(2000, 800)
    header = page.users.table.view.horizontalHeader()
    qtbot.waitUntil(lambda: header.length() == header.viewport().width())
