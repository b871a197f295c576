"""Recommendations on the Runs and on the Compare page: which runs stand side by side, and what is said without any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.errors import UsageError
from tests.helpers.fake_data import fill_runs
from tests.helpers.fake_recommendations import FakeRecommending
from tests.helpers.fake_runs import FakeRuns, fake_workspace
from tests.helpers.finished_runs import finish
from workbench.backstage import Backstage
from workbench.context import Context, make_context
from workbench.engine_process import Errands
from workbench.pages.compare import TABS, ComparePage
from workbench.pages.runs import RunsPage
from workbench.theme import Theme
from workbench.widgets.compare_recommendations import RecommendationsTab
from workbench.widgets.run_recommendations import RunRecommendations


@pytest.fixture
def fake() -> FakeRecommending:
    return FakeRecommending()


@pytest.fixture
def context(theme: Theme, runs: FakeRuns, fake: FakeRecommending, tmp_path: Path) -> Iterator[Context]:
    workspace = fake_workspace(tmp_path, runs)
    workspace.recommendations = fake  # type: ignore[assignment]
    made = make_context(workspace, theme, engine=Errands())
    yield made
    made.close()


@pytest.fixture
def page(qtbot: QtBot, context: Context, runs: FakeRuns) -> Iterator[RunsPage]:
    backstage = Backstage(context)
    context.runs.records_changed.disconnect(backstage._start_training)
    backstage.feed.first_read.disconnect(backstage._start_training)
    made = RunsPage(context)
    made.resize(1400, 800)
    qtbot.addWidget(made)
    made.show()
    backstage.feed.start()
    fill_runs(runs)
    qtbot.waitUntil(lambda: made.model.rowCount() == 9)
    yield made
    backstage.feed.stop()


def opened(page: RunsPage, run: str) -> RunRecommendations:
    page.open_state(run=run, tab="Recommendations")
    return page.tabs.recommendations.widget


def test_the_selected_run_and_ticked_ones_stand_side_by_side(qtbot: QtBot, page: RunsPage) -> None:
    page.model.set_ticked(["r0002", "r0003", "r0008"])
    view = opened(page, "r0001")
    qtbot.waitUntil(lambda: view.found is not None)
    assert view.run_ids == ("r0001", "r0002")  # the others have no weights
    assert [choice.name for choice in view.choices] == ["seed 1", "seed 2"]
    page.model.set_ticked([])
    qtbot.waitUntil(lambda: view.found is not None and [run.run for run in view.found.runs] == ["r0001"])
    user = view.user
    page.open_state(run="r0002")
    qtbot.waitUntil(lambda: view.found is not None and view.found.runs[0].run == "r0002")
    assert view.user == user


def test_what_was_chosen_by_hand_stays_while_ticks_change(qtbot: QtBot, page: RunsPage) -> None:
    page.model.set_ticked(["r0002"])
    view = opened(page, "r0001")
    qtbot.waitUntil(lambda: view.found is not None)
    view.run_boxes[1].setCurrentIndex(0)
    view.run_boxes[1].activated.emit(0)
    qtbot.waitUntil(lambda: view.found is not None and len(view.found.runs) == 1)
    page.model.set_ticked(["r0002", "r0003"])
    assert view.run_ids == ("r0001",)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("r0006", "This run is running and has no weights yet"),
        ("r0008", "This run is waiting and has no weights yet"),
        ("r0003", "This run has failed and has no weights"),
    ],
)
def test_a_run_without_weights_says_so_and_asks_nothing(
    page: RunsPage, fake: FakeRecommending, run: str, words: str
) -> None:
    view = opened(page, run)
    assert (view.whole.state, view.whole.text) == ("empty", words)
    assert not fake.asked


def test_a_data_file_that_is_gone_is_an_error_with_its_sentence(
    qtbot: QtBot, page: RunsPage, fake: FakeRecommending
) -> None:
    gone = "The runs' data set cannot be read: There is no file shop.txt."
    fake.fails = fake.search_fails = UsageError(gone, "Put it back.")
    view = opened(page, "r0001")
    qtbot.waitUntil(lambda: view.stack.state == "error")
    assert view.stack.text == view.finder.stack.text == gone


@pytest.fixture
def stored(theme: Theme, fake: FakeRecommending, tmp_path: Path) -> Iterator[Context]:
    """Two groups of two seeds."""
    workspace = Workspace(tmp_path)
    finish(workspace, 0.8, (1, 2))
    finish(workspace, 1.0, (1, 2), {"loss.contrastive_weight": 0.0})
    workspace.recommendations = fake  # type: ignore[assignment]
    made = make_context(workspace, theme, engine=Errands())
    yield made
    made.close()
    workspace.runs.close()


def test_compare_sets_a_run_of_each_group_side_by_side(qtbot: QtBot, stored: Context) -> None:
    page = ComparePage(stored)
    qtbot.addWidget(page)
    tab = page.parts["Recommendations"]
    assert isinstance(tab, RecommendationsTab)
    page.whole.show_content()
    page.stack.show_content()
    page.tabs.setCurrentIndex(TABS.index("Recommendations"))
    page.resize(1300, 800)
    page.show()
    runs = stored.workspace.runs.all()
    ids = stored.workspace.comparisons.groups([record.id for record in runs])
    found = stored.workspace.comparisons.compare(ids, metrics=("HR@10",), tested=("HR@10",))
    tab.show_comparison(found, ids, "HR@10")
    view = tab.place.widget
    qtbot.waitUntil(lambda: view.found is not None)
    assert view.run_ids == tuple(group[0] for group in ids)
    assert [choice.run for choice in view.choices] == [run for group in ids for run in group]
    assert view.choices[0].name.endswith("· seed 2")  # the newest first
    view.run_boxes[1].setCurrentIndex(2)
    view.run_boxes[1].activated.emit(2)
    assert view.run_ids == ids[0]
    fewer = stored.workspace.comparisons.compare(ids[:1], metrics=("HR@10",))
    tab.show_comparison(fewer, ids[:1], "HR@10")
    assert view.run_ids == ids[0]  # chosen by hand, and still offered
