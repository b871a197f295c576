"""Lists in the form: how many runs, what they cost, what reaches the store, what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytestqt.qtbot import QtBot

from engine.errors import ConfigurationError
from engine.records import RunStatus
from tests.helpers.fake_runs import EPOCH, FakeRuns, make_record
from workbench.context import Context
from workbench.forms.vary import parse_lists
from workbench.live_feed import LiveBatch
from workbench.pages.train import TrainPage


@pytest.fixture
def page(qtbot: QtBot, context: Context) -> TrainPage:
    made = TrainPage(context)
    qtbot.addWidget(made)
    made.seeds.setText("1-5")
    return made


def enter(page: TrainPage, path: str, text: str) -> None:
    page.form.show_field(path)
    field = page.form.rows[path].editor.field
    field.setText(text)  # type: ignore[attr-defined]
    page.form.rows[path].editor.edited.emit(text)


def test_a_list_in_a_field_multiplies_the_runs_and_a_single_value_ends_it(page: TrainPage) -> None:
    enter(page, "loss.contrastive_weight", "0, 0.05, 0.1")
    assert page.queue.text().startswith("Queue 15 runs")
    assert page.grid_label.text() == "3 contrastive_weight × 5 seeds = 15 runs"
    assert page.form.config.loss.contrastive_weight == 0
    assert page.form.rows["loss.contrastive_weight"].editor.value() == "0, 0.05, 0.1", "what is typed stays"
    enter(page, "loss.contrastive_weight", "0.1")
    assert page.queue.text().startswith("Queue 5 runs")


def test_a_list_stays_in_sight_under_another_model(page: TrainPage) -> None:
    enter(page, "model.hidden_size", "16, 32")
    page.form._edit("model.name", "gru4rec")
    assert page.lists == {"model.hidden_size": (16, 32)}
    assert page.form.rows["model.hidden_size"].editor.value() == "16, 32", "what is queued is what the form shows"


def test_one_value_in_the_line_holds_for_all_runs(page: TrainPage) -> None:
    page.vary.set_text("train.epochs = 3")
    assert "at most 3 epochs" in page.model_label.text()


def test_what_another_model_has_not_is_no_change_of_its_own(page: TrainPage) -> None:
    page.form._edit("model.name", "gru4rec")
    assert "model.heads" not in page._changes()
    page.choose_preset("sasrec")
    assert "None" not in page.context.notifier.items[-1].text


def test_a_wrong_value_in_a_list_is_named_at_its_field(page: TrainPage) -> None:
    enter(page, "augment.crop_rate", "0.1, 7")
    assert "7" in page.form.rows["augment.crop_rate"].error_text
    assert not page.can_queue()


def test_settings_without_a_text_field_are_varied_in_the_line(page: TrainPage) -> None:
    page.vary.line.setText("loss.next_item = bce, cross_entropy; fidelity.rank_special_tokens = true, false")
    assert page.queue.text().startswith("Queue 20 runs")
    page.vary.line.setText("loss.bce_negatives = 0, 1")
    assert page.vary.error.text().startswith("loss.bce_negatives"), "a path is written small"
    page.vary.line.setText("loss.nextitem = bce")
    assert "There is no setting 'loss.nextitem'" in page.vary.error.text()
    assert not page.can_queue()


def test_the_runs_of_a_grid_reach_the_store(qtbot: QtBot, page: TrainPage, runs: FakeRuns, context: Context) -> None:
    page.seeds.setText("1, 2")
    enter(page, "loss.contrastive_weight", "0, 0.1")
    with qtbot.waitSignal(context.session.page_requested):
        page.queue_runs()
    made = [(r.config["loss"]["contrastive_weight"], r.seed) for r in reversed(runs.all())]
    assert made == [(0.0, 1), (0.0, 2), (0.1, 1), (0.1, 2)]


def test_the_command_says_the_lists(page: TrainPage) -> None:
    enter(page, "model.layers", "1-3")
    page.copy_command()
    assert "--set model.layers=1,2,3" in page.context.notifier.items[-1].hint
    assert "--model.layers" not in page.context.notifier.items[-1].hint


def test_the_button_says_what_earlier_runs_of_the_kind_took(page: TrainPage, context: Context) -> None:
    config = page.form.config.model_dump(mode="json")
    ended = {"started_at": EPOCH, "ended_at": EPOCH + timedelta(minutes=10), "attempt": 1, "epoch": 9}
    record = make_record("r1", status=RunStatus.FINISHED, config=config, **ended)
    context.runs.take(LiveBatch((record,), {}, frozenset()))
    epochs = page.form.config.train.epochs
    assert page.queue.text() == f"Queue 5 runs · about {_hours(5 * epochs)}"


def _hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02d} min"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("layers", "no values"),
        ("train.seed = 1, 2", "field of their own"),
        ("model.layers = 1; model.layers = 2", "twice"),
    ],
)
def test_what_the_line_refuses(page: TrainPage, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        parse_lists(page.form.config, text)


def test_what_another_model_has_no_use_for_is_left_out(
    qtbot: QtBot, page: TrainPage, runs: FakeRuns, context: Context
) -> None:
    page.seeds.setText("1")
    enter(page, "augment.crop_rate", "0.3, 0.4")
    enter(page, "augment.mask_rate", "0.33")
    assert set(page.lists) == {"augment.crop_rate"}
    page.form._edit("model.name", "caser")
    assert not page.lists
    assert page.queue.text().startswith("Queue 1 run")
    page.copy_command()
    assert "augment" not in page.context.notifier.items[-1].hint
    with qtbot.waitSignal(context.session.page_requested):
        page.queue_runs()
    (record,) = runs.all()
    assert record.config["augment"] == page.chosen_preset.config.model_dump(mode="json")["augment"]
    assert record.config["model"]["name"] == "caser"


def test_a_list_of_what_the_model_does_not_read_is_told_below_the_line(page: TrainPage) -> None:
    page.form._edit("model.name", "caser")
    page.vary.line.setText("loss.next_item = bpr, cross_entropy")
    assert "Caser has several targets" in page.vary.error.text()
    assert not page.can_queue()
    page.vary.line.setText("model.name = caser, gru4rec")
    assert page.can_queue()


def test_what_one_run_of_a_grid_reads_is_kept_for_it(
    qtbot: QtBot, page: TrainPage, runs: FakeRuns, context: Context
) -> None:
    page.seeds.setText("1")
    enter(page, "augment.crop_rate", "0.3")
    enter(page, "loss.contrastive_weight", "0, 0.1")
    page.copy_command()
    assert "--augment.crop_rate 0.3" in page.context.notifier.items[-1].hint
    with qtbot.waitSignal(context.session.page_requested):
        page.queue_runs()
    made = {r.config["loss"]["contrastive_weight"]: r.config["augment"]["crop_rate"] for r in runs.all()}
    assert made == {0.0: page.chosen_preset.config.augment.crop_rate, 0.1: 0.3}


def test_what_does_not_train_is_queued_once(page: TrainPage) -> None:
    page.choose_preset("popularity")
    assert page.queue.text().startswith("Queue 1 run")
    assert "one run is enough" in page.grid_label.text()
    page.choose_preset("sasrec")
    assert page.queue.text().startswith("Queue 5 runs")
    assert page.grid_label.text() == ""
