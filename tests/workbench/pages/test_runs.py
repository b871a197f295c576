"""The Runs page against runs in memory, fed by the real live feed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.config import preset
from engine.errors import StoreError
from engine.records import RunStatus
from tests.helpers.fake_data import fill_runs
from tests.helpers.fake_runs import EPOCH, FakeRuns, make_record
from workbench.backstage import Backstage
from workbench.context import Context
from workbench.pages.runs import RunsPage
from workbench.widgets.run_details import configuration_rows, facts_of, fine_tuned_from, hybrid_from, hybrid_note


@pytest.fixture
def page(qtbot: QtBot, context: Context) -> Iterator[RunsPage]:
    backstage = Backstage(context)
    context.runs.records_changed.disconnect(backstage._start_training)
    backstage.feed.first_read.disconnect(backstage._start_training)
    made = RunsPage(context)
    made.resize(1200, 800)
    qtbot.addWidget(made)
    # The queue is another test's matter: here only the feed runs.
    backstage.feed.start()
    yield made
    backstage.feed.stop()


def test_an_empty_workspace_says_what_to_do(qtbot: QtBot, page: RunsPage, context: Context) -> None:
    qtbot.waitUntil(lambda: page.states.state == "empty")
    assert page.states.text == "No runs yet"
    with qtbot.waitSignal(context.session.page_requested) as asked:
        page.states._message.button.click()
    assert asked.args[0] == "train"


def test_a_store_out_of_reach_is_an_error_with_its_words(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    runs.fails = StoreError("The store is locked.", "Close the other program.")
    qtbot.waitUntil(lambda: page.states.state == "error")
    assert page.states.text == "The store is locked."
    runs.fails = None
    qtbot.waitUntil(lambda: page.states.state == "empty")


def test_running_runs_are_drawn_at_once_and_grow(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    assert page.model.ticked == ["r0007", "r0006"]
    plot = page.plots["validation"]
    qtbot.waitUntil(lambda: plot.drawn("r0006") is not None and len(plot.drawn("r0006")[0]) == 14)
    assert plot.chosen == "valid/NDCG@20"
    assert page.plots["losses"].chosen == "loss/total"
    runs.add_points("r0006", "valid/NDCG@20", [0.9], first_epoch=14)
    qtbot.waitUntil(lambda: len(plot.drawn("r0006")[0]) == 15)
    assert plot.drawn("r0006")[1][-1] == 0.9


def test_a_plot_waits_until_the_one_before_it_is_painted(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Growth, too, while more arrives: each plot is fed with all of it in its turn."""
    fill_runs(runs)
    plots = page.plots
    qtbot.waitUntil(lambda: all(plot.drawn("r0006") is not None for plot in plots.values()))
    page.curves._feeds += 1  # on a busy machine the last feed of the filling may still be on its way
    fed: list[tuple[str, set[str]]] = []
    for name, plot in plots.items():
        monkeypatch.setattr(plot, "set_curves", lambda curves, name=name: fed.append((name, set(curves))))
    page.curves.take({"r0006"})
    page.curves.take({"r0007"})
    assert fed == [("losses", {"r0006"})]
    qtbot.waitUntil(lambda: len(fed) == 3)
    assert sorted(fed[1:], key=str) == [("losses", {"r0007"}), ("validation", {"r0006", "r0007"})]
    fed.clear()
    page.curves.feed_all(is_new=False)
    assert [name for name, _ in fed] == ["losses"]
    qtbot.waitUntil(lambda: [name for name, _ in fed] == ["losses", "validation"])


def test_runs_that_another_page_draws_are_all_in_sight(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    """Whatever else makes the plots be fed anew meanwhile."""
    fill_runs(runs)
    qtbot.waitUntil(lambda: all(plot.drawn("r0006") is not None for plot in page.plots.values()))
    boxes = [plot.plot.getViewBox() for plot in page.plots.values()]
    for box in boxes:
        box.setRange(xRange=(100, 101), yRange=(100, 101), padding=0)
    page.open_state(tick=["r0001"])
    qtbot.waitUntil(lambda: all(box.autoRangeEnabled()[1] for box in boxes))


def test_only_ticked_runs_are_read_in_full(qtbot: QtBot, page: RunsPage, runs: FakeRuns, context: Context) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: context.runs.has_curves("r0006"))
    assert not context.runs.has_curves("r0001")
    page.model.toggle("r0001")
    qtbot.waitUntil(lambda: len(context.runs.curve("r0001", "valid/NDCG@20")[0]) == 20)


