"""Groups of runs that differ in their seed alone: mean ± std (n), ticks, opening, Δ to the baseline, shelves."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from engine.config import ExperimentConfig
from engine.records import MarksNews, RunMarks, RunStatus, Shelf
from tests.helpers.fake_runs import make_record
from workbench.item_models.delegates import StateDelegate
from workbench.item_models.run_columns import COLUMN_IDS, spread_text
from workbench.item_models.runs_model import GROUP_ROLE, ORDER_ROLE, PROGRESS_ROLE, STAR_ROLE, STATE_ROLE, RunsModel
from workbench.live_feed import LiveBatch
from workbench.plots.bands import band_of
from workbench.run_book import RunBook
from workbench.theme import Theme

VALUES = (0.028, 0.029, 0.030)
LOW = {"test": {"NDCG@20": 0.001}}


@pytest.fixture
def book() -> RunBook:
    made = RunBook()
    records = []
    for number, value in enumerate(VALUES, 1):
        for kind, layers in (("a", 1), ("b", 2)):
            config = ExperimentConfig().replace({"train.seed": number, "model.layers": layers})
            metrics = {"test": {"NDCG@20": value + (layers - 1) * 0.01}}
            dumped = config.model_dump(mode="json")
            changes = {"seed": number, "config": dumped, "metrics": metrics, "fingerprint": "f"}
            records.append(make_record(f"{kind}{number}", status=RunStatus.FINISHED, **changes))
    made.take(LiveBatch(tuple(records), {}, frozenset()))
    return made


@pytest.fixture
def model(qtbot: QtBot, book: RunBook) -> RunsModel:
    made = RunsModel(book)
    made.tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Warning)
    made.set_grouped(True)
    return made


def cell(model: RunsModel, row: int, column: str) -> object:
    return model.index(row, COLUMN_IDS.index(column)).data()


def test_a_group_shows_mean_std_and_count(model: RunsModel) -> None:
    assert model.rowCount() == 2
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.DescendingOrder)
    assert [cell(model, row, "test/NDCG@20") for row in range(2)] == [".0390 ± .0010 (3)", ".0290 ± .0010 (3)"]
    assert cell(model, 0, "seed") == "3 seeds"
    assert "seed" not in str(cell(model, 0, "name"))
    assert model.index(0, 0).data(GROUP_ROLE) == (3, False)
    assert model.index(0, 0).data(ORDER_ROLE) == model.book.order("b1"), "the look of its oldest run"


def test_a_group_is_ticked_and_opened_as_a_whole(model: RunsModel) -> None:
    key = model.key(0)
    model.toggle(key)
    assert sorted(model.ticked) == sorted(model.runs_of(key))
    model.toggle(model.runs_of(key)[0])
    state = Qt.CheckState(model.index(0, 0).data(Qt.ItemDataRole.CheckStateRole))
    assert state is Qt.CheckState.PartiallyChecked
    model.set_open(key, True)
    assert model.rowCount() == 5
    assert model.ids[1:4] == model.runs_of(key)
    model.set_open(key, False)
    assert model.rowCount() == 2
    assert model.row_of(model.runs_of(key)[1]) == 0, "a hidden run is found in its group"


def test_a_star_gives_differences_and_a_shelf_hides(model: RunsModel, book: RunBook) -> None:
    model.set_grouped(False)
    marks = (RunMarks("b1", 1, shelf=Shelf.TRASHED), RunMarks("a2", 2, colour=5))
    book.take(LiveBatch((), {}, frozenset(), MarksNews(marks, baselines={"f": "a1"})))
    assert "b1" not in model.ids
    assert model.row_of("a3") is not None
    assert cell(model, model.row_of("a3"), "delta/NDCG@20") == "+.0020 (+7.1 %)"  # type: ignore[arg-type]
    assert cell(model, model.row_of("a1"), "delta/NDCG@20") == ""  # type: ignore[arg-type]
    assert book.order("a2") == 5
    model.set_shelf(Shelf.TRASHED)
    assert model.ids == ["b1"]
    book.take(LiveBatch((), {}, frozenset(), MarksNews(purged=frozenset({"b1"}))))
    assert model.ids == []
    assert book.get("b1") is None


def test_a_group_has_the_star_of_its_run(model: RunsModel, book: RunBook) -> None:
    book.take(LiveBatch((), {}, frozenset(), MarksNews(baselines={"f": "a1"})))
    rows = {book.get(model.runs_of(key)[0]).id[0]: row for row, key in enumerate(model.ids)}  # type: ignore[union-attr]
    assert model.index(rows["a"], 0).data(STAR_ROLE), "a closed group would hide what its Δ is measured from"
    assert not model.index(rows["b"], 0).data(STAR_ROLE)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_text_of_a_spread_is_that_of_the_statistics_module(values: list[float]) -> None:
    text = spread_text([*values, None, float("nan")])
    assert text.endswith(f"({len(values)})")
    assert f"{statistics.fmean(values):.4f}".removeprefix("0") in text
    if len(values) > 1:
        assert f"± {statistics.stdev(values):.4f}".replace("± 0", "± ") in text


@given(st.lists(st.lists(st.floats(-5, 5), max_size=6), max_size=5))
def test_a_band_is_mean_and_deviation_of_whoever_has_the_epoch(runs: list[list[float]]) -> None:
    band = band_of([(np.arange(1.0, len(run) + 1), np.array(run)) for run in runs])
    longest = max(map(len, runs), default=0)
    assert band.xs.tolist() == list(range(1, longest + 1))
    for place in range(longest):
        there = [run[place] for run in runs if len(run) > place]
        assert band.counts[place] == len(there)
        assert band.mean[place] == pytest.approx(statistics.fmean(there), abs=1e-12)
        expected = statistics.stdev(there) if len(there) > 1 else 0.0
        assert band.deviation[place] == pytest.approx(expected, abs=1e-9)


def test_the_same_file_with_other_content_is_another_group(book: RunBook, model: RunsModel) -> None:
    """A mean over runs of two data sets would be of nothing; where a file lies, though, tells no runs apart."""
    first = book.get("a1")
    assert first is not None
    metrics = {"test": {"NDCG@20": 0.9}}
    elsewhere = {**first.config, "data": {**first.config["data"], "path": "/elsewhere/shop.txt"}}
    other = replace(first, id="o1", seed=4, metrics=metrics, fingerprint="other")
    same = replace(first, id="s1", seed=4, metrics=metrics, config=elsewhere)
    book.take(LiveBatch((other, same), {}, frozenset()))
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.DescendingOrder)
    assert [model.index(row, 0).data(GROUP_ROLE)[0] for row in range(model.rowCount())] == [1, 4, 3]


def test_a_group_of_several_states_is_not_painted_as_one_of_them(
    model: RunsModel, book: RunBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its newest run's mark would hide the others; a group of one state keeps its mark."""
    theme = Theme("light")
    marks: list[str] = []
    own = theme.icon
    monkeypatch.setattr(theme, "icon", lambda name, role="text": marks.append(name) or own(name, role))
    delegate, column = StateDelegate(theme), COLUMN_IDS.index("status")

    def painted() -> list[str]:
        marks.clear()
        image = QImage(120, 30, QImage.Format.Format_ARGB32)
        painter, option = QPainter(image), QStyleOptionViewItem()
        option.rect = image.rect()
        delegate.paint(painter, option, model.index(0, column))
        painter.end()
        return list(marks)

    assert painted() == ["check"]
    newest = model.runs_of(model.key(0))[0]
    book.take(LiveBatch((replace(book.get(newest), status=RunStatus.LOST),), {}, frozenset()))
    assert cell(model, 0, "status") == "various"
    assert painted() == []


