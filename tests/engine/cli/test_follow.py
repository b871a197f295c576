"""Following runs from a terminal: who starts them, and what is told of those that wait."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from engine.cli import follow as module
from tests.helpers.fake_runs import make_record


class Waiting:
    """Runs of which one may start once it has been asked about as often as there are ``reasons``."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)
        self.started: list[str] = []

    def reason_to_wait(self, run_id: str) -> str:  # noqa: ARG002
        return self.reasons.pop(0) if self.reasons else ""

    def start(self, run_id: str) -> str:
        self.started.append(run_id)
        return f"process of {run_id}"


def test_what_it_waits_for_is_told_once_and_asked_once_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    runs: Any = Waiting("A trains.", "A trains.", "B trains.")
    record = make_record("r1", preset="sample", name="mine")
    turn = module._Turn(runs)
    assert turn.start(record) is None
    assert turn.start(record) is None, "asked just now"
    assert len(runs.reasons) == 2
    for _ in range(2):
        clock[0] += 1
        assert turn.start(record) is None
    assert not runs.started
    clock[0] += 1
    assert turn.start(record) == "process of r1"
    told = capsys.readouterr().err.splitlines()
    assert told == ["r1 (mine · seed 1) waits. A trains.", "r1 (mine · seed 1) waits. B trains."]
