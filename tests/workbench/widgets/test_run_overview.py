"""What the overview says of a run that is not done: its validation so far, and no time left while it stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.records import RunRecord, RunStatus
from tests.helpers.fake_runs import make_record
from workbench.context import Context
from workbench.item_models.run_columns import left_text
from workbench.live_feed import LiveBatch
from workbench.run_marking import RunMarking
from workbench.shell.status_bar import queue_text as shown_in_the_bar
from workbench.widgets.queue_time import phases_text, queue_seconds
from workbench.widgets.run_details import Overview

RUNNING = make_record("r1", status=RunStatus.RUNNING, attempt=1, epoch=3, epochs=4, best_epoch=1, seconds_left=29.0)
XS = np.array([1.0, 2.0, 3.0])
SERIES = {
    "valid/NDCG@20": (XS, np.array([0.1, 0.3, 0.4])),  # the best epoch is not where this one is highest
    "valid/HR@10": (XS, np.array([0.2, 0.5, 0.1])),
    "time/train_seconds": (XS, np.array([2.0, 2.0, 2.0])),
    "time/validate_seconds": (XS, np.array([1.0, 1.0, 1.0])),
}


@pytest.fixture
def overview(qtbot: QtBot, context: Context) -> Overview:
    made = Overview(context.theme, context.runs, RunMarking(context))
    qtbot.addWidget(made)
    return made


def take(context: Context, record: RunRecord) -> None:
    context.runs.take(LiveBatch((record,), {record.id: SERIES}, frozenset({record.id})))


def test_while_a_run_trains_its_best_epochs_validation_is_shown(overview: Overview, context: Context) -> None:
    take(context, RUNNING)
    overview.show_record(RUNNING)
    assert overview.values["valid", "NDCG@20"].text() == ".3000"
    assert overview.values["valid", "HR@10"].text() == ".5000"
    assert overview.values["valid", "MRR"].text() == overview.values["test", "HR@10"].text() == "–"
    said = overview.no_metrics
    assert said.text() == "Validation at the best epoch so far, 2. Test metrics come at the end."
    assert not said.isHidden()
    overview.show_record(replace(RUNNING, best_epoch=None))
    assert overview.values["valid", "NDCG@20"].text() == "–"
    assert said.text().startswith("There are none yet")
    overview.show_record(replace(RUNNING, status=RunStatus.STOPPED))
    assert said.text() == "Validation at epoch 2, the best until it ended. It was not tested."
    ended = replace(RUNNING, status=RunStatus.FINISHED, metrics={"valid": {"HR@10": 0.25}, "test": {"HR@10": 0.125}})
    overview.show_record(ended)
    assert [overview.values[split, "HR@10"].text() for split in ("valid", "test")] == [".2500", ".1250"]
    assert overview.values["valid", "NDCG@20"].text() == "–", "the stored metrics, and no others"
    assert said.isHidden()


def test_a_run_that_stops_has_no_time_left(overview: Overview, context: Context) -> None:
    take(context, RUNNING)
    overview.show_record(RUNNING)
    assert overview.left.text() == "Left at the present pace, 1 epoch: training 2 s, validation 1 s; then the test."
    assert left_text(RUNNING) == "29 s"
    assert shown_in_the_bar([RUNNING], 0) == "1 training, 29 s left"
    stopping = replace(RUNNING, stop_requested=True)
    take(context, stopping)
    overview.show_record(stopping)
    assert overview.left.isHidden()
    assert phases_text(stopping, context.runs) == left_text(stopping) == ""
    assert shown_in_the_bar([stopping], 0) == "1 training, stopping"
    assert queue_seconds(context.runs, {}) == (0.0, 0)
