"""Time left of runs and queue: from what earlier runs took, and no claim where nothing is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from pytestqt.qtbot import QtBot

from engine.config import parse, preset
from engine.records import QueueState, RunRecord, RunStatus
from tests.helpers.fake_runs import EPOCH, FakeRuns, make_record
from workbench.context import Context
from workbench.live_feed import LiveBatch
from workbench.run_book import RunBook
from workbench.widgets.queue_time import (
    _kind,
    earlier_pace,
    paces,
    phases_text,
    queue_seconds,
    queue_text,
    waiting_seconds,
)


def ended(run_id: str, seconds: float, **changes: Any) -> RunRecord:
    times = {"started_at": EPOCH, "ended_at": EPOCH + timedelta(seconds=seconds), "attempt": 1, "epoch": 9}
    return make_record(run_id, status=RunStatus.FINISHED, **times, **changes)


def book_of(*records: RunRecord) -> RunBook:
    book = RunBook()
    book.take(LiveBatch(records, {}, frozenset()))
    return book


def test_a_waiting_run_takes_what_its_like_took() -> None:
    book = book_of(ended("r1", 50.0), ended("r2", 20.0), make_record("r3"), make_record("r4", fingerprint="other"))
    pace = paces(book)
    assert waiting_seconds(book.get("r3"), pace) == 20.0 / 10 * 20, "the latest, by epochs"  # type: ignore[arg-type]
    assert waiting_seconds(book.get("r4"), pace) is None  # type: ignore[arg-type]
    assert queue_seconds(book, pace) == (40.0, 1)


def test_runs_side_by_side_share_the_queue() -> None:
    running = make_record("r2", status=RunStatus.RUNNING, seconds_left=30.0)
    book = book_of(ended("r1", 20.0), running, *(make_record(f"w{n}") for n in range(3)))
    pace = paces(book)
    assert queue_seconds(book, pace, 1) == (30 + 3 * 40, 0)
    # Two places: 40 + 40 beside 30 + 40.
    assert queue_seconds(book, pace, 2) == (80, 0)
    book.queue = QueueState(at_once={"cpu": 2})
    assert queue_text(book) == "1 training · 3 waiting · at most 1 min 20 s left"
    assert queue_text(book_of(ended("r1", 20.0))) == ""


def test_a_run_that_trains_says_its_time_by_phase() -> None:
    record = make_record("r1", status=RunStatus.RUNNING, epochs=12, hybrid_started=False)
    book = book_of(record)
    assert phases_text(record, book) == ""
    xs = np.array([1.0, 2.0])
    series = {"time/train_seconds": (xs, np.array([5.0, 7.0])), "time/validate_seconds": (xs, np.array([1.0, 1.0]))}
    book.take(LiveBatch((), {"r1": series}, frozenset()))
    told = phases_text(record, book)
    assert "10 epochs: training 1 min, validation 10 s" in told
    start = record.config["similarity"]["hybrid_after_epoch"]
    assert ("with the hybrid" in told) == (2 <= start < 12)


def two_stages(**values: Any) -> dict[str, Any]:
    return preset("coserec-two-stage").config.replace({"train.pretrain_epochs": 3, **values}).model_dump(mode="json")


def test_stages_have_times_of_their_own() -> None:
    record = make_record("r1", status=RunStatus.RUNNING, epochs=12, hybrid_started=False, config=two_stages())
    book = book_of(record)

    def told(*train: float) -> str:
        xs = np.arange(1.0, len(train) + 1)
        validate = np.array([0.0 if place < 3 else 1.0 for place in range(len(train))])
        series = {"time/train_seconds": (xs, np.array(train)), "time/validate_seconds": (xs, validate)}
        again = book_of(record)
        again.take(LiveBatch((), {"r1": series}, frozenset()))
        return phases_text(record, again)

    assert phases_text(record, book) == ""
    assert told(30.0) == (
        "Left at the present pace, 2 epochs of pre-training: 1 min; then at most 9 epochs of fine-tuning, whose "
        "pace is not known yet."
    )
    assert told(30.0, 30.0, 30.0) == "Left: at most 9 epochs of fine-tuning, whose pace is not known yet."
    assert told(30.0, 30.0, 30.0, 5.0, 7.0) == (
        "Left at the present pace, 7 epochs: training 42 s, validation 7 s; then the test."
    )


def test_the_hybrid_ahead_is_of_the_stage_that_has_views() -> None:
    xs, seconds = np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 5.0, 5.0, 5.0])
    series = {"time/train_seconds": (xs, seconds), "time/validate_seconds": (xs, seconds)}
    known = {"loss.contrastive_weight": 0.1, "similarity.hybrid_after_epoch": 5}
    for config, epochs in ((two_stages(**known), 7), (two_stages(), 0)):
        record = make_record("r1", status=RunStatus.RUNNING, epochs=12, hybrid_started=False, config=config)
        book = book_of(record)
        book.take(LiveBatch((), {"r1": series}, frozenset()))
        assert (f"of it {epochs} epochs with the hybrid" in phases_text(record, book)) == bool(epochs)


def test_a_run_of_two_stages_is_no_measure_of_one() -> None:
    one = preset("coserec-two-stage").config.replace({"train.pretrain_epochs": 0})
    done = ended("r1", 50.0, config=two_stages())
    pace = paces(book_of(done))
    assert waiting_seconds(make_record("r2", config=two_stages()), pace) == 50.0 / 10 * 20
    assert waiting_seconds(make_record("r3", config=one.model_dump(mode="json")), pace) is None


def test_an_epoch_that_slept_says_nothing_of_other_runs(qtbot: QtBot, context: Context, runs: FakeRuns) -> None:
    """Ten epochs of 2 s, one of them of 202: the mean is 22, and what the stored epochs tell is 2."""
    done = ended("r1", 220.0)
    book = book_of(done, make_record("r2"))
    runs.paces["r1"] = 2.0
    with qtbot.waitSignal(context.paces.changed):
        assert paces(book, context.paces.of) == {_kind(done): 22.0}, "until the store has told"
    assert paces(book, context.paces.of) == {_kind(done): 2.0}
    assert queue_text(book, context.paces.of) == "0 training · 1 waiting · at most 40 s left"
    assert earlier_pace(book, parse(done.config), context.paces.of) == 2.0
    assert runs.calls.count(("pace", "r1")) == 1, "read once, and kept"
    assert context.paces.of(ended("r3", 60.0)) == 6.0, "a run whose epochs are not stored has its mean"
