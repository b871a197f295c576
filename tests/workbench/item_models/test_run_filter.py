"""The runs' filter against a naive reading of it, and what it refuses."""

from __future__ import annotations

import pytest

from engine.config.filtering import run_filter
from engine.records import MarksNews, RunMarks, RunStatus
from engine.records.query import QueryError
from tests.helpers.fake_runs import make_record
from workbench.item_models.run_filter import parse_filter
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook


@pytest.fixture
def book() -> RunBook:
    made = RunBook()
    config = {"augment": {"crop_rate": 0.4}, "model": {"name": "transformer", "max_length": 50}}
    records = (
        make_record("r1", status=RunStatus.FINISHED, config=config, metrics={"test": {"NDCG@10": 0.031}}),
        make_record("r2", status=RunStatus.FINISHED, seed=2, metrics={"test": {"NDCG@10": 0.029}}, dataset="Beauty"),
        make_record("r3", status=RunStatus.FAILED, seed=3, config={"model": {"name": "popularity"}}),
    )
    marks = (RunMarks("r1", 0, tags=("paper", "seed sweep")), RunMarks("r2", 1, note="odd one"))
    made.take(LiveBatch(records, {}, frozenset(), MarksNews(marks)))
    return made


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ["r3", "r2", "r1"]),
        ("NDCG@10 > .03", ["r1"]),
        ("ndcg@10>.02 seed>=2", ["r2"]),
        ("tag:paper", ["r1"]),
        ('tag:"seed sweep"', ["r1"]),
        ("-tag:paper", ["r3", "r2"]),
        ("tag:", ["r1"]),
        ("state:failed", ["r3"]),
        ("data:beauty", ["r2"]),
        ("model:popularity", ["r3"]),
        ("note:odd", ["r2"]),
        ("augment.crop_rate=.4", ["r1"]),
        ("max_length>=50 crop_rate>.3", ["r1"]),
        ("-beauty finished", ["r1"]),
        ("r2", ["r2"]),
        ("paper", ["r1"]),
        ("sweep -odd", ["r1"]),
        ("-paper", ["r3", "r2"]),
        ("odd", ["r2"]),
        ("seed sample", ["r3", "r2", "r1"]),
    ],
)
def test_what_it_keeps(book: RunBook, text: str, ids: list[str]) -> None:
    matches = parse_filter(text)
    assert [record.id for record in book.records if matches(record.id, book)] == ids
    on_the_command_line = run_filter(text)
    assert [record.id for record in book.records if on_the_command_line(record, book.marks(record.id))] == ids


def test_a_mark_that_comes_later_is_found(book: RunBook) -> None:
    book.take(LiveBatch((), {}, frozenset(), MarksNews((RunMarks("r3", 2, tags=("Baseline",)),))))
    matches = parse_filter("baseline")
    assert [record.id for record in book.records if matches(record.id, book)] == ["r3"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense>3", "no column 'nonsense'"),
        ("NDCG@10>much", "not a number"),
        ("seed>", "number is missing"),
        ("mask_rate=.2", "augment.mask_rate or model.mask_rate"),
    ],
)
def test_what_it_refuses(text: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        parse_filter(text)
