"""Closing the window leaves every run in the store's file, for whoever copies that file alone."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.config import ExperimentConfig
from workbench.backstage import Backstage
from workbench.context import make_context
from workbench.engine_process import Errands
from workbench.theme import Theme


@pytest.fixture
def backstage(qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    """On a store with two runs that wait, and a queue that is somebody else's."""
    workspace = Workspace(tmp_path / "workspace")
    monkeypatch.setattr(workspace.runs, "take_queue", lambda: False)
    workspace.runs.submit(ExperimentConfig(), seeds=(1, 2))
    made = Backstage(make_context(workspace, theme, engine=Errands()))
    with qtbot.waitSignal(made.feed.first_read):
        made.feed.start()
    return made


def test_no_run_is_left_in_the_log(backstage: Backstage, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    assert (folder / "coserec.db-wal").stat().st_size > 0
    backstage.close()
    backstage.wait(60)
    assert sorted(path.name for path in folder.iterdir()) == ["coserec.db"]
    shutil.copyfile(folder / "coserec.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_closing_waits_for_no_disk(backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> None:
    leaves, may_leave = threading.Event(), threading.Event()
    real = backstage.context.workspace.runs.leave

    def slow() -> None:
        leaves.set()
        may_leave.wait(60)
        real()

    monkeypatch.setattr(backstage.context.workspace.runs, "leave", slow)
    backstage.close()
    assert leaves.wait(60)
    backstage.wait(0.01)
    assert backstage._leaving is not None
    assert backstage._leaving.is_alive(), "the window is closed already"
    may_leave.set()
    backstage.wait(60)
