"""The table of runs paints itself as Qt would have it painted, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QImage, QPaintEvent
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from engine.config import ExperimentConfig
from engine.records import MarksNews, RunStatus
from tests.helpers.fake_runs import make_record
from workbench.item_models import runs_model
from workbench.item_models.run_columns import COLUMN_IDS, COLUMNS, spread_text
from workbench.item_models.runs_model import RunsModel
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook
from workbench.theme import Theme
from workbench.widgets.runs_table import WIDEST_NAME, RunsTable

STATES = ("plain", "selected", "focused", "scrolled", "narrow", "grouped", "open", "moved", "disabled")
SHADE = 16


class _DrawnByQt(RunsTable):
    def paintEvent(self, event: QPaintEvent) -> None:
        QTableView.paintEvent(self, event)


@pytest.fixture
def book() -> RunBook:
    """Three seeds each of a configuration a state; one ticked group, one half ticked, a star."""
    made = RunBook()
    records = []
    for layers, status in enumerate(RunStatus, 1):
        for seed in (1, 2, 3):
            config = ExperimentConfig().replace({"train.seed": seed, "model.layers": layers})
            metrics = {"test": {"NDCG@20": 0.01 * layers + 0.001 * seed}} if status is RunStatus.FINISHED else {}
            changes = {"seed": seed, "config": config.model_dump(mode="json"), "metrics": metrics, "fingerprint": "f"}
            record = make_record(f"{layers}-{seed}", status=status, **changes)
            records.append(replace(record, progress=0.3 * seed, stop_requested=seed == 2))
    made.take(LiveBatch(tuple(records), {}, frozenset(), MarksNews(baselines={"f": "3-1"})))
    return made


def _picture(qtbot: QtBot, theme: Theme, kind: type[RunsTable], book: RunBook, state: str) -> QImage:
    model = RunsModel(book)
    table = kind(model, theme)
    theme.dress(table)
    qtbot.addWidget(table)
    model.set_ticked(["3-1", "3-2", "3-3", "2-1"])
    model.set_grouped(state in ("grouped", "open"))
    if state == "open":
        model.set_open(model.key(1), True)
    table.resize(900, 520)
    with qtbot.waitExposed(table):
        table.show()
    if state in ("selected", "focused"):
        table.selectRow(2)
        table.selectionModel().select(
            model.index(5, 0), QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        )
    if state == "focused":
        table.setFocus()
        table.selectionModel().setCurrentIndex(model.index(7, 1), QItemSelectionModel.SelectionFlag.NoUpdate)
    if state == "scrolled":
        table.verticalScrollBar().setValue(3)
        table.horizontalScrollBar().setValue(70)
    if state == "narrow":
        for column in range(model.columnCount()):
            table.setColumnWidth(column, 62)
    if state == "moved":
        table.horizontalHeader().moveSection(0, 2)
        table.setColumnHidden(COLUMN_IDS.index("status"), True)
    table.setDisabled(state == "disabled")
    return table.viewport().grab().toImage()


def _numbers(image: QImage) -> NDArray[np.int64]:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    values = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return values[..., :3].astype(np.int64)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_it_paints_what_qt_paints(qtbot: QtBot, book: RunBook, colours: str, state: str) -> None:
    theme = Theme(colours)
    own = _picture(qtbot, theme, RunsTable, book, state)
    qts = _picture(qtbot, theme, _DrawnByQt, book, state)
    ours, theirs = _numbers(own), _numbers(qts)
    # The round corners of Qt's own tick boxes are a shade darker in all rows but the first.
    assert int(np.abs(ours - theirs).max()) <= SHADE
    assert (np.abs(ours - theirs).max(-1) > 0).mean() < 0.001
    assert len(np.unique(ours.reshape(-1, 3), axis=0)) > 20


def test_one_asks_the_model_for_what_is_in_sight_only(
    qtbot: QtBot, theme: Theme, book: RunBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = RunsModel(book)
    table = RunsTable(model, theme)
    qtbot.addWidget(table)
    table.resize(900, 200)
    with qtbot.waitExposed(table):
        table.show()
    asked: set[int] = set()
    plainly = model.answer
    monkeypatch.setattr(model, "answer", lambda row, column, role: asked.add(row) or plainly(row, column, role))
    table.viewport().repaint()
    assert asked == set(range(len(asked)))
    assert 0 < len(asked) < 9
    assert model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsUserCheckable


def test_grouping_and_back_keep_the_same_runs_selected(qtbot: QtBot, theme: Theme, book: RunBook) -> None:
    table = RunsTable(RunsModel(book), theme)
    qtbot.addWidget(table)
    assert table.select("3-2")
    table.regroup(is_grouped=True)
    assert [key.partition(":")[0] for key in table.selected_keys()] == ["group"]
    assert {record.id for record in table.selected()} == {"3-1", "3-2", "3-3"}
    assert table.currentIndex().row() == table.runs.row_of("3-2")
    table.regroup(is_grouped=False)
    assert set(table.selected_keys()) == {"3-1", "3-2", "3-3"}


def test_news_between_two_slices_of_many_runs_keep_the_selection(
    qtbot: QtBot, theme: Theme, book: RunBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_model, "MANY", 1)
    monkeypatch.setattr(runs_model, "SLICE_SECONDS", 0.0)
    table = RunsTable(RunsModel(book), theme)
    qtbot.addWidget(table)
    every = len(RunStatus)
    qtbot.waitUntil(lambda: table.runs.rowCount() == 3 * every)
    assert table.select("3-2")
    table.regroup(is_grouped=True)
    again = book.get("1-1")
    assert again is not None
    book.take(LiveBatch((again,), {}, frozenset()))
    qtbot.waitUntil(lambda: table.runs.rowCount() == every)
    assert {record.id for record in table.selected()} == {"3-1", "3-2", "3-3"}


def test_of_a_group_the_run_that_trains_is_told_of(qtbot: QtBot, theme: Theme) -> None:
    made = RunBook()
    records = []
    for seed, status in enumerate((RunStatus.FINISHED, RunStatus.RUNNING, RunStatus.QUEUED), 1):
        config = ExperimentConfig().replace({"train.seed": seed}).model_dump(mode="json")
        records.append(make_record(f"r{seed}", status=status, seed=seed, config=config, fingerprint="f"))
    made.take(LiveBatch(tuple(records), {}, frozenset()))
    table = RunsTable(RunsModel(made), theme)
    qtbot.addWidget(table)
    assert table.foremost() is None
    table.regroup(is_grouped=True)
    table.selectRow(0)
    assert table.selected()[0].id != "r2"
    told = table.foremost()
    assert told is not None
    assert told.id == "r2"


def test_the_names_have_what_the_other_columns_leave_free(qtbot: QtBot, book: RunBook, theme: Theme) -> None:
    table = RunsTable(RunsModel(book), theme)
    qtbot.addWidget(table)
    header, own = table.horizontalHeader(), table.columnWidth(0)
    table.resize(2600, 400)
    table.show()
    assert header.length() == table.viewport().width()
    assert table.columnWidth(0) > own
    table.setColumnHidden(COLUMN_IDS.index("status"), True)
    assert header.length() == table.viewport().width()
    assert table.save_state()["widths"]["name"] == own, "only what was chosen by hand is kept"
    table.resize(500, 400)
    assert table.columnWidth(0) == own
    header.resizeSection(0, 333)  # by hand
    table.resize(510, 400)
    assert table.columnWidth(0) == 333
    assert table.save_state()["widths"]["name"] == 333


def test_the_names_grow_with_the_window_until_somebody_chooses_their_width(
    qtbot: QtBot, book: RunBook, theme: Theme
) -> None:
    table = RunsTable(RunsModel(book), theme)
    qtbot.addWidget(table)
    header = table.horizontalHeader()
    table.show()
    first = COLUMN_IDS.index("test/NDCG@10")
    for room in (760, 860):
        table.resize(room, 400)
        assert header.length() > table.viewport().width(), "or there is room enough for all columns"
        assert table.columnWidth(0) > COLUMNS[0].width
        assert header.sectionPosition(first) + header.sectionSize(first) == table.viewport().width()
    table.resize(1300, 400)
    assert table.columnWidth(0) == WIDEST_NAME
    assert table.save_state()["widths"]["name"] == COLUMNS[0].width
    header.resizeSection(0, 300)  # by hand
    table.resize(860, 400)
    assert table.columnWidth(0) == 300


def test_a_mean_with_its_deviation_has_a_column_as_wide_as_it_is(qtbot: QtBot, book: RunBook, theme: Theme) -> None:
    table = RunsTable(RunsModel(book), theme)
    theme.dress(table)
    qtbot.addWidget(table)
    table.resize(760, 400)
    table.show()
    table.regroup(is_grouped=True)
    column = COLUMN_IDS.index("test/NDCG@10")
    needed = table.fontMetrics().horizontalAdvance(spread_text([0.0247, 0.0287] * 5))
    assert table.columnWidth(column) >= needed + 16
    header = table.horizontalHeader()
    assert header.sectionPosition(column) + header.sectionSize(column) <= max(
        table.viewport().width(), COLUMNS[0].width + sum(map(header.sectionSize, range(1, column + 1)))
    ), "the names give way to it"
    table.regroup(is_grouped=False)
    assert table.columnWidth(column) == COLUMNS[column].width
