"""Following runs from a terminal: who starts them, what is told of those that wait, and what Ctrl+C does to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from engine.cli import follow as module
from engine.config import preset
from engine.errors import StoreError
from engine.records import FeedBatch, FeedCursor, PointBlock, RunRecord, RunStatus
from engine.runs import patience
from tests.helpers.fake_runs import make_record


class Waiting:
    """Queued runs of this terminal. Whoever asks for a turn hears the next of ``reasons``, and gets it after the last;
    a run that is started stays queued for two looks, as one whose process is starting, and then ends."""

    def __init__(self, *reasons: str, ids: Sequence[str] = ("r1",)) -> None:
        self.reasons = list(reasons)
        config = preset("sample").config.model_dump(mode="json")
        self.records = {run_id: make_record(run_id, preset="sample", config=config, name="mine") for run_id in ids}
        self.log: list[str] = []
        self.looks = 0

    def get(self, run_id: str) -> RunRecord:
        return self.records[run_id]

    def changes(self, cursor: FeedCursor, _: object) -> FeedBatch:
        self.looks += 1
        return FeedBatch(tuple(self.records.values()), (), cursor)

    def take_turn(self, run_id: str) -> str:
        self.log.append(f"ask {run_id}")
        return self.reasons.pop(0) if self.reasons else ""

    def leave_turn(self) -> None:
        self.log.append("leave")

    def start(self, run_id: str) -> Any:
        self.log.append(f"start {run_id}")
        return Process(self, run_id)

    def sweep(self) -> None:
        self.log.append("sweep")

    def request_stop(self, run_id: str) -> None:
        self.log.append(f"stop {run_id}")
        if self.records[run_id].status is RunStatus.QUEUED:
            self.to(run_id, RunStatus.CANCELLED)

    def ensure_stopped(self, run_id: str, patience: float) -> None:  # noqa: ARG002
        self.log.append(f"wait {run_id}")
        self.to(run_id, RunStatus.STOPPED)

    def to(self, run_id: str, status: RunStatus) -> None:
        self.records[run_id] = replace(self.records[run_id], status=status)


class Process:
    def __init__(self, runs: Waiting, run_id: str) -> None:
        self.runs, self.run_id, self.polls = runs, run_id, 0

    def poll(self) -> int | None:
        self.polls += 1
        if self.polls == 3:
            self.runs.log.append(f"begun {self.run_id}")
            self.runs.to(self.run_id, RunStatus.RUNNING)
        if self.polls == 5:
            self.runs.to(self.run_id, RunStatus.FINISHED)
            return 0
        return None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Time that passes only while somebody sleeps; a callback may be set that every sleep calls."""
    now, called = [100.0], [lambda: None]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        called[0]()

    played = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(module, "time", played)
    monkeypatch.setattr(patience, "time", played)

    def set_callback(callback: Callable[[], None]) -> None:
        called[0] = callback

    return set_callback


def test_the_turn_is_kept_until_what_was_started_has_begun(clock: object) -> None:
    runs: Any = Waiting(ids=("r1", "r2"))
    ended = module.follow(runs, ["r1", "r2"])
    assert [run.status for run in ended] == [RunStatus.FINISHED] * 2
    turns = [entry for entry in runs.log if entry != "sweep"]
    assert turns == [
        *("ask r1", "start r1", "begun r1", "leave"),
        *("ask r2", "start r2", "begun r2", "leave"),
    ]


