"""The leaderboard's window: what is ticked, planned, queued and measured, on a real store and without a training."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.config import ExperimentConfig, standing_presets
from engine.errors import OutOfMemoryError, StoreError
from engine.records import CostEstimate, RunStatus
from tests.helpers.finished_runs import end
from workbench.context import Context, make_context
from workbench.engine_process import Errands
from workbench.item_models.leaderboard_rows import METRICS
from workbench.pages import page
from workbench.theme import Theme
from workbench.widgets import leaderboard_rehearsals
from workbench.widgets.leaderboard_dialog import LeaderboardDialog, open_leaderboard

FEW = ["sasrec", "gru4rec-strong", "popularity"]
COST = CostEstimate("cpu", 9, 9, 4.0, 1.0, 0.0, 0.0, 1.0, 0, epochs=60, model_epochs=0, pretrain_seconds=13.2)
"""60 epochs of 5 s: all of the 5 minutes that the tests give."""


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Recommenders that were rehearsed, which takes no time and no torch here."""
    asked: list[str] = []

    def estimate(_: object, config: ExperimentConfig) -> CostEstimate:
        asked.append(config.model.name)
        if config.model.name == "bert4rec":
            raise OutOfMemoryError("A batch does not fit.", "Lower something.")
        return replace(COST, pretrain_epochs=config.train.pretrain_epochs)

    monkeypatch.setattr("engine.api.costs.Costs.estimate", estimate)
    monkeypatch.setattr(leaderboard_rehearsals, "REST_MS", 0)
    return asked


@pytest.fixture
def board_context(theme: Theme, tmp_path: Path, rehearsed: list[str]) -> Iterator[Context]:
    made = make_context(Workspace(tmp_path / "workspace"), theme, engine=Errands())
    made.settings.write("leaderboard/models", FEW)
    made.settings.write("leaderboard/seeds", "1,2")
    made.settings.write("leaderboard/minutes", 5.0)
    yield made
    made.workspace.runs.close()
    made.close()


@pytest.fixture
def dialog(qtbot: QtBot, board_context: Context) -> LeaderboardDialog:
    made = LeaderboardDialog(board_context)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.plan is not None, timeout=30_000)  # the first one imports SQLAlchemy
    return made


def cell(dialog: LeaderboardDialog, preset: str, head: str) -> str:
    model = dialog.model
    index = model.index(model.order.index(preset), model.heads.index(head))
    return str(model.data(index) or "")


