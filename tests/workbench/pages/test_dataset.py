"""Dataset: numbers equal the summary, K goes to Train, errors and cancelling are said, stale answers are dropped."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.records import BadRow, ImportReport, ImportResult, ImportStage
from tests.helpers.fake_engine import FakeDatasets, make_summary
from workbench.context import Context
from workbench.pages.dataset import PAGE, DatasetPage
from workbench.widgets.protocol_card import protocol_rows
from workbench.widgets.tables import TableWindow


@pytest.fixture
def data(shop: Context) -> FakeDatasets:
    return shop.workspace.datasets  # type: ignore[return-value]


@pytest.fixture
def page(qtbot: QtBot, shop: Context) -> DatasetPage:
    made = PAGE.build(shop)
    assert isinstance(made, DatasetPage)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


def shown(qtbot: QtBot, page: DatasetPage) -> DatasetPage:
    page.page_shown()
    qtbot.waitUntil(lambda: page.stack.state == "content")
    return page


def test_the_tiles_are_table_1(qtbot: QtBot, page: DatasetPage) -> None:
    shown(qtbot, page)
    summary = make_summary()
    texts = {name: tile.number.text() for name, tile in page.tiles.items()}
    assert texts == {
        "users": "12",
        "items": "30",
        "actions": f"{summary.actions}",
        "length": f"{summary.average_length:.1f}",
        "sparsity": f"{100 * summary.sparsity:.2f} %",
    }
    assert page.title.text() == "Sample shop"


def test_k_by_keyboard_moves_the_line_and_use_k_reaches_the_configuration(
    qtbot: QtBot, page: DatasetPage, shop: Context
) -> None:
    shown(qtbot, page)
    card = page.lengths
    assert card.k.value() == card.plot.k == shop.session.config.augment.short_length
    assert not card.use.isEnabled()
    card.k.setFocus()
    card.k.selectAll()
    qtbot.keyClicks(card.k, "5")
    qtbot.keyClick(card.k, Qt.Key.Key_Up)
    assert card.plot.k == 6
    assert card.share.text() == f"{100 * make_summary().short_share(6):.1f} % short"
    qtbot.mouseClick(card.use, Qt.MouseButton.LeftButton)
    assert shop.session.config.augment.short_length == 6
    assert card.use.text() == "Train uses this K"
    assert shop.notifier.items[-1].text == "Train now uses K = 6."


def test_dragging_the_line_moves_the_spin_box(qtbot: QtBot, page: DatasetPage) -> None:
    shown(qtbot, page)
    page.lengths.plot._line.setValue(11.7)
    assert page.lengths.k.value() == 11
    assert page.lengths.share.text() in page.lengths.plot.text


def test_the_protocol_says_what_becomes_of_whom(qtbot: QtBot, page: DatasetPage) -> None:
    shown(qtbot, page)
    rows = {row[0]: row for row in page.protocol.rows}
    assert rows["Too short"][1:3] == ("2", "16.7 %")
    assert "certain miss" in rows["Repeated targets"][3]
    assert rows["Cold targets"][1] == "2"


def test_the_protocol_of_clean_data_claims_no_harm() -> None:
    from dataclasses import replace

    clean = replace(make_summary(), too_short_users=0, repeated_targets=0, cold_targets=0)
    words = {row[0]: row[3] for row in protocol_rows(clean)}
    assert words["Repeated targets"] == "Excluding seen items costs no user its target."
    assert words["Cold targets"] == "Every target occurs in some training part."


def test_a_bad_file_is_said_with_file_and_line_and_can_be_read_again(
    qtbot: QtBot, page: DatasetPage, shop: Context, data: FakeDatasets
) -> None:
    shop.session.open_dataset("bad.txt")
    page.page_shown()
    qtbot.waitUntil(lambda: page.stack.state == "error")
    assert page.stack.text == "bad.txt, line 12: 'x7' is not an item id."
    before = len(data.calls)
    page.stack._message.button.click()
    qtbot.waitUntil(lambda: len(data.calls) == before + 1 and page.stack.state == "error")


def test_reading_can_be_cancelled(qtbot: QtBot, page: DatasetPage, data: FakeDatasets) -> None:
    data.wait = threading.Event()
    page.page_shown()
    assert page.stack.state == "loading"
    page.stack._message.button.click()
    assert (page.stack.state, page.stack.text) == ("empty", "Reading was cancelled.")
    data.wait.set()
    page.stack._message.button.click()
    qtbot.waitUntil(lambda: page.stack.state == "content")


def test_a_stale_answer_is_dropped(qtbot: QtBot, page: DatasetPage, shop: Context, data: FakeDatasets) -> None:
    data.wait = threading.Event()
    page.page_shown()
    qtbot.waitUntil(lambda: data.calls == [("summary", "sample")])
    shop.session.open_dataset("other.txt")
    seen: list[str] = []
    page.lengths.plot.set_summary = lambda summary: seen.append(summary.path)  # type: ignore[method-assign]
    data.wait.set()
    qtbot.waitUntil(lambda: page.stack.state == "content")
    assert [Path(path).name for path in seen] == ["other.txt"]
    assert page.title.text() == "other.txt"


def test_showing_the_page_again_reads_nothing(qtbot: QtBot, page: DatasetPage, data: FakeDatasets) -> None:
    shown(qtbot, page)
    qtbot.waitUntil(lambda: page.details is not None)
    page.page_shown()
    assert data.calls == [("summary", "sample"), ("details", "sample")]


def test_view_state_survives(qtbot: QtBot, page: DatasetPage) -> None:
    page.restore_state({"log": True, "tail": "nonsense"})
    assert page.lengths.plot.is_log
    state = page.save_state()
    assert (state["log"], state["tail"], state["tab"]) == (True, False, "overview")
    page.restore_state({"tab": "users", "split": ["a", 2]})
    assert page.save_state()["tab"] == "users"
    page.restore_state({"tab": 7, "split": [100]})
    assert page.save_state()["tab"] == "users"


def test_the_plots_numbers_open_as_a_table(qtbot: QtBot, page: DatasetPage) -> None:
    from PySide6.QtWidgets import QPushButton

    shown(qtbot, page)
    button = next(b for b in page.lengths.findChildren(QPushButton) if b.text() == "Show as table")
    button.click()
    window = page.window().findChild(TableWindow)
    assert window is not None
    assert window.model.rowCount() == len(make_summary().raw_lengths)
    window.close()


def test_the_report_of_an_import_stands_on_the_overview(
    qtbot: QtBot, page: DatasetPage, shop: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = ImportStage("read", "valid rows", 9, 30, 100)
    report = ImportReport(102, 2, (BadRow(7, "there is no user id"),), (stage,), 0, 0, 0, 0, ("No times.",))
    result = ImportResult("shop.coserec", "shop", "f00d", {}, report, False)
    monkeypatch.setattr(shop.workspace.imports, "report", lambda _path: result)
    page.reload()
    qtbot.waitUntil(lambda: page.imported.report is not None)
    assert page.imported.summary.text() == "102 rows were read. No times."
    monkeypatch.setattr(shop.workspace.imports, "report", lambda _path: None)
    page.reload()
    qtbot.waitUntil(page.imported.isHidden)