def test_what_a_run_waits_for_is_asked_once_a_second_and_told_once_where_it_lasts(
    clock: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs: Any = Waiting("passes", "A trains.", "A trains.", "A trains.", "B trains.", "B trains.")
    module.follow(runs, ["r1"])
    told = [line for line in capsys.readouterr().err.splitlines() if "waits" in line]
    assert told == ["r1 (mine · seed 1) waits. A trains.", "r1 (mine · seed 1) waits. B trains."]
    assert runs.log.count("ask r1") == 7
    assert runs.looks >= 6 * 5, "the terminal looks five times a second, and asks once"


def test_ctrl_c_while_it_waits_takes_it_out_of_the_queue_and_speaks_of_no_checkpoint(
    clock: Callable[[Callable[[], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    runs: Any = Waiting(*["A trains."] * 99, ids=("r1", "r2"))

    def interrupt() -> None:
        if runs.log.count("ask r1") == 3:
            raise KeyboardInterrupt

    clock(interrupt)
    ended = module.follow(runs, ["r1", "r2"])
    assert [run.status for run in ended] == [RunStatus.CANCELLED] * 2
    assert runs.log[-2:] == ["stop r2", "stop r1"], "the queue's end first"
    assert "start r1" not in runs.log
    assert "checkpoint" not in capsys.readouterr().err


def test_ctrl_c_while_it_starts_leaves_the_turn_to_others(
    clock: Callable[[Callable[[], None]], None],
) -> None:
    runs: Any = Waiting()

    def interrupt() -> None:
        if "start r1" in runs.log and "stop r1" not in runs.log:
            raise KeyboardInterrupt

    clock(interrupt)
    module.follow(runs, ["r1"])
    assert runs.log == ["ask r1", "start r1", "leave", "stop r1"]


def test_ctrl_c_asks_before_it_tells(
    clock: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a pipe the same Ctrl+C has ended whoever read it."""
    runs: Any = Waiting(ids=("r1", "r2"))
    runs.to("r1", RunStatus.RUNNING)

    def interrupt() -> None:
        raise KeyboardInterrupt

    clock(interrupt)
    monkeypatch.setattr(module, "tell", lambda text: runs.log.append(text.partition(" …")[0]))
    ended = module.follow(runs, ["r1", "r2"])
    assert [run.status for run in ended] == [RunStatus.STOPPED, RunStatus.CANCELLED]
    asked = runs.log.index("stop r2")
    assert runs.log[asked : asked + 4] == ["stop r2", "stop r1", "Stopping with a checkpoint", "wait r1"]


class Troubled(Waiting):
    """The first run trains; the store refuses what ``refuses`` names until ``recovered``."""

    def __init__(self, *refuses: str) -> None:
        super().__init__(ids=("r1", "r2"))
        self.refuses = list(refuses)

    def _answer(self, what: str) -> None:
        self.log.append(what)
        if what in self.refuses:
            raise StoreError("The store cannot be written.", "Make room.")

    def changes(self, cursor: FeedCursor, _: object) -> FeedBatch:
        self._answer("look")
        return super().changes(cursor, _)

    def leave_turn(self) -> None:
        self._answer("leave")

    def request_stop(self, run_id: str) -> None:
        self._answer(f"ask {run_id} to stop")
        super().request_stop(run_id)

    def ensure_stopped(self, run_id: str, patience: float) -> None:
        self.refuses.clear()
        super().ensure_stopped(run_id, patience)


def test_a_store_in_trouble_is_told_once_and_waited_out(
    clock: Callable[[Callable[[], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    runs: Any = Troubled("leave")
    slept = [0]

    def recover() -> None:
        slept[0] += 1
        if slept[0] == 100:
            runs.refuses.clear()

    clock(recover)
    ended = module.follow(runs, ["r1", "r2"])
    assert [run.status for run in ended] == [RunStatus.FINISHED] * 2
    told = [line for line in capsys.readouterr().err.splitlines() if "cannot be written" in line]
    assert told == [
        "The store cannot be written. Make room. What trains goes on, and is followed again when the store answers."
    ]


def test_a_store_in_trouble_for_long_ends_it_where_nothing_trains(clock: object) -> None:
    runs: Any = Troubled("look")
    with pytest.raises(StoreError):
        module.follow(runs, ["r1", "r2"])
    # Every look takes 0.2 s of the clock: 600 s of them.
    assert runs.log.count("look") == pytest.approx(3000, abs=3)


def test_ctrl_c_while_the_store_is_in_trouble_stops_all_the_same(
    clock: Callable[[Callable[[], None]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Who waits for the end ends the process with a signal; then what could not be asked is asked again."""
    runs: Any = Troubled("ask r1 to stop", "ask r2 to stop")
    runs.to("r1", RunStatus.RUNNING)

    def interrupt() -> None:
        raise KeyboardInterrupt

    clock(interrupt)
    ended = module.follow(runs, ["r1", "r2"])
    assert [run.status for run in ended] == [RunStatus.STOPPED, RunStatus.CANCELLED]
    assert capsys.readouterr().err.count("The store cannot be written.") == 1


class Resumed(Waiting):
    """A run that is queued again, or, as ``begun``, one that another process has taken up already."""

    def __init__(self, *, begun: bool = False) -> None:
        super().__init__()
        status, attempt = (RunStatus.RUNNING, 2) if begun else (RunStatus.QUEUED, 1)
        self.records["r1"] = replace(self.records["r1"], status=status, attempt=attempt, epochs=9, seconds_left=77.0)

    def changes(self, cursor: FeedCursor, _: object) -> FeedBatch:
        blocks = tuple(PointBlock("r1", n, (1,), (n + 4,), (0,), ("loss/next_item",), (0.5,)) for n in (1, 2))
        return FeedBatch(tuple(self.records.values()), blocks, cursor)


@pytest.mark.parametrize("begun", [False, True])
def test_a_resumed_run_tells_its_new_epochs_alone(begun: bool, capsys: pytest.CaptureFixture[str]) -> None:
    runs: Any = Resumed(begun=begun)
    module.Printer(runs, ["r1"]).update()
    told = [line for line in capsys.readouterr().err.splitlines() if "epoch" in line]
    assert [line.partition("  ")[0] for line in told] == ["r1 epoch 7/9"], "epoch 6 was of the attempt before"
