"""The table of runs: what a row says, order, filter, ticks, and news that does not throw the selection away."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from engine.records import RunStatus
from tests.helpers.fake_runs import make_record
from workbench.item_models.run_columns import left_text
from workbench.item_models.runs_model import COLUMN_IDS, RunsModel
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook


@pytest.fixture
def book() -> RunBook:
    made = RunBook()
    put(
        made,
        make_record("r1", name="alpha", status=RunStatus.FINISHED, metrics={"test": {"NDCG@20": 0.0488}}),
        make_record("r2", name="beta", status=RunStatus.RUNNING, seed=2, progress=0.5, epoch=9, seconds_left=75.0),
        make_record("r3", name="gamma", status=RunStatus.FINISHED, metrics={"test": {"NDCG@20": 0.0503}}, seed=3),
    )
    return made


def put(book: RunBook, *records: object) -> None:
    book.take(LiveBatch(records, {}, frozenset()))  # type: ignore[arg-type]


@pytest.fixture
def model(qtbot: QtBot, book: RunBook) -> RunsModel:
    made = RunsModel(book)
    made.tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Warning)
    return made


def cell(model: RunsModel, row: int, column: str) -> object:
    return model.index(row, COLUMN_IDS.index(column)).data()


def test_newest_first_and_what_a_row_says(model: RunsModel) -> None:
    assert model.ids == ["r3", "r2", "r1"]
    assert cell(model, 1, "epoch") == "10 / 20"
    assert cell(model, 1, "left") == "1 min 15 s"
    assert cell(model, 2, "test/NDCG@20") == ".0488"
    assert cell(model, 1, "test/NDCG@20") == ""
    assert cell(model, 0, "left") == ""


def test_runs_without_a_value_sort_last_in_both_directions(model: RunsModel) -> None:
    column = COLUMN_IDS.index("test/NDCG@20")
    model.sort(column, Qt.SortOrder.AscendingOrder)
    assert model.ids == ["r1", "r3", "r2"]
    model.sort(column, Qt.SortOrder.DescendingOrder)
    assert model.ids == ["r3", "r1", "r2"]


@pytest.mark.parametrize(
    ("text", "ids"), [("beta", ["r2"]), ("finished", ["r3", "r1"]), ("FINISHED seed 3", ["r3"]), ("nothing", [])]
)
def test_filter(model: RunsModel, text: str, ids: list[str]) -> None:
    model.set_filter(text)
    assert model.ids == ids
    model.set_filter("")
    assert model.ids == ["r3", "r2", "r1"]


def test_news_changes_rows_and_keeps_the_selection(qtbot: QtBot, model: RunsModel, book: RunBook) -> None:
    view = QTableView()
    qtbot.addWidget(view)
    view.setModel(model)
    flag = QItemSelectionModel.SelectionFlag
    view.selectionModel().select(model.index(1, 0), flag.Select | flag.Rows)
    with qtbot.assertNotEmitted(model.layoutChanged), qtbot.waitSignal(model.dataChanged):
        put(book, make_record("r2", name="beta", status=RunStatus.RUNNING, progress=0.6, epoch=11))
    assert cell(model, 1, "epoch") == "12 / 20"
    put(book, make_record("r4", name="delta"), make_record("r5", name="epsilon"))
    assert model.ids == ["r5", "r4", "r3", "r2", "r1"]
    assert [model.ids[index.row()] for index in view.selectionModel().selectedRows()] == ["r2"]


def test_ticks(qtbot: QtBot, model: RunsModel) -> None:
    with qtbot.waitSignal(model.ticked_changed):
        assert model.setData(model.index(2, 0), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    model.toggle("r3")
    assert model.ticked == ["r1", "r3"]
    model.toggle("r1")
    assert model.ticked == ["r3"]
    assert not model.setData(model.index(0, 1), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    with qtbot.assertNotEmitted(model.ticked_changed):
        model.set_ticked(["r3"])


def test_it_is_a_flat_table(model: RunsModel) -> None:
    assert model.rowCount(model.index(0, 0)) == 0
    assert model.columnCount(QModelIndex()) == len(COLUMN_IDS)


def test_a_running_run_shows_its_best_value_so_far_and_an_ended_one_its_own(
    qtbot: QtBot, model: RunsModel, book: RunBook
) -> None:
    curve = (np.array([1.0, 2.0, 3.0]), np.array([0.01, 0.05, 0.03]))
    series = {"valid/NDCG@20": curve}
    with qtbot.waitSignal(model.dataChanged):
        book.take(LiveBatch((), {"r2": series, "r1": series}, frozenset()))
    assert cell(model, 1, "valid/NDCG@20") == ".0500"
    assert cell(model, 2, "valid/NDCG@20") == "", "an ended run without the metric has none"
    put(book, make_record("r2", status=RunStatus.FINISHED, metrics={"valid": {"NDCG@20": 0.04}}))
    assert cell(model, 1, "valid/NDCG@20") == ".0400"


def test_a_run_before_its_first_step_says_that_it_starts() -> None:
    """On a busy machine that can take minutes, and an empty row looks as if nothing happened."""
    assert left_text(make_record(status=RunStatus.RUNNING)) == "starting"
    assert left_text(make_record(status=RunStatus.QUEUED)) == ""
    assert left_text(make_record(status=RunStatus.RUNNING, progress=0.1)) == ""
