"""Rows in slices are the rows at once, and both are what a plain loop gives; a change in the midst begins anew."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.records import RunRecord, RunStatus
from tests.helpers.fake_runs import make_record
from workbench.item_models import run_order, runs_model
from workbench.item_models.run_columns import COLUMN_IDS, COLUMNS
from workbench.item_models.run_filter import parse_filter
from workbench.item_models.run_order import RunOrder
from workbench.item_models.runs_model import RunsModel
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook


def many(count: int) -> list[RunRecord]:
    chance = random.Random(3)
    return [
        make_record(
            f"r{number:05d}",
            name=f"run {chance.randint(0, 9)}",
            status=RunStatus.FINISHED,
            seed=number % 5 + 1,
            metrics={} if number % 7 == 0 else {"test": {"NDCG@20": round(chance.random(), 3)}},
        )
        for number in range(count)
    ]


@pytest.fixture
def book() -> RunBook:
    made = RunBook()
    made.take(LiveBatch(tuple(many(300)), {}, frozenset()))
    return made


def plainly(book: RunBook, text: str, column: str, *, is_descending: bool) -> list[str]:
    """Newest first; those that have a value before those that have none, each in their order."""
    keeps = parse_filter(text)
    how = COLUMNS[COLUMN_IDS.index(column)]
    kept = [record for record in book.records if keeps(record.id, book)]
    known = [record for record in kept if how.sort(record, book) is not None]
    rest = [record for record in kept if how.sort(record, book) is None]
    ordered = sorted(known, key=lambda record: how.sort(record, book), reverse=is_descending)
    return [record.id for record in ordered + rest]


@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("column", ["created", "name", "test/NDCG@20", "seed"])
@pytest.mark.parametrize("text", ["", "run", "seed>2", "NDCG@20>.5"])
def test_slices_give_what_a_plain_loop_gives(book: RunBook, text: str, column: str, is_descending: bool) -> None:
    order = RunOrder(book)
    order.set_filter(parse_filter(text))
    order.sort_by(COLUMN_IDS.index(column), is_descending=is_descending)
    *waits, found = order.in_slices(0.0)
    assert waits == [None] * len(waits)
    assert len(waits) >= 300 // run_order.EVERY
    assert found is not None
    assert found.rows == plainly(book, text, column, is_descending=is_descending)
    assert order.arrangement() == found


def test_groups_in_slices(book: RunBook) -> None:
    order = RunOrder(book)
    order.is_grouped = True
    order.sort_by(COLUMN_IDS.index("test/NDCG@20"), is_descending=True)
    found = list(order.in_slices(0.0))[-1]
    assert found is not None
    assert sorted(run for runs in found.groups.values() for run in runs) == sorted(r.id for r in book.records)
    assert found.rows == sorted(found.groups, key=found.rows.index)

    def mean(key: str) -> float:
        values = [book.get(run).metrics.get("test", {}).get("NDCG@20") for run in found.groups[key]]
        known = [value for value in values if value is not None]
        return sum(known) / len(known)

    assert [mean(key) for key in found.rows] == sorted(map(mean, found.rows), reverse=True)


def test_many_runs_are_arranged_in_several_turns(qtbot: QtBot, book: RunBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table shows what it showed until the new rows are whole; the newest wish is the one that counts."""
    monkeypatch.setattr(runs_model, "MANY", 100)
    monkeypatch.setattr(runs_model, "SLICE_SECONDS", 0.0)
    model = RunsModel(book)
    before = model.ids
    model.set_filter("seed>2")
    assert model.ids == before
    model.set_filter("NDCG@20>.5")
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.AscendingOrder)
    assert model.ids == before
    wanted = plainly(book, "NDCG@20>.5", "test/NDCG@20", is_descending=False)
    with qtbot.waitSignal(model.counts_changed):
        pass
    assert model.ids == wanted


def test_a_run_that_comes_in_the_midst_is_there_in_the_end(
    qtbot: QtBot, book: RunBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_model, "MANY", 100)
    monkeypatch.setattr(runs_model, "SLICE_SECONDS", 0.0)
    model = RunsModel(book)
    model.set_filter("run")
    book.take(LiveBatch((make_record("r99999", name="run 1"),), {}, frozenset()))
    qtbot.waitUntil(lambda: model.ids[:1] == ["r99999"])
    assert model.ids == plainly(book, "run", "created", is_descending=True)


def test_a_run_that_changes_between_two_slices_keeps_a_place(book: RunBook) -> None:
    """It is forgotten meanwhile: as one of no value it would stand last."""
    order = RunOrder(book)
    order.sort_by(COLUMN_IDS.index("test/NDCG@20"), is_descending=True)
    slices = order.in_slices(0.0)
    for _ in range(4):
        assert next(slices) is None
    best = plainly(book, "", "test/NDCG@20", is_descending=True)
    order.forget(best)
    found = [item for item in slices if item is not None][-1]
    assert found.rows == best