def told_rows(model: RunsModel, act: Callable[[], object]) -> set[int]:
    """Rows whose cells are to be painted anew because of ``act``."""
    found: set[int] = set()
    model.dataChanged.connect(lambda first, last, _roles: found.update(range(first.row(), last.row() + 1)))
    act()
    return found


def test_a_tick_below_an_open_group_is_told_of_the_group_too(model: RunsModel) -> None:
    key = model.key(0)
    model.set_open(key, True)
    run = model.runs_of(key)[0]
    assert {0, model.row_of(run)} <= told_rows(model, lambda: model.set_ticked([run]))


def test_news_of_a_run_below_an_open_group_is_told_of_the_group_too(model: RunsModel, book: RunBook) -> None:
    key = model.key(0)
    model.set_open(key, True)
    changed = replace(book.get(model.runs_of(key)[0]), status=RunStatus.STOPPED)
    rows = told_rows(model, lambda: book.take(LiveBatch((changed,), {}, frozenset())))
    assert {0, model.row_of(changed.id)} <= rows


def test_a_group_that_grows_is_told_where_another_comes_after_it(model: RunsModel, book: RunBook) -> None:
    """In one batch: the rows that were there stay in their places, and yet one of them says something else."""
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.DescendingOrder)
    before = model.ids
    old, config = book.get("a1"), ExperimentConfig().replace({"train.seed": 9, "model.layers": 3})
    more = replace(old, id="a4", seed=4, config={**old.config, "train": {**old.config["train"], "seed": 4}})
    other = replace(old, id="z9", seed=9, config=config.model_dump(mode="json"), metrics=LOW)
    rows = told_rows(model, lambda: book.take(LiveBatch((more, other), {}, frozenset())))
    assert model.ids[: len(before)] == before
    assert len(model.ids) == len(before) + 1
    assert model.row_of("a4") in rows


