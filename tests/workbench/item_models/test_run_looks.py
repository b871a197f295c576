"""Drawn runs have looks of their own, as long as there are enough, and keep them while they are drawn."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from engine.config import ExperimentConfig
from engine.records import MarksNews, RunMarks
from tests.helpers.fake_runs import make_record
from workbench.item_models.run_looks import PAIRS, free_look
from workbench.item_models.runs_model import ORDER_ROLE, RunsModel
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook
from workbench.theme import Theme

RUNS = 40


@pytest.fixture
def model(qtbot: QtBot) -> RunsModel:
    """Forty runs, ``r0`` the first: two seeds of each configuration, twenty runs apart."""
    book = RunBook()
    records = []
    for number in range(RUNS):
        config = ExperimentConfig().replace({"train.seed": number // 20, "train.epochs": 1 + number % 20})
        records.append(make_record(f"r{number:02}", seed=number // 20, config=config.model_dump(mode="json")))
    book.take(LiveBatch(tuple(records), {}, frozenset()))
    return RunsModel(book)


def looks(model: RunsModel) -> list[int]:
    return [model.looks.of_run(run_id) for run_id in model.ticked]


def pairs(model: RunsModel) -> set[int]:
    return {look % PAIRS for look in looks(model)}


def test_pairs_of_colour_and_marker_are_as_many_as_is_counted_on(theme: Theme) -> None:
    styles = [theme.series_style(number) for number in range(4 * PAIRS)]
    assert len({(style.colour, style.marker) for style in styles}) == PAIRS
    assert len(set(styles)) == len(styles)


def test_runs_a_round_of_colours_apart_are_drawn_apart(model: RunsModel) -> None:
    model.set_ticked(["r01", "r08", "r02", "r09", "r16"])
    assert looks(model)[0] == 1, "who comes first has the look of its number"
    assert len(pairs(model)) == 5
    for run_id, look in zip(model.ticked, looks(model), strict=True):
        assert model.index(model.ids.index(run_id), 0).data(ORDER_ROLE) == look, "the table shows what is drawn"


def test_a_run_keeps_its_look_while_it_is_drawn(model: RunsModel) -> None:
    model.set_ticked(["r01", "r08"])
    before = looks(model)
    model.set_ticked(["r08"])
    assert looks(model) == before[1:], "also where its own has become free"
    model.set_ticked(["r08", "r15", "r01"])
    assert looks(model)[0] == before[1]
    assert len(pairs(model)) == 3
    model.set_filter("seed 1")
    assert looks(model)[0] == before[1], "and where the table does not show it"
    model.set_ticked([])
    assert model.looks.of_run("r08") == 8


def test_beyond_all_colours_the_dashes_tell_runs_apart(model: RunsModel) -> None:
    model.set_ticked([f"r{number:02}" for number in range(RUNS)])
    assert len(set(looks(model)[: 4 * PAIRS])) == 4 * PAIRS
    model.set_ticked([])
    assert model.looks.of_run("r08") == 8, "nobody wears anything"
    model.set_ticked([f"r{number:02}" for number in range(0, RUNS, PAIRS)])
    assert len(pairs(model)) == 6


def test_a_chosen_look_is_worn_whoever_else_has_it(model: RunsModel) -> None:
    model.set_ticked(["r01", "r02"])
    assert looks(model) == [1, 2]
    model.book.take(LiveBatch((), {}, frozenset(), MarksNews((RunMarks("r02", 2, colour=1),))))
    assert looks(model) == [1, 1]
    model.set_ticked([])
    assert model.looks.of_run("r01") == 1
    model.set_ticked(["r01", "r02"])
    assert looks(model)[1] == 1
    assert len(pairs(model)) == 2, "who is drawn anew leaves it to the one that chose it"


def test_groups_are_told_apart_too(model: RunsModel) -> None:
    model.set_grouped(True)
    model.set_ticked(["r01", "r21", "r08", "r28"])
    one, again, other, _ = looks(model)
    assert one == again == 1
    assert other % PAIRS != 1
    row = model.row_of("r08")
    assert row is not None
    assert model.index(row, 0).data(ORDER_ROLE) == other
    model.set_filter("nothing at all")
    assert looks(model) == [one, one, other, other]


def test_there_is_a_look_where_none_is_free() -> None:
    assert free_look(3, range(4 * PAIRS)) == 3