def measured(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    """Two of three models have finished."""
    workspace = dialog.context.workspace
    queued = {(run.preset, run.seed): run for run in workspace.runs.all()}
    end(workspace, [queued["gru4rec-strong", 1], queued["gru4rec-strong", 2]], 0.5, ended_by="time", seconds=301)
    end(workspace, [queued["popularity", 1]], 1.0)
    dialog.ask()
    qtbot.waitUntil(lambda: dialog.board is not None, timeout=20_000)


def test_the_strongest_are_ticked_and_the_button_says_what_it_takes(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    assert dialog.foot.queue.text() == "Queue 5 runs · at most 20 min"
    assert cell(dialog, "sasrec", "Runs") == "2 new"
    assert cell(dialog, "popularity", "Runs") == "1 new"
    assert "does not train" in cell(dialog, "popularity", "To know")
    assert cell(dialog, "bpr-mf-strong", "Runs") == ""
    dialog.tick_strongest()
    assert dialog.model.ticked == tuple(item.name for item in standing_presets("sample"))
    assert not dialog.foot.queue.isEnabled()  # until the new plan is there
    qtbot.waitUntil(lambda: dialog.plan is not None)
    count = 2 * len(dialog.model.ticked) - 1
    assert dialog.foot.queue.text().startswith(f"Queue {count} runs")


def test_queueing_submits_what_is_missing_once(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    with qtbot.waitSignal(dialog.context.control.changed):
        qtbot.mouseClick(dialog.foot.queue, Qt.MouseButton.LeftButton)
    runs = dialog.context.workspace.runs.all()
    assert len(runs) == 5
    assert {run.config["train"]["max_minutes"] for run in runs} == {5.0}
    qtbot.waitUntil(lambda: dialog.foot.queue.text() == "Nothing to queue")
    assert not dialog.foot.queue.isEnabled()
    assert cell(dialog, "sasrec", "Runs") == "2 queued"
    assert "5 waiting or training" in dialog.told.text()


def test_what_waits_can_be_taken_out_of_the_queue_and_goes_on_later(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    assert dialog.foot.stop.isHidden()
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.foot.stop.text() == "Stop 5 runs")
    assert not dialog.foot.stop.isHidden()
    with qtbot.waitSignal(dialog.context.control.changed):
        qtbot.mouseClick(dialog.foot.stop, Qt.MouseButton.LeftButton)
    assert not {RunStatus.QUEUED, RunStatus.RUNNING} & {run.status for run in dialog.context.workspace.runs.all()}
    dialog.ask()
    qtbot.waitUntil(lambda: dialog.foot.queue.text().startswith("Queue 5 runs"))
    assert dialog.foot.stop.isHidden()


def test_the_table_fills_in_and_opens_in_compare(qtbot: QtBot, dialog: LeaderboardDialog, tmp_path: Path) -> None:
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.plan is not None and bool(dialog.plan.waiting))
    measured(qtbot, dialog)
    board = dialog.board
    assert board is not None
    assert dialog.model.order[:2] == ["gru4rec-strong", "popularity"]
    assert dialog.table.currentIndex().row() == 0  # and stays with the best
    best = board.rows[0]
    assert best.metrics is not None
    assert best.stds is not None
    shown = f"{best.metrics['NDCG@20']:.4f} ± {best.stds['NDCG@20']:.4f}".replace("0.", ".")
    assert cell(dialog, "gru4rec-strong", "NDCG@20") == shown
    assert cell(dialog, "gru4rec-strong", "Place") == "1"
    assert cell(dialog, "gru4rec-strong", "Epochs") == "3 · time up"
    assert cell(dialog, "gru4rec-strong", "Minutes") == "5.0"
    assert cell(dialog, "gru4rec-strong", "p, Holm") == "best"
    assert cell(dialog, "popularity", "p, Holm") == f"{board.rows[1].p:.2g}"
    assert cell(dialog, "sasrec", "NDCG@20") == ""
    with qtbot.waitSignal(dialog.context.notifier.added):
        dialog.export_to(str(tmp_path / "board.csv"))
    assert len(pd.read_csv(tmp_path / "board.csv")) == 3
    csv = "".join(dialog.model.csv_parts())
    assert len(csv.splitlines()) == 4
    with qtbot.waitSignal(dialog.context.session.page_requested) as asked:
        qtbot.mouseClick(dialog.foot.compare, Qt.MouseButton.LeftButton)
    assert asked.args is not None
    assert asked.args[0] == "compare"
    assert asked.args[1]["runs"] == [*best.run_ids, *board.rows[1].run_ids]
    assert not dialog.isVisible()


def test_what_was_measured_for_another_time_is_not_shown_for_this_one(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.plan is not None and bool(dialog.plan.waiting))
    measured(qtbot, dialog)
    assert cell(dialog, "gru4rec-strong", "NDCG@20")
    dialog.minutes.setValue(dialog.minutes.value() / 2)
    assert [cell(dialog, "gru4rec-strong", head) for head in ("Place", "NDCG@20", "Epochs", "Minutes")] == [""] * 4


def test_a_run_that_ends_is_seen_without_being_asked_for(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.plan is not None and bool(dialog.plan.waiting))
    workspace = dialog.context.workspace
    (popularity,) = [run for run in workspace.runs.all() if run.preset == "popularity"]
    end(workspace, [popularity])
    dialog._refresh.setInterval(0)
    record = workspace.runs.get(popularity.id)
    other = replace(record, id="another")
    dialog.context.runs.records_changed.emit([other])
    assert not dialog._refresh.isActive()
    dialog.context.runs.records_changed.emit([record])
    qtbot.waitUntil(lambda: dialog.board is not None, timeout=20_000)
    assert cell(dialog, "popularity", "Runs") == "1 done"
    assert dialog.foot.compare.text() == "Open in Compare"


def test_everything_by_keyboard(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    assert dialog.table.hasFocus() or not dialog.isActiveWindow()
    first = dialog.model.order[0]
    was = first in dialog.model.ticked
    dialog.table.selectRow(0)
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    assert (first in dialog.model.ticked) is not was
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert (first in dialog.model.ticked) is was
    qtbot.waitUntil(lambda: dialog.plan is not None)
    for field in (dialog.seeds, dialog.minutes, dialog.device):  # entering a value is no order to train
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert dialog.context.workspace.runs.all() == ()
    qtbot.waitUntil(lambda: dialog.foot.queue.isEnabled())
    (shortcut,) = dialog.findChildren(QShortcut)
    assert shortcut.key().toString() == "Ctrl+Return"
    shortcut.activated.emit()
    qtbot.waitUntil(lambda: len(dialog.context.workspace.runs.all()) == 5)
    for widget in (dialog.table, dialog.seeds, dialog.minutes, dialog.device, dialog.sorting, dialog.foot.queue):
        assert widget.accessibleName() or widget.text()  # type: ignore[union-attr]


def test_wrong_seeds_and_nothing_ticked_are_told(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.seeds.setText("3-1")
    qtbot.waitUntil(lambda: "backwards" in dialog.problem.text())
    assert not dialog.foot.queue.isEnabled()
    assert not dialog.foot.copy.isEnabled()
    dialog.seeds.setText("1")
    qtbot.waitUntil(lambda: dialog.plan is not None)
    assert dialog.problem.isHidden()
    dialog.model.set_ticked(())
    qtbot.waitUntil(lambda: dialog.told.text() == "Tick the presets that take part.")
    assert not dialog.foot.queue.isEnabled()


def test_a_preset_that_cannot_run_is_a_row_that_says_why(
    qtbot: QtBot, dialog: LeaderboardDialog, tmp_path: Path
) -> None:
    shop = tmp_path / "shop.txt"
    shop.write_text("\n".join(f"{u} {u} {u + 1} {u + 2} {u + 3} {u + 4}" for u in range(1, 13)) + "\n")
    dialog.context.session.open_dataset(str(shop))
    assert "shop.txt" in dialog.subtitle.full
    dialog.model.set_ticked(["sasrec", "sasrec-sampled-softmax"])
    qtbot.waitUntil(lambda: dialog.plan is not None)
    assert cell(dialog, "sasrec-sampled-softmax", "Runs") == "cannot run"
    assert "256 negatives" in cell(dialog, "sasrec-sampled-softmax", "To know")
    dialog.table.selectRow(dialog.model.order.index("sasrec-sampled-softmax"))
    assert "256 negatives" in dialog.row_note.text()
    dialog.table.selectRow(dialog.model.order.index("sasrec"))
    assert dialog.row_note.isHidden()
    assert "1 cannot run" in dialog.told.text()


def test_data_that_cannot_be_read_are_told_in_place(qtbot: QtBot, dialog: LeaderboardDialog, tmp_path: Path) -> None:
    dialog.context.session.open_dataset(str(tmp_path / "gone.txt"))
    qtbot.waitUntil(lambda: dialog.stack.state == "error")
    assert "gone.txt" in dialog.stack.text
    assert not dialog.foot.queue.isEnabled()
    dialog.context.session.open_dataset("sample")
    qtbot.waitUntil(lambda: dialog.stack.state == "content")


def test_what_cannot_be_queued_is_told(
    qtbot: QtBot, dialog: LeaderboardDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise StoreError("The store cannot be written.", "Make room.")

    monkeypatch.setattr(dialog.context.workspace.leaderboards, "start", refuse)
    with qtbot.waitSignal(dialog.context.notifier.added):
        dialog.queue_runs()
    assert "cannot be written" in dialog.problem.text()
    assert dialog.foot.queue.isEnabled()


def test_closed_while_it_asks_nothing_comes_back_and_the_queue_is_filled_all_the_same(
    qtbot: QtBot, board_context: Context
) -> None:
    closed = LeaderboardDialog(board_context)
    closed.show()
    qtbot.waitUntil(lambda: closed.plan is not None, timeout=30_000)
    closed.ask()
    with qtbot.waitSignal(board_context.control.changed, timeout=30_000):
        closed.queue_runs()
        with qtbot.waitSignal(closed.destroyed):
            closed.close()
    assert len(board_context.workspace.runs.all()) == 5


def test_the_copied_command_asks_for_the_same(dialog: LeaderboardDialog) -> None:
    dialog.copy_command()
    parts = shlex.split(QGuiApplication.clipboard().text())
    assert parts[:3] == ["coserec", "leaderboard", "sample"]
    given = dict(zip(parts[3::2], parts[4::2], strict=False))
    assert given["--models"] == "sasrec,popularity,gru4rec-strong"
    assert (given["--seeds"], given["--budget-minutes"], given["--metric"]) == ("1-2", "5", "NDCG@20")
    assert given["--workspace"] == str(dialog.context.workspace.directory)


def test_another_metric_comes_first_and_the_choice_comes_back(
    qtbot: QtBot, dialog: LeaderboardDialog, board_context: Context
) -> None:
    dialog.sorting.setCurrentIndex(METRICS.index("HR@10"))
    dialog.sorting.activated.emit(dialog.sorting.currentIndex())
    dialog.minutes.setValue(7.5)
    assert dialog.model.heads[3] == "HR@10"
    assert sorted(dialog.model.metrics) == sorted(METRICS)
    qtbot.waitUntil(lambda: dialog.plan is not None)
    other = LeaderboardDialog(board_context)
    other.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(other)
    assert (other.chosen_metric, other.minutes.value(), set(other.model.ticked)) == ("HR@10", 7.5, set(FEW))
    qtbot.waitUntil(lambda: other.plan is not None)


def test_it_is_opened_once_from_train_and_compare(qtbot: QtBot, board_context: Context) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    one = open_leaderboard(board_context, window)
    assert open_leaderboard(board_context, window) is one
    for name in ("train", "compare"):
        assert [command.shortcut for command in page(name).commands if command.id == "leaderboard"] == ["Ctrl+L"]
    qtbot.waitUntil(lambda: one.plan is not None, timeout=30_000)
    with qtbot.waitSignal(one.destroyed):
        one.close()
    other = open_leaderboard(board_context, window)
    qtbot.waitUntil(lambda: other.plan is not None, timeout=30_000)


def test_what_is_typed_while_it_plans_keeps_the_focus(qtbot: QtBot, board_context: Context) -> None:
    made = LeaderboardDialog(board_context)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    made.seeds.setFocus()
    QTest.keyClicks(made.seeds, ",3")
    qtbot.waitUntil(lambda: made.plan is not None, timeout=30_000)
    assert made.focusWidget() is made.seeds


def test_a_field_that_was_gone_to_while_it_plans_keeps_the_focus(qtbot: QtBot, board_context: Context) -> None:
    """Nothing has been typed yet when the table comes, and the next key would have been lost to it."""
    made = LeaderboardDialog(board_context)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    assert made.focusWidget() is not made.seeds
    QTest.mouseClick(made.seeds, Qt.MouseButton.LeftButton)
    made.seeds.setFocus()
    qtbot.waitUntil(lambda: made.plan is not None, timeout=30_000)
    assert made.focusWidget() is made.seeds


def test_no_button_moves_when_another_one_says_something_else(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    """Above all none comes to stand where another one was: a double click would queue again what it has stopped."""
    foot = dialog.foot
    buttons = (foot.close_button, foot.copy, foot.save, foot.compare, foot.queue)
    before = [item.geometry() for item in buttons]
    dialog.queue_runs()
    qtbot.waitUntil(foot.stop.isVisible)
    qtbot.wait(0)
    assert [item.geometry() for item in buttons] == before
    assert foot.stop.geometry().right() < min(place.left() for place in before)
    foot.compare.setText("Open 120 runs in Compare")
    foot.queue.setText("Queue 99 runs, 99 waiting · at most 16 h 40 min")
    qtbot.wait(0)
    assert [item.geometry() for item in buttons] == before


def test_a_time_below_the_least_becomes_the_least(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.minutes.selectAll()
    QTest.keyClicks(dialog.minutes, "0.05")
    QTest.keyClick(dialog.minutes, Qt.Key.Key_Return)
    assert dialog.minutes.value() == 0.1
    qtbot.waitUntil(lambda: dialog.plan is not None and dialog.plan.request.minutes == 0.1)


def test_a_failed_run_is_counted_and_stands_below_the_places(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.plan is not None and bool(dialog.plan.waiting))
    workspace = dialog.context.workspace
    queued = {(run.preset, run.seed): run for run in workspace.runs.all()}
    end(workspace, [queued["popularity", 1]])
    end(workspace, [queued["gru4rec-strong", 1]], status=RunStatus.FAILED)
    dialog.ask()
    qtbot.waitUntil(lambda: dialog.board is not None, timeout=20_000)
    assert dialog.model.order[0] == "popularity"
    assert set(dialog.model.order[1:3]) == {"sasrec", "gru4rec-strong"}
    assert "1 finished · 3 waiting or training · 1 failed" in dialog.told.text()


def test_a_time_that_is_too_short_is_told_before_it_is_spent(
    qtbot: QtBot, dialog: LeaderboardDialog, rehearsed: list[str]
) -> None:
    qtbot.waitUntil(lambda: rehearsed == ["gru4rec"])  # sasrec's rate stays, popularity does not train
    qtbot.waitUntil(lambda: "Rehears" not in dialog.told.text())
    assert dialog.warnings.isHidden()  # its 5 minutes are just enough
    dialog.minutes.setValue(2.5)
    qtbot.waitUntil(lambda: dialog.warnings.isVisible())
    said = (
        "its learning rate falls over 60 epochs, about 5 min by a rehearsal: its 2.5 minutes end it near epoch 30 of 60"
    )
    assert dialog.warnings.text().startswith(f"{dialog.model.presets['gru4rec-strong'].title}: {said}")
    assert said in cell(dialog, "gru4rec-strong", "To know")
    assert cell(dialog, "sasrec", "To know") == ""
    assert rehearsed == ["gru4rec"]  # another time is judged at once
    dialog.model.set_ticked(["s3rec-strong", "bert4rec-paper"])
    qtbot.waitUntil(lambda: dialog.warnings.text().count("\n") == 1)
    assert (
        "20 epochs of pre-training alone take about 4 min 24 s by a rehearsal, more than its 2.5 minutes"
        in dialog.warnings.text()
    )
    assert "could not be rehearsed: A batch does not fit. Lower something." in dialog.warnings.text()
    assert ".." not in dialog.warnings.text()
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.plan is not None and bool(dialog.plan.waiting))
    assert dialog.warnings.isVisible()  # it still holds of what waits
    assert len(rehearsed) == 3


def test_nothing_is_rehearsed_while_a_run_trains(
    qtbot: QtBot, board_context: Context, rehearsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trains = [True]
    monkeypatch.setattr(type(board_context.runs), "with_status", lambda *_: [None] * trains[0])
    made = LeaderboardDialog(board_context)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: "is rehearsed when nothing trains" in made.told.text(), timeout=30_000)
    assert rehearsed == []
    trains[0] = False
    qtbot.waitUntil(lambda: rehearsed == ["gru4rec"])


def test_another_plan_ends_a_rehearsal(
    qtbot: QtBot, dialog: LeaderboardDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr("engine.api.costs.Costs.estimate", lambda *_: gate.wait(10) and COST)
    dialog.model.set_ticked(["sasrec-strong"])
    qtbot.waitUntil(lambda: "1 to go" in dialog.told.text())
    dialog.model.set_ticked(["sasrec"])
    assert "to go" not in dialog.told.text()
    gate.set()
    qtbot.waitUntil(lambda: dialog.plan is not None and not dialog.context.engine.is_busy)
    dialog.minutes.setValue(0.5)
    qtbot.waitUntil(lambda: dialog.plan is not None)
    assert dialog.warnings.isHidden()


def test_a_row_says_that_its_time_ended_it_while_the_rate_was_high(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.queue_runs()
    qtbot.waitUntil(lambda: dialog.plan is not None and bool(dialog.plan.waiting))
    measured(qtbot, dialog)
    said = "seeds 1, 2 ended by time at epochs 3, 3 of 60, before their learning rate had fallen"
    assert cell(dialog, "gru4rec-strong", "To know") == said


def test_what_only_is_evaluated_is_given_no_time(qtbot: QtBot, dialog: LeaderboardDialog) -> None:
    dialog.model.set_ticked(["popularity"])
    qtbot.waitUntil(lambda: dialog.plan is not None)
    assert dialog.foot.queue.text() == "Queue 1 run"
