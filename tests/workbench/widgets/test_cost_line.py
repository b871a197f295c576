"""The cost on the Train page: asked for, told, void once settings change, cancelled."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.config import duration_text
from engine.errors import DataError
from engine.records import CostEstimate
from workbench.context import Context
from workbench.pages.train import TrainPage
from workbench.widgets import cost_line
from workbench.widgets.cost_line import estimate_text

FOUND = CostEstimate(
    *("cpu", 22_363, 88, 17.8, 0.72, 0.9, 0.4, 1.4, 2**27),
    epochs=300,
    model_epochs=139,
)


@pytest.fixture
def page(qtbot: QtBot, context: Context) -> TrainPage:
    made = TrainPage(context)
    qtbot.addWidget(made)
    return made


def answer(monkeypatch: pytest.MonkeyPatch, page: TrainPage, what: Any) -> list[Any]:
    asked = []

    def estimate(config: Any) -> CostEstimate:
        asked.append(config)
        if isinstance(what, threading.Event):
            what.wait(10)
        if isinstance(what, Exception):
            raise what
        return FOUND

    monkeypatch.setattr(page.context.workspace.costs, "estimate", estimate)
    return asked


def rehearsing(page: TrainPage, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A rehearsal is under way, and ends when the event is set."""
    gate = threading.Event()
    answer(monkeypatch, page, gate)
    page.cost.toggle()
    return gate


def test_the_estimate_is_told_and_the_button_multiplies_it(
    qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, page, None)
    page.seeds.setText("1-3")
    assert page.queue.text() == "Queue 3 runs"
    with qtbot.waitSignal(page.cost.changed):
        qtbot.mouseClick(page.cost.button, Qt.MouseButton.LeftButton)
    assert "18 s training (88 steps), 0.72 s validation" in page.cost.text.text()
    assert "0.9 s an epoch, in at most 139 of 300" in page.cost.text.text()
    assert page.queue.text() == "Queue 3 runs · at most 4 h 44 min"
    page.seeds.setText("7")
    assert page.queue.text() == "Queue 1 run · at most 1 h 34 min"
    assert len(asked) == 1


def test_a_changed_setting_voids_it_and_another_seed_does_not(
    qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, page, None)
    with qtbot.waitSignal(page.cost.changed):
        page.cost.toggle()
    page.context.session.change({"train.seed": 9})
    assert "at most" in page.queue.text()
    page.context.session.change({"model.hidden_size": 32})
    assert page.cost.text.text() == cost_line.VOID
    assert "at most" not in page.queue.text()


def test_an_answer_to_settings_of_before_is_not_shown(
    qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = rehearsing(page, monkeypatch)
    assert page.cost.button.text() == "Cancel"
    page.context.session.change({"model.hidden_size": 32})
    assert page.cost.button.text() == cost_line.ASK
    gate.set()
    qtbot.waitUntil(lambda: not page.context.engine.is_busy)
    assert page.cost.estimate is None


def test_cancel_and_errors_leave_it_as_it_was(qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = rehearsing(page, monkeypatch)
    page.cost.toggle()
    assert page.cost.text.text() == cost_line.UNKNOWN
    gate.set()
    qtbot.waitUntil(lambda: not page.context.engine.is_busy)
    answer(monkeypatch, page, DataError("there is no such file.", "Choose another."))
    page.cost.toggle()
    qtbot.waitUntil(lambda: "no such file" in page.cost.error.text())
    assert page.cost.button.text() == cost_line.ASK


def test_who_queues_does_not_wait_for_the_rehearsal(
    qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = rehearsing(page, monkeypatch)
    page.queue_runs()
    assert page.cost.button.text() == cost_line.ASK
    assert page.cost.text.text() == cost_line.UNKNOWN
    gate.set()
    qtbot.waitUntil(lambda: not page.context.engine.is_busy)
    assert page.cost.estimate is None


def test_what_a_run_does_not_do_is_not_named() -> None:
    plain = CostEstimate("cpu", 0, 0, 0.0, 0.0, 0.0, 0.0, 1.0, 2**20, epochs=0, model_epochs=0)
    text = estimate_text(plain)
    assert "epoch" not in text
    assert "Neighbours" not in text
    assert text.splitlines()[1:] == ["Test: 1 s."]


def test_both_stages_are_told(qtbot: QtBot, page: TrainPage, monkeypatch: pytest.MonkeyPatch) -> None:
    two = replace(FOUND, pretrain_epochs=100, pretrain_steps=44, pretrain_seconds=9.0, model_epochs=40)
    lines = estimate_text(two).splitlines()
    assert lines[0].startswith("One run: at most 1 h 48 min")
    assert lines[1] == "Pre-training, 100 epochs: 9 s each (44 steps)."
    assert "in at most 40 of 400" in lines[4]
    assert two.most_seconds == pytest.approx(100 * 9 + 300 * 18.52 + 40 * 0.9 + 0.4 + 1.4)
    monkeypatch.setattr(page.context.workspace.costs, "estimate", lambda _: two)
    with qtbot.waitSignal(page.cost.changed):
        page.cost.toggle()
    # Half of the epochs is half of their time; pre-training stays whole.
    half = 900 + (two.most_seconds - 900) / 2
    assert page.cost.total_text(1, {"train.epochs": (150,)}) == f" · about {duration_text(half)}"


def test_what_does_not_train_is_not_counted_in_epochs(page: TrainPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_line, "earlier_pace", lambda *_: 6.0)
    page.seeds.setText("1")
    page.choose_preset("sasrec")
    assert page.queue.text() == "Queue 1 run · about 30 min"
    page.choose_preset("popularity")
    assert page.queue.text() == "Queue 1 run"
