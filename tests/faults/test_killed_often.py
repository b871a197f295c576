"""kill -9 at many random moments of a real training: the result is the uninterrupted one, bit for bit."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.config import ExperimentConfig, preset
from engine.records import RunStatus
from tests.helpers.waiting import wait_for

KILLS = 50
EPOCHS = 120
LONGEST_LIFE = 6.0
"""Seconds: about half of it is starting, so kills fall into every phase."""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")]


def settings() -> ExperimentConfig:
    """The sample shop, hybrid from early on, a checkpoint every second, and at every second epoch's end."""
    return preset("sample").config.replace(
        {
            "model.hidden_size": 16,
            "train.epochs": EPOCHS,
            "train.patience": 1000,
            "train.device": "cpu",
            "train.checkpoint_epochs": 2,
            "train.checkpoint_minutes": 1 / 60,
            "similarity.hybrid_after_epoch": 3,
        }
    )


def finish(workspace: Workspace, run_id: str) -> None:
    """Start the run and wait for its end."""
    process = workspace.runs.start(run_id)
    wait_for(lambda: process.poll() is not None, seconds=1500)
    assert workspace.runs.get(run_id).status is RunStatus.FINISHED


def test_killed_fifty_times_equals_uninterrupted(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "workspace"))
    whole, parts = (workspace.runs.submit(settings(), preset="sample", seeds=(1,))[0] for _ in range(2))
    finish(workspace, whole.id)
    chance = random.Random(5)
    for _ in range(KILLS):
        process = workspace.runs.start(parts.id)
        deadline = time.monotonic() + chance.uniform(0, LONGEST_LIFE)
        wait_for(lambda: time.monotonic() > deadline or process.poll() is not None, seconds=60)  # noqa: B023
        assert process.poll() is None, "the run was over before it was killed often enough"
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: process.poll() is not None)  # noqa: B023
        workspace.runs.sweep()
        if workspace.runs.get(parts.id).status is not RunStatus.QUEUED:
            workspace.runs.resume(parts.id)
    finish(workspace, parts.id)

    told = [
        [
            (point.epoch, point.name, point.value)
            for point in workspace.runs.points(run_id)
            if point.name.startswith(("loss/", "valid/"))
        ]
        for run_id in (whole.id, parts.id)
    ]
    assert sorted(told[1]) == sorted(told[0])
    assert [epoch.epoch for epoch in workspace.runs.epochs(parts.id)] == list(range(EPOCHS))
    assert workspace.runs.get(parts.id).metrics == workspace.runs.get(whole.id).metrics
    assert workspace.runs.get(parts.id).attempt > KILLS // 2