def test_a_run_that_changes_is_told_where_another_comes_after_it(model: RunsModel, book: RunBook) -> None:
    model.set_grouped(False)
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.DescendingOrder)
    changed = replace(book.get("a1"), status=RunStatus.STOPPED)
    batch = LiveBatch((changed, replace(changed, id="z9", metrics=LOW)), {}, frozenset())
    assert model.row_of("a1") in told_rows(model, lambda: book.take(batch))


def test_a_groups_progress_is_that_of_all_its_runs(model: RunsModel, book: RunBook) -> None:
    """A newest seed that has just begun, or a finished one, would otherwise speak for the rest."""
    key = model.group_of("a1")
    assert key == model.group_of("a3")
    news = {"a1": (RunStatus.FINISHED, 1.0), "a2": (RunStatus.RUNNING, 0.5), "a3": (RunStatus.QUEUED, None)}
    changed = [replace(book.get(run), status=status, progress=share) for run, (status, share) in news.items()]
    book.take(LiveBatch(tuple(changed), {}, frozenset()))
    place = model.index(model.row_of(key), COLUMN_IDS.index("progress"))
    assert place.data(PROGRESS_ROLE) == 0.5
    assert place.data(Qt.ItemDataRole.AccessibleTextRole) == "Progress 50 %"
    assert place.data(STATE_ROLE) is None
    state = place.siblingAtColumn(COLUMN_IDS.index("status"))
    assert state.data(Qt.ItemDataRole.AccessibleTextRole) == "State 1 running, 1 queued, 1 finished"
    assert state.data(Qt.ItemDataRole.ToolTipRole).endswith("Seeds 1, 2, 3: 1 running, 1 queued, 1 finished")


def test_groups_are_sorted_by_the_progress_they_show(model: RunsModel, book: RunBook) -> None:
    shares = {"a1": 1.0, "a2": 1.0, "a3": None, "b1": 0.1, "b2": 0.9, "b3": 1.0}
    book.take(
        LiveBatch(tuple(replace(book.get(run), progress=share) for run, share in shares.items()), {}, frozenset())
    )
    model.sort(COLUMN_IDS.index("progress"))
    shown = [model.index(row, 0).data(PROGRESS_ROLE) for row in range(2)]
    assert shown == [pytest.approx(2 / 3), pytest.approx(2 / 3)]
    book.take(LiveBatch((replace(book.get("b2"), progress=0.0),), {}, frozenset()))
    assert model.ids == [model.group_of("b1"), model.group_of("a1")]


def test_a_seed_counts_once(model: RunsModel, book: RunBook) -> None:
    """Trained again, a seed is no other one: the newest finished run speaks for it, and one that still trains not."""
    first = book.get("a1")
    assert first is not None
    again = replace(first, id="z1", metrics={"test": {"NDCG@20": 0.031}})
    running = replace(first, id="z2", metrics={}, status=RunStatus.RUNNING)
    book.take(LiveBatch((again, running), {}, frozenset()))
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.AscendingOrder)
    assert cell(model, 0, "test/NDCG@20") == ".0300 ± .0010 (3)"
    assert cell(model, 0, "seed") == "3 seeds"
    assert model.index(0, 0).data(GROUP_ROLE) == (5, False)
    tip = model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Seeds 1, 2, 3: " in tip
    assert "Runs z2, a1 are left out: seed 1 counts once, by its newest finished run, z1." in tip
    # Sorted by the means that are shown: the first run of seed 1 would lift the second group above the first one.
    book.take(LiveBatch((replace(first, id="z3", metrics={"test": {"NDCG@20": 0.2}}),), {}, frozenset()))
    assert cell(model, 1, "test/NDCG@20") == ".0863 ± .0984 (3)"


def test_what_does_not_train_has_no_seeds(model: RunsModel, book: RunBook) -> None:
    runs = []
    for seed, minutes in ((1, 0.0), (2, 0.1)):
        settings = {"model.name": "popularity", "train.seed": seed, "train.max_minutes": minutes}
        config = ExperimentConfig().replace(settings).model_dump(mode="json")
        metrics = {"test": {"NDCG@20": 0.001}}
        changes = {"seed": seed, "config": config, "metrics": metrics, "preset": "popularity"}
        runs.append(make_record(f"p{seed}", status=RunStatus.FINISHED, **changes))
    book.take(LiveBatch(tuple(runs), {}, frozenset()))
    model.sort(COLUMN_IDS.index("test/NDCG@20"), Qt.SortOrder.AscendingOrder)
    assert [cell(model, 0, column) for column in ("name", "seed", "test/NDCG@20")] == ["popularity", "", ".0010 (1)"]
