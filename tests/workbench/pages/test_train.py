"""The Train page: what the button says, what it queues, where errors appear."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.config import parse, preset
from engine.errors import DataError, StoreError
from engine.records import DeviceInfo
from tests.helpers.fake_runs import FakeRuns
from workbench.context import Context
from workbench.forms.seeds import parse_seeds
from workbench.pages.train import SIDE_WIDTH, TrainPage, command_text, devices_text, summary


@pytest.fixture
def page(qtbot: QtBot, context: Context) -> TrainPage:
    made = TrainPage(context)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize(("seeds", "text"), [("1-3", "Queue 3 runs"), ("4", "Queue 1 run"), ("1,2,7", "Queue 3 runs")])
def test_the_button_says_what_it_will_do(page: TrainPage, seeds: str, text: str) -> None:
    page.seeds.setText(seeds)
    assert page.queue.text() == text
    assert page.queue.isEnabled()


def test_wrong_seeds_are_told_and_nothing_can_be_queued(page: TrainPage) -> None:
    page.seeds.setText("5-1")
    assert "backwards" in page.seeds_error.text()
    assert not page.queue.isEnabled()
    page.seeds.setText("1-5")
    assert page.seeds_error.isHidden()


def test_queue_writes_the_runs_and_shows_them(qtbot: QtBot, page: TrainPage, context: Context, runs: FakeRuns) -> None:
    page.seeds.setText("1,7")
    context.session.change({"train.epochs": 4})
    with qtbot.waitSignal(context.session.page_requested) as asked:
        qtbot.mouseClick(page.queue, Qt.MouseButton.LeftButton)
    assert asked.args == ["runs", {"tick": ["r0001", "r0002"]}]
    assert [run.seed for run in runs.all()] == [7, 1]
    assert {parse(run.config).train.epochs for run in runs.all()} == {4}
    assert {run.preset for run in runs.all()} == {"sample"}
    assert page.queue.text() == "Queue 2 runs"


def test_unreadable_data_is_told_at_its_field(
    qtbot: QtBot, page: TrainPage, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DataError("there is no such file.", "Choose another.", path="gone.txt")

    monkeypatch.setattr(context.workspace.runs, "submit", refuse)
    with qtbot.waitSignal(context.notifier.added):
        page.queue_runs()
    assert "gone.txt: there is no such file." in page.form.rows["data.path"].error_text
    assert page.queue.isEnabled()


def test_a_store_in_trouble_is_the_fault_of_no_field(
    qtbot: QtBot, page: TrainPage, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("coserec.db cannot be written (readonly).", "Check the folder's permissions.")

    with monkeypatch.context() as patched:
        patched.setattr(context.workspace.runs, "submit", refuse)
        with qtbot.waitSignals([context.notifier.added, context.control.refused]):
            page.queue_runs()
    assert {row.error_text for row in page.form.rows.values()} == {""}
    assert page.note.text() == "coserec.db cannot be written (readonly). Check the folder's permissions."
    assert not page.note.isHidden()
    with qtbot.waitSignal(context.session.page_requested):
        page.queue_runs()
    assert page.note.isHidden()


def test_a_wrong_setting_blocks_the_queue(qtbot: QtBot, page: TrainPage) -> None:
    page.form.rows["train.epochs"].editor.edited.emit("0")
    assert not page.queue.isEnabled()
    assert page.note.text() == "1 setting is refused; see the form."


def test_a_preset_keeps_the_data_set(page: TrainPage, context: Context) -> None:
    context.session.open_dataset("/data/Beauty.txt")
    page.choose_preset("coserec-paper-beauty")
    assert context.session.dataset == "/data/Beauty.txt"
    assert page.form.config.augment.short_length == 12
    assert page.changes_label.text() == "As the preset."
    assert page.preset.currentData() == "coserec-paper-beauty"


def test_scrolling_over_the_preset_chooses_no_other(page: TrainPage) -> None:
    chosen = page.preset.currentData()
    at = QPointF(page.preset.rect().center())
    event = QWheelEvent(
        *(at, page.preset.mapToGlobal(at), QPoint(0, 0), QPoint(0, -120)),
        *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False),
    )
    QApplication.sendEvent(page.preset, event)
    assert page.preset.currentData() == chosen


def test_a_preset_says_which_changes_it_takes_back(page: TrainPage, context: Context) -> None:
    page.choose_preset("sasrec")
    assert context.notifier.items == []
    context.session.change({"train.epochs": 50, "model.dropout": 0.3})
    page.choose_preset("coserec-paper-beauty")
    (told,) = context.notifier.items
    assert (
        told.text
        == "The preset's own values took the place of model.dropout 0.3, train.epochs 50. Ctrl+Z takes it back."
    )


def test_a_change_of_preset_is_undone_with_the_edits_before_it(page: TrainPage, context: Context) -> None:
    page.choose_preset("sasrec")
    assert not page.can_undo()
    context.session.change({"train.epochs": 50})
    before = page.form.config
    page.choose_preset("coserec-paper-beauty")
    page.undo()
    assert (page.form.config, context.session.preset, page.can_undo()) == (before, "sasrec", False)
    assert page.preset.currentData() == "sasrec"
    page.back.click()
    assert page.form.config != before
    page.undo()
    assert page.form.config == before
    page.choose_preset("coserec-paper-beauty")
    context.session.change({"train.epochs": 51})  # a new edit, which Undo would take away
    assert not page.can_undo()


def test_settings_from_another_page_arrive_in_the_form(page: TrainPage, context: Context) -> None:
    context.session.change({"augment.mask_rate": 0.33})
    assert page.form.rows["augment.mask_rate"].editor.value() == "0.33"
    assert "mask_rate" in page.changes_label.text()


def test_the_copied_command_says_only_what_differs(page: TrainPage, context: Context) -> None:
    context.session.change({"train.epochs": 5, "fidelity.rank_special_tokens": True, "data.path": "/a b/Beauty.txt"})
    page.seeds.setText("1-3,9")
    page.copy_command()
    parts = shlex.split(QGuiApplication.clipboard().text())
    assert parts[:7] == ["coserec", "train", "/a b/Beauty.txt", "--preset", "sample", "--seeds", "1-3,9"]
    assert parts[7:11] == ["--train.epochs", "5", "--fidelity.rank_special_tokens", "true"]
    assert parts[11:] == ["--workspace", str(context.workspace.directory)]


def test_runs_are_called_what_was_typed_and_the_next_ones_are_not(
    qtbot: QtBot, page: TrainPage, runs: FakeRuns
) -> None:
    page.name.setText("  my try ")
    page.seeds.setText("1-2")
    page.copy_command()
    parts = shlex.split(QGuiApplication.clipboard().text())
    assert parts[parts.index("--name") + 1] == "my try"
    page.queue_runs()
    qtbot.waitUntil(lambda: len(runs.all()) == 2)
    assert {record.name for record in runs.all()} == {"my try"}
    qtbot.waitUntil(lambda: page.name.text() == "")
    page.copy_command()
    assert "--name" not in QGuiApplication.clipboard().text()
    qtbot.waitUntil(page.can_queue)
    page.queue_runs()
    qtbot.waitUntil(lambda: len(runs.all()) == 4)
    assert sum(record.name == "my try" for record in runs.all()) == 2


def test_the_command_rebuilds_the_configuration() -> None:
    chosen = preset("coserec-published-beauty")
    config = chosen.config.replace({"augment.crop_rate": 0.35, "train.learning_rate": 0.0005})
    parts = shlex.split(command_text(config, chosen, parse_seeds("1")))
    values = {key.removeprefix("--"): value for key, value in zip(parts[7::2], parts[8::2], strict=True)}
    assert chosen.config.replace(values) == config


def test_no_gpu_is_said_plainly() -> None:
    cpu = DeviceInfo("cpu", "CPU, 2 cores", 8 << 30, 5 << 30)
    assert "No GPU: runs train on the CPU" in devices_text([cpu])
    gpu = devices_text([DeviceInfo("cuda", "H100", 80 << 30, 70 << 30), cpu])
    assert "H100: 70.0 GiB free of 80.0 GiB" in gpu
    assert "No GPU" not in gpu


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sasrec", "…, no views, at most 300 epochs"),
        (
            "coserec-two-stage",
            "…, 200 epochs of pre-training by contrast, then no views, at most 300 epochs",
        ),
        ("s3rec-paper", "S3-Rec, 100 epochs of pre-training, then no views, at most 300 epochs, patience 10"),
    ],
)
def test_the_summary_says_the_stages(name: str, told: str) -> None:
    assert summary(preset(name).config).removesuffix(", patience 40") == told.replace(
        "…", "Transformer (SASRec, CL4SRec, CoSeRec)"
    )


def test_another_model_brings_its_pre_training_into_the_form(page: TrainPage, context: Context) -> None:
    context.session.change({"model.name": "s3rec"})
    assert context.session.config.train.pretrain_epochs == 100
    page.form.show_field("train.pretrain_epochs")
    assert page.form.rows["train.pretrain_epochs"].editor.value() == "100"
    page.form.show_field("model.segment_weight")
    assert "model.segment_weight" in page.form.rows


def test_who_comes_or_edits_is_expected_to_train(qtbot: QtBot, page: TrainPage, context: Context) -> None:
    with qtbot.waitSignal(context.control.expected):
        page.page_shown()
    with qtbot.waitSignal(context.control.expected):
        page.form.rows["train.epochs"].editor.edited.emit("7")


def test_view_state_comes_back(qtbot: QtBot, page: TrainPage, context: Context) -> None:
    page.seeds.setText("3-9")
    page.form.folds["evaluate"].set_open(True)
    state = page.save_state()
    other = TrainPage(context)
    qtbot.addWidget(other)
    other.restore_state(state)
    assert other.seeds.text() == "3-9"
    assert other.form.folds["evaluate"].is_open
    other.restore_state({"seeds": 5, "open": [1], "x": Path})
    assert other.seeds.text() == "3-9"


def test_a_preset_for_other_data_says_so(page: TrainPage, context: Context) -> None:
    page.choose_preset("coserec-paper-beauty")
    assert "chosen for Beauty; open is Sample shop" in page.preset_note.text()
    page.choose_preset("sample")
    assert "chosen for" not in page.preset_note.text()


def test_more_runs_than_can_be_queued_are_told_before_they_are_asked_for(page: TrainPage) -> None:
    page.form.rows["train.epochs"].editor.edited.emit("1-200")
    page.seeds.setText("1-900")
    assert page.queue.text().splitlines()[0] == "Queue 180,000 runs"
    assert not page.queue.isEnabled()
    assert page.note.text() == "At most 2,000 runs are queued at once. Shorten a list, or the seeds."
    page.seeds.setText("1")
    assert page.grid_label.text() == "200 epochs × 1 seed = 200 runs"
    assert page.queue.isEnabled()
    assert page.note.isHidden()


def test_a_long_cost_does_not_widen_the_card(qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch) -> None:
    page.resize(1200, 800)
    page.show()
    monkeypatch.setattr(page.cost, "total_text", lambda *_: " · about 1,808 h 05 min and a good while more")
    page.form.rows["train.epochs"].editor.edited.emit("1-20")
    page.seeds.setText("1-99")
    assert page.queue.text() == "Queue 1,980 runs\nabout 1,808 h 05 min and a good while more"
    assert page.queue.minimumSizeHint().width() < SIDE_WIDTH
    assert "at most 1 epoch," in page.model_label.text()