def test_space_in_the_table_draws_the_selected_run(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.table.select("r0001")
    page.toggle_current()
    assert "r0001" in page.model.ticked
    page.toggle_current()
    assert "r0001" not in page.model.ticked


@pytest.mark.parametrize(
    ("run", "stop", "resume", "word"),
    [
        ("r0006", True, False, "Stop"),
        ("r0008", True, False, "Cancel"),
        ("r0004", False, True, "Stop"),
        ("r0005", False, True, "Stop"),
        ("r0001", False, False, "Stop"),
    ],
)
def test_buttons_offer_what_the_state_allows(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, run: str, stop: bool, resume: bool, word: str
) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.table.select(run)
    assert page.stop_button.isEnabled() == stop
    assert page.resume_button.isEnabled() == resume
    assert page.stop_button.text() == word


def test_stop_cancel_and_resume_reach_the_store(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    for run, button, status in (
        ("r0006", page.stop_button, RunStatus.STOPPED),
        ("r0008", page.stop_button, RunStatus.CANCELLED),
        ("r0005", page.resume_button, RunStatus.QUEUED),
    ):
        page.table.select(run)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda run=run, status=status: page.context.runs.get(run).status is status)
    assert ("ensure_stopped", ("r0006", 2.0)) in runs.calls
    assert page.context.notifier.items == []


def test_settings_go_to_the_train_page(qtbot: QtBot, page: RunsPage, runs: FakeRuns, context: Context) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.table.select("r0003")
    with qtbot.waitSignal(context.session.page_requested) as asked:
        page.duplicate()
    assert asked.args == ["train", {"seeds": "3"}]
    assert context.session.config.augment.crop_rate == 0.4  # type: ignore[attr-defined]


def test_a_configuration_of_another_age_is_shown_but_not_taken(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, context: Context
) -> None:
    runs.put(make_record("r0001", config={"model": {"name": "gone"}}, status=RunStatus.FINISHED))
    qtbot.waitUntil(lambda: page.current is not None)
    page.open_state(run="r0001", tab="Configuration")
    assert "no longer understands" in page.configuration.note.text()
    assert page.configuration.table.item(0, 1).text() == "gone"
    with qtbot.waitSignal(context.notifier.added):
        page.duplicate()


def test_no_match_offers_to_clear_the_filter(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.filter.setText("no such thing")
    qtbot.waitUntil(lambda: page.matches.text == "No runs match")
    page.matches._message.button.click()
    assert page.model.rowCount() == 9
    assert page.matches.state == "content"


def test_news_show_the_details_once(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []
    plainly = page.tabs.show_record
    monkeypatch.setattr(page.tabs, "show_record", lambda record: shown.append(record) or plainly(record))
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page._show_state()
    page._show_state()
    before = len(shown)
    qtbot.waitUntil(lambda: len(shown) > before)
    assert not page._details.isActive()  # no more are on their way
    assert len(shown) == before + 1


def test_overview_says_how_a_run_ended(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.open_state(run="r0002", tab="Overview")
    assert "never began" in page.overview.hybrid.text()
    assert page.overview.values["test", "NDCG@20"].text() == ".1509"
    page.open_state(run="r0003")
    assert page.overview.message.text() == "The device's memory ran out.\nUse a smaller batch size."
    assert page.overview.values["test", "NDCG@20"].text() == "–"


def test_the_log_of_the_selected_run_is_read(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    page.show()
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.open_state(run="r0004", tab="Log")
    qtbot.waitUntil(lambda: page.log.toPlainText() == "log of r0004\n")
    page.open_state(run="r0005")
    qtbot.waitUntil(lambda: page.log.toPlainText() == "log of r0005\n")


def test_runs_just_queued_are_ticked_before_the_store_tells_of_them(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns
) -> None:
    page.open_state(tick=["r0001", "r0002"])
    runs.put(make_record("r0001"))
    runs.put(make_record("r0002", seed=2))
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    assert page.model.ticked == ["r0001", "r0002"]
    assert page.curve_states.text == "No values yet"


def test_view_state_comes_back_and_nonsense_is_passed_over(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, context: Context
) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.model.set_ticked(["r0002"])
    page.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    state = page.save_state()
    other = RunsPage(context)
    qtbot.addWidget(other)
    other.restore_state(state)
    assert other.model.ticked == ["r0002"]
    assert other.model.sorting == ("name", True)
    other.restore_state({"table": {"sort": ["x", 1], "widths": {"name": -4}, "hidden": 3}, "split": [0], "series": 1})
    assert other.model.sorting == ("name", True)


@pytest.mark.parametrize(("ticked", "kept"), [(["of", "another"], ["r0007", "r0006"]), (["of", "r0002"], ["r0002"])])
@pytest.mark.parametrize("is_read", [False, True])
def test_ticks_of_another_workspace_are_forgotten_once_this_one_is_read(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, ticked: list[str], kept: list[str], *, is_read: bool
) -> None:
    book = page.context.runs
    book.is_loaded = False  # the feed may have read the empty store already
    if not is_read:
        page.restore_state({"ticked": ticked, "seen": ["r0006", "r0007"]})
        assert page.model.ticked == ticked
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    book.set_loaded()
    if is_read:
        page.restore_state({"ticked": ticked, "seen": ["r0006", "r0007"]})
    assert page.model.ticked == kept
    assert f"{len(kept)} drawn" in page.heading.subtitle.text()


@pytest.mark.parametrize("grouped", [False, True])
def test_a_page_that_comes_back_before_the_store_has_told_anything_draws_all_in_the_end(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, *, grouped: bool
) -> None:
    page.context.runs.is_loaded = False  # the feed may have read the empty store already
    page.restore_state({"view": {"grouped": grouped}, "ticked": ["r0001", "r0006", "gone"]})
    page._redraw()
    assert page.curves.dropped.text() == ""
    page.show()
    fill_runs(runs)
    plot = page.plots["validation"]
    one = ["r0001"] if grouped else ["r0001", "r0006"]  # grouped, the seeds are one curve, called by its first
    qtbot.waitUntil(lambda: all(plot.drawn(run) is not None for run in one))
    qtbot.waitUntil(lambda: len(plot.drawn("r0001")[0]) == 20)
    qtbot.waitUntil(lambda: plot.plot.getViewBox().viewRange()[0][1] >= 20)
    assert page.curves.dropped.text() == ""


def test_what_differs_from_the_preset_stands_first() -> None:
    record = make_record(config={"augment": {"crop_rate": 0.4, "mask_rate": 0.7}, "train": {"seed": 9}})
    rows = configuration_rows(record)
    assert rows[0] == ("augment.crop_rate", "0.4", "0.2", True)
    assert not any(row[3] for row in rows[1:])


def test_where_the_hybrid_phase_begins() -> None:
    config = {"similarity": {"hybrid_after_epoch": 10}, "fidelity": {"hybrid_switch": "at_epoch"}}
    assert hybrid_from(make_record(config=config, hybrid_started=True)) == 10
    published = {**config, "fidelity": {"hybrid_switch": "after_epoch"}}
    assert hybrid_from(make_record(config=published, hybrid_started=True)) == 11
    assert hybrid_from(make_record(config=config, hybrid_started=False)) is None
    assert fine_tuned_from(make_record(config=config)) is None
    two = preset("s3rec-paper").config.replace({"loss.contrastive_weight": 0.1, "similarity.hybrid_after_epoch": 7})
    record = make_record(config=two.model_dump(mode="json"), hybrid_started=True)
    assert (hybrid_from(record), fine_tuned_from(record)) == (107, 100), "E counts from the first epoch with views"
    by_contrast = preset("coserec-two-stage").config.model_dump(mode="json")
    record = make_record(config=by_contrast, hybrid_started=True, attempt=1)
    assert (hybrid_from(record), fine_tuned_from(record)) == (160, 200)
    assert dict(facts_of(record))["Epochs"].endswith(", the first 200 pre-training")
    assert hybrid_note(make_record(hybrid_started=False, status=RunStatus.RUNNING)) == ""
    ended = make_record(config=config, hybrid_started=False, status=RunStatus.FINISHED, metrics={"test": {"MRR": 0.1}})
    assert "after epoch 10" in hybrid_note(ended)


def test_runs_just_queued_take_the_selection_from_an_older_one(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, context: Context
) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.table.select("r0001")
    page.open_state(tick=["r0099"])
    runs.put(make_record("r0099", preset="sample"))
    qtbot.waitUntil(lambda: [record.id for record in page.table.selected()] == ["r0099"])


def test_a_run_that_begins_to_train_is_drawn_by_itself_and_stays_unticked_when_unticked(
    qtbot: QtBot, page: RunsPage, runs: FakeRuns, context: Context
) -> None:
    runs.put(make_record("r0001", status=RunStatus.FINISHED))
    qtbot.waitUntil(lambda: page.model.ticked == ["r0001"])
    runs.put(make_record("r0002", status=RunStatus.RUNNING))
    qtbot.waitUntil(lambda: page.model.ticked == ["r0001", "r0002"])
    page.model.toggle("r0002")
    runs.change("r0002", epoch=3)
    qtbot.waitUntil(lambda: context.runs.get("r0002").epoch == 3)
    assert page.model.ticked == ["r0001"]
    state = page.save_state()
    runs.put(make_record("r0003", status=RunStatus.RUNNING))
    qtbot.waitUntil(lambda: page.model.rowCount() == 3)
    later = RunsPage(context)
    qtbot.addWidget(later)
    later.restore_state(state)
    assert later.model.ticked == ["r0001", "r0003"]


def test_who_unticks_everything_sees_nothing_though_a_run_goes_on(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.ticked == ["r0007", "r0006"])
    page.model.set_ticked([])
    runs.change("r0006", epoch=17)
    qtbot.waitUntil(lambda: page.context.runs.get("r0006").epoch == 17)
    assert page.model.ticked == []
    assert page.curves.state == "empty"


def test_no_more_than_eight_are_ticked_unasked(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    runs.put(make_record("r0000", status=RunStatus.FINISHED))
    qtbot.waitUntil(lambda: page.model.ticked == ["r0000"])
    for number in range(1, 11):
        runs.put(make_record(f"r{number:04d}", status=RunStatus.RUNNING))
    qtbot.waitUntil(lambda: page.model.rowCount() == 11)
    assert len(page.model.ticked) == 8


def test_queueing_does_not_untick_what_trains(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    fill_runs(runs)
    qtbot.waitUntil(lambda: page.model.rowCount() == 9)
    page.model.set_ticked(["r0001", "r0006"])
    page.open_state(tick=["r0099"])
    assert page.model.ticked == ["r0099", "r0006"]


def test_the_hybrid_note_speaks_of_metrics_only_where_there_are_some() -> None:
    ended = {"hybrid_started": False, "status": RunStatus.STOPPED}
    assert hybrid_note(make_record(**ended)) == ""
    metrics = {"test": {"MRR": 0.1}}
    said = make_record(**ended, metrics=metrics, message="Trained 3 epochs. The hybrid phase (E = 9) never began.")
    assert hybrid_note(said) == "The metrics are those of the memory-based correlation alone."
    assert "never began" in hybrid_note(make_record(**ended, metrics=metrics))


def test_what_a_later_attempt_took_is_called_so() -> None:
    ended = {"status": RunStatus.FINISHED, "started_at": EPOCH, "ended_at": EPOCH + timedelta(seconds=14)}
    assert ("Took", "14 s") in facts_of(make_record(attempt=1, **ended))
    assert ("Took (attempt 2)", "14 s") in facts_of(make_record(attempt=2, **ended))
    waits = make_record(attempt=2, status=RunStatus.QUEUED, started_at=EPOCH)
    assert ("So far (attempt 2)", "–") in facts_of(waits), "what waits to go on takes no time"


def test_the_overview_has_the_mean_reciprocal_rank_and_the_shops_name(qtbot: QtBot, page: RunsPage) -> None:
    page.overview.show_record(make_record(metrics={"test": {"MRR": 0.1234}}, status=RunStatus.FINISHED))
    assert page.overview.values["test", "MRR"].text() == ".1234"
    assert ("Data", "Sample shop") in facts_of(make_record(dataset="shop"))
    own = make_record(dataset="shop", config={"data": {"path": "/data/shop.txt"}})
    assert ("Data", "shop") in facts_of(own)


def test_every_tab_can_be_read_in_the_windows_first_size(qtbot: QtBot, page: RunsPage, runs: FakeRuns) -> None:
    """1,255 pixels are left of 1,360 beside the rail."""
    fill_runs(runs)
    page.context.theme.dress(page)
    page.resize(1255, 700)
    page.show()
    qtbot.waitUntil(lambda: page.states.state == "content")
    bar = page.tabs.tabBar()
    assert bar.sizeHint().width() <= page.tabs.width()
    assert all(bar.tabRect(place).right() < page.tabs.width() for place in range(bar.count()))
