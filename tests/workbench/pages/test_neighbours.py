"""Neighbours: search, the table, walking and going back, the keyboard alone, what it says when there is nothing."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from engine.errors import DataError
from tests.helpers.fake_engine import LONELY, FakeDatasets, FakeNeighbours, title_of
from tests.helpers.fake_runs import make_record
from workbench.context import Context
from workbench.item_models.rows import SHARE
from workbench.live_feed import LiveBatch
from workbench.pages.neighbours import ALL_TAB, PAGE, NeighboursPage
from workbench.widgets.item_search import ID
from workbench.widgets.neighbour_column import NORMALISED, SCORE, TITLE, TITLE_WIDTH, USERS, NeighbourColumnCard


@pytest.fixture
def page(qtbot: QtBot, shop: Context) -> NeighboursPage:
    made = PAGE.build(shop)
    assert isinstance(made, NeighboursPage)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    made.page_shown()
    qtbot.waitUntil(lambda: len(made.search.model.rows) == 30)
    return made


def memory(page: NeighboursPage) -> NeighbourColumnCard:
    return page.cards["item_cf"]


def walk(qtbot: QtBot, page: NeighboursPage, item: str) -> None:
    page.walk(item)
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == item)


def test_it_starts_with_the_most_popular_items_and_asks_to_pick_one(page: NeighboursPage) -> None:
    assert (page.stack.state, page.stack.text) == ("empty", "Pick an item")
    assert page.search.model.rows[0].item == "1"


def test_search_by_title_and_by_id(qtbot: QtBot, page: NeighboursPage) -> None:
    qtbot.keyClicks(page.search.field, "torch")
    qtbot.waitUntil(lambda: len(page.search.model.rows) == 5)
    page.search.field.setText("12")
    qtbot.waitUntil(lambda: [row.item for row in page.search.model.rows] == ["12"])
    assert page.search.found.text() == "1 item"
    page.search.field.setText("no such thing")
    qtbot.waitUntil(lambda: page.search.found.text().startswith("No item matches"))


def test_typing_quickly_asks_once(qtbot: QtBot, page: NeighboursPage, shop: Context) -> None:
    data: FakeDatasets = shop.workspace.datasets  # type: ignore[assignment]
    before = len(data.calls)
    qtbot.keyClicks(page.search.field, "torch")
    qtbot.waitUntil(lambda: len(page.search.model.rows) == 5)
    assert data.calls[before:] == [("items", "sample", "torch")]


def test_the_table_is_the_engines_list(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    assert page.list is not None
    assert memory(page).model.rowCount() == page.k.value() == 20
    texts = [memory(page).model.index(1, column).data() for column in range(6)]
    row = page.list.columns[0].neighbours[1]
    assert texts == ["2", row.title, f"{row.score:.4f}", f"{row.normalised:.4f}", f"{row.shared_users}", f"{row.users}"]
    assert memory(page).model.index(1, NORMALISED).data(SHARE) == row.normalised
    assert page.title.full == title_of("3")
    assert page.facts.text() == "Item 3 · in the training inputs of 28 users"


def test_a_click_walks_and_back_and_forward_return(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    other = memory(page).model.rows[2].of.item
    place = memory(page).view.visualRect(memory(page).model.index(2, 1)).center()
    qtbot.mouseClick(memory(page).view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == other)
    assert page.can_go_back()
    assert not page.can_go_forward()
    page.back_button.click()
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == "3")
    page.forward_button.click()
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == other)
    page.go_back()
    walk(qtbot, page, "9")
    assert not page.can_go_forward()


def test_the_keyboard_alone_goes_all_the_way(qtbot: QtBot, page: NeighboursPage) -> None:
    page.search.field.setFocus()
    qtbot.keyClick(page.search.field, Qt.Key.Key_Down)
    assert page.search.view.hasFocus()
    qtbot.keyClick(page.search.view, Qt.Key.Key_Down)
    qtbot.keyClick(page.search.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == "2")
    memory(page).view.setFocus()
    qtbot.keyClick(memory(page).view, Qt.Key.Key_Down)
    target = memory(page).model.rows[1].of.item
    qtbot.keyClick(memory(page).view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == target)
    assert memory(page).view.hasFocus()


def test_another_k_asks_again(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    page.k.setValue(5)
    qtbot.waitUntil(lambda: memory(page).model.rowCount() == 5)


def test_an_item_without_neighbours_says_so(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, LONELY)
    assert memory(page).note.text() == "No user has this item together with another one."
    assert memory(page).note.isVisible()
    assert not memory(page).view.isVisible()
    assert not page.copy_button.isEnabled()


def test_copy_as_csv_is_unrounded(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    page.copy_button.click()
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    assert page.list is not None
    assert [float(row["score"]) for row in rows] == [row.score for row in page.list.columns[0].neighbours]
    assert rows[0]["title"] == page.list.columns[0].neighbours[0].title


def test_only_the_newest_answer_counts(qtbot: QtBot, page: NeighboursPage, shop: Context) -> None:
    gate = threading.Event()
    facade: FakeNeighbours = shop.workspace.neighbours  # type: ignore[assignment]
    original = facade.compare

    def slow(path: str, item: str, *rest: Any, **more: Any) -> object:
        if item == "3":
            gate.wait(10)
        return original(path, item, *rest, **more)

    facade.compare = slow  # type: ignore[method-assign, assignment]
    seen: list[str] = []
    show = page._show
    page._show = lambda found: (seen.append(found.item.item), show(found))  # type: ignore[method-assign]
    page.walk("3")
    page.walk("4")
    qtbot.waitUntil(lambda: seen == ["4"])
    gate.set()
    page.walk("5")
    qtbot.waitUntil(lambda: seen == ["4", "5"])


def test_an_error_is_said_in_place_and_can_be_tried_again(qtbot: QtBot, page: NeighboursPage, shop: Context) -> None:
    facade: FakeNeighbours = shop.workspace.neighbours  # type: ignore[assignment]
    facade.fails = DataError("the file has been removed.", "Open another one.", path="gone.txt")
    page.walk("3")
    qtbot.waitUntil(lambda: page.stack.state == "error")
    assert page.stack.text == "gone.txt: the file has been removed."
    facade.fails = None
    page.stack._message.button.click()
    qtbot.waitUntil(lambda: page.stack.state == "content")


def test_items_that_cannot_be_read_are_forgotten_once_they_can(
    qtbot: QtBot, page: NeighboursPage, shop: Context
) -> None:
    data: FakeDatasets = shop.workspace.datasets  # type: ignore[assignment]
    data.fails = DataError("the file has been removed.", "Open another one.", path="gone.txt")
    shop.session.open_dataset("gone.txt")
    qtbot.waitUntil(lambda: page.stack.state == "error")
    data.fails = None
    page.stack._message.button.click()
    qtbot.waitUntil(lambda: (page.stack.state, page.stack.text) == ("empty", "Pick an item"))


def test_another_data_set_starts_afresh(qtbot: QtBot, page: NeighboursPage, shop: Context) -> None:
    walk(qtbot, page, "3")
    shop.session.open_dataset("other.txt")
    assert page.item == ""
    assert page.stack.state == "loading"
    qtbot.waitUntil(lambda: len(page.search.model.rows) == 30)
    assert (page.stack.state, page.stack.text) == ("empty", "Pick an item")


def test_another_page_can_ask_for_an_item(qtbot: QtBot, page: NeighboursPage) -> None:
    page.open_state(item="7", unknown=1)
    qtbot.waitUntil(lambda: page.list is not None and page.list.item.item == "7")


def test_view_state_is_checked(page: NeighboursPage) -> None:
    page.restore_state({"k": 7, "split": ["a"]})
    assert page.save_state()["k"] == 7


def test_without_a_run_the_models_column_opens_train(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    stack = page.cards["embedding"].stack
    assert (stack.state, stack.text) == ("empty", "Needs a trained run")
    with qtbot.waitSignal(page.context.session.page_requested) as asked:
        stack._message.button.click()
    assert asked.args[0] == "train"


def test_a_run_fills_the_model_and_the_hybrid(qtbot: QtBot, page: NeighboursPage, shop: Context) -> None:
    walk(qtbot, page, "3")
    records = tuple(make_record(name, best_epoch=1, fingerprint="f00d") for name in ("r1", "r2"))
    for record in records:
        shop.workspace.runs.put(record)  # type: ignore[attr-defined]
    shop.runs.take(LiveBatch(records, {}, frozenset()))
    qtbot.waitUntil(lambda: page.list is not None and page.list.source == "r2")
    assert [column.similarity for column in page.list.columns] == ["item_cf", "embedding", "hybrid"]  # type: ignore[union-attr]
    assert page.choice.text().startswith("The hybrid takes the model's list.")
    assert page.cards["embedding"].model.rowCount() == 19
    assert page.cards["embedding"].model.index(0, 0).data() == "● 1"
    page.runs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: page.list is not None and page.list.source == "r1")


def test_other_similarities_get_columns(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    assert not page.cards["cosine"].isVisible()
    page.extra["cosine"].setChecked(True)
    qtbot.waitUntil(lambda: page.cards["cosine"].model.rowCount() == 19)
    assert page.cards["cosine"].isVisible()
    assert page.save_state()["others"] == ["cosine"]


def test_the_whole_data_set_and_its_table(qtbot: QtBot, page: NeighboursPage) -> None:
    page.tabs.setCurrentIndex(ALL_TAB)
    qtbot.waitUntil(lambda: page.all_items.summary is not None)
    card = page.all_items.card
    assert "2 of 12 items" in card.words.text()
    assert card.plot.drawn() == [10]
    assert dict(card.plot.columns())["items"] == [1, 2, 3, 4]
    card.raw.setChecked(True)
    assert dict(card.plot.columns())["items"] == [4, 3, 2, 1]


def test_export_writes_the_file(qtbot: QtBot, page: NeighboursPage, tmp_path: Path) -> None:
    walk(qtbot, page, "3")
    file = tmp_path / "out.csv"
    page.export_to(str(file))
    qtbot.waitUntil(file.exists)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 21


def test_counting_can_be_cancelled_and_asked_for_again(qtbot: QtBot, page: NeighboursPage) -> None:
    page.walk("3")
    assert page.stack.state == "loading"
    page.cancel()
    assert (page.stack.state, page.stack.text) == ("empty", "The look-up was cancelled.")
    page.stack._message.button.click()
    qtbot.waitUntil(lambda: page.list is not None and page.stack.state == "content")
    page.tabs.setCurrentIndex(ALL_TAB)
    assert page.all_items.state == "loading"
    page.all_items.cancel()
    assert (page.all_items.state, page.all_items.summary) == ("empty", None)
    page.all_items._message.button.click()
    qtbot.waitUntil(lambda: page.all_items.state == "content")


def test_a_switch_changed_in_train_counts_anew(qtbot: QtBot, page: NeighboursPage) -> None:
    walk(qtbot, page, "3")
    page.context.session.change({"fidelity.correlation_items": "training"})
    page.hide()
    page.show()
    page.page_shown()
    qtbot.waitUntil(lambda: page.list is not None and page.list.correlation_items == "training")


def test_titles_have_the_room_there_is(qtbot: QtBot, page: NeighboursPage) -> None:
    page.resize(1600, 800)
    walk(qtbot, page, "3")
    card = memory(page)
    # Without a model the two others have nothing to list.
    qtbot.waitUntil(lambda: card.width() > 1.3 * page.cards["embedding"].width())
    assert not card.view.isColumnHidden(SCORE)
    long = [row._replace(of=replace(row.of, title="A title of many words " * 9)) for row in card.model.rows]
    card.model.set_rows(long)
    card.setFixedWidth(310)
    qtbot.waitUntil(lambda: card.view.isColumnHidden(SCORE))
    assert card.view.columnWidth(TITLE) > 150
    card.setFixedWidth(600)
    qtbot.waitUntil(lambda: not card.view.isColumnHidden(USERS))
    assert card.view.columnWidth(TITLE) >= TITLE_WIDTH


def test_ids_have_a_column_where_titles_leave_them_the_room(qtbot: QtBot, page: NeighboursPage) -> None:
    view, first = page.search.view, page.search.model.index(0, 0)
    page.splitter.setSizes([220, 980])
    qtbot.waitUntil(lambda: view.isColumnHidden(ID))
    assert page.search.model.data(first, Qt.ItemDataRole.ToolTipRole) == f"{title_of('1')} (item 1)"
    page.splitter.setSizes([380, 820])
    qtbot.waitUntil(lambda: not view.isColumnHidden(ID))
