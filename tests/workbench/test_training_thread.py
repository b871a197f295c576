"""The window's work on the queue: one run at a time, others respected, ends told, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from engine.errors import RunError
from engine.records import QueueState, RunRecord, RunStatus
from tests.helpers.fake_runs import FakeRuns, make_record
from workbench.training_thread import TrainingThread, describe_end


@pytest.fixture
def training(qtbot: QtBot, runs: FakeRuns) -> Iterator[TrainingThread]:
    made = TrainingThread(runs)  # type: ignore[arg-type]
    yield made
    made.stop()


def queue(runs: FakeRuns, *ids: str) -> None:
    for run_id in ids:
        runs.put(make_record(run_id))


def test_one_run_after_another(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    queue(runs, "r1", "r2")
    ended: list[RunRecord] = []
    training.run_ended.connect(ended.append)
    with qtbot.waitSignal(training.run_started) as started:
        training.start()
    assert started.args == ["r1"]
    assert training.run_id == "r1"
    assert runs.get("r2").status is RunStatus.QUEUED
    runs.change("r1", status=RunStatus.FINISHED)
    with qtbot.waitSignal(training.run_started) as started:
        runs.processes[0].code = 0
        training.nudge()
    assert started.args == ["r2"]
    qtbot.waitUntil(lambda: [record.id for record in ended] == ["r1"])
    assert threading.main_thread().name not in runs.threads


def test_it_waits_while_another_trains(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    queue(runs, "r1")
    runs.put(make_record("elsewhere", status=RunStatus.RUNNING))
    with qtbot.assertNotEmitted(training.run_started, wait=200):
        training.start()
        training.nudge()
    with qtbot.waitSignal(training.run_started):
        runs.change("elsewhere", status=RunStatus.FINISHED)
        training.nudge()


def test_as_many_at_once_as_the_device_may_have(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    runs.rules = QueueState(at_once={"cpu": 2})
    queue(runs, "r1", "r2", "r3")
    training.start()
    qtbot.waitUntil(lambda: training.run_ids == ("r1", "r2"))
    with qtbot.assertNotEmitted(training.run_started, wait=100):
        training.nudge()
    runs.change("r2", status=RunStatus.FINISHED)
    with qtbot.waitSignal(training.run_started) as started:
        runs.processes[1].code = 0
        training.nudge()
    assert started.args == ["r3"]
    assert training.run_ids == ("r1", "r3")


def test_a_paused_queue_starts_nothing(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    runs.rules = QueueState(is_paused=True)
    queue(runs, "r1")
    with qtbot.assertNotEmitted(training.run_started, wait=200):
        training.start()
    with qtbot.waitSignal(training.run_started):
        runs.rules = QueueState()
        training.nudge()


def test_a_run_that_cannot_be_started_fails_and_the_next_is_started(
    qtbot: QtBot, runs: FakeRuns, training: TrainingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = runs.start

    def refuse_first(run_id: str) -> object:
        if run_id == "r1":
            raise RunError("Run r1 cannot be started.", "Check the folder.")
        return start(run_id)

    monkeypatch.setattr(runs, "start", refuse_first)
    queue(runs, "r1", "r2")
    with qtbot.waitSignal(training.run_started) as started:
        training.start()
    assert started.args == ["r2"]
    assert (runs.get("r1").status, runs.get("r1").message) == (RunStatus.FAILED, "Run r1 cannot be started.")


def test_it_leaves_the_queue_to_another_worker(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    queue(runs, "r1")
    runs.has_other_worker = True
    with qtbot.assertNotEmitted(training.run_started, wait=200):
        training.start()
    runs.has_other_worker = False
    with qtbot.waitSignal(training.run_started):
        training.nudge()


def test_an_empty_queue_is_given_back(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    queue(runs, "r1")
    with qtbot.waitSignal(training.run_started):
        training.start()
    runs.change("r1", status=RunStatus.FINISHED)
    runs.processes[0].code = 0
    training.nudge()
    qtbot.waitUntil(lambda: ("drop_queue", None) in runs.calls)


def test_no_more_runs_are_taken_when_told_so(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    training.start()
    training.take_no_more()
    queue(runs, "r1")
    with qtbot.assertNotEmitted(training.run_started, wait=200):
        training.nudge()
    with qtbot.waitSignal(training.run_started):
        training.take_again()


def test_trouble_is_told_once(
    qtbot: QtBot, runs: FakeRuns, training: TrainingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run_id: str) -> None:
        raise RunError(f"Run {run_id} cannot be started.")

    monkeypatch.setattr(runs, "start", refuse)
    queue(runs, "r1")
    told: list[BaseException] = []
    training.trouble.connect(told.append)
    training.start()
    qtbot.waitUntil(lambda: bool(told))
    for _ in range(3):
        training.nudge()
        qtbot.wait(50)
    assert [str(error) for error in told] == ["Run r1 cannot be started."]


def test_a_lost_run_is_told(
    qtbot: QtBot, runs: FakeRuns, training: TrainingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = make_record("r9", status=RunStatus.LOST)
    monkeypatch.setattr(runs, "sweep", lambda: (lost,))
    with qtbot.waitSignal(training.run_lost) as told:
        training.start()
    assert told.args == [lost]


def standing(runs: FakeRuns) -> list[str]:
    """What was asked about processes on standby."""
    return [name for name, _ in runs.calls if name.startswith("stand_")]


def test_an_expected_run_finds_a_process_ready(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    training.start()
    training.expect_run()
    qtbot.waitUntil(lambda: standing(runs) == ["stand_by"])
    training.stop()
    assert standing(runs) == ["stand_by", "stand_down"], "none is left behind"


def test_none_is_kept_ready_beside_one_that_trains(qtbot: QtBot, runs: FakeRuns, training: TrainingThread) -> None:
    queue(runs, "r1")
    training.start()
    qtbot.waitUntil(lambda: training.run_ids == ("r1",))
    training.expect_run()
    for _ in range(2):  # after the second look the first is over
        training.nudge()
        qtbot.waitUntil(lambda: not training._wake.is_set())
    assert standing(runs) == []
    runs.change("r1", status=RunStatus.FINISHED)
    runs.processes[0].code = 0
    training.nudge()
    qtbot.waitUntil(lambda: standing(runs) == ["stand_by"])


def test_it_is_not_kept_for_ever(
    qtbot: QtBot, runs: FakeRuns, training: TrainingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    training.start()
    training.expect_run()
    qtbot.waitUntil(lambda: standing(runs) == ["stand_by"])
    monkeypatch.setattr("workbench.training_thread.EXPECT_SECONDS", -1.0)
    training.expect_run()
    qtbot.waitUntil(lambda: standing(runs) == ["stand_by", "stand_down"])


def test_ends_in_words() -> None:
    failed = make_record(preset="gone", name="a run", status=RunStatus.FAILED, message="Out of memory.")
    assert describe_end(failed, "a run") == ("a run failed. Out of memory.", "error")
    assert describe_end(make_record(status=RunStatus.FINISHED), "a run") == (
        "a run finished.",
        "good",
    )
