"""Bundles from the window: what the helper is asked for, and what is told afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import RunError
from engine.records import RunRecord
from tests.helpers.fake_runs import FakeRuns
from workbench.context import Context
from workbench.run_travel import RunTravel


class FakeBundles:
    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.asked: list[tuple[Any, ...]] = []
        self.error: RunError | None = None

    def write(self, run_id: str, destination: Path) -> Path:
        self.asked.append((run_id, destination))
        return destination

    def read(self, path: Path) -> RunRecord:
        self.asked.append((path,))
        if self.error is not None:
            raise self.error
        return self.record


@pytest.fixture
def record(runs: FakeRuns, context: Context) -> RunRecord:
    (made,) = runs.submit(context.session.config)
    return made


@pytest.fixture
def bundles(context: Context, record: RunRecord) -> FakeBundles:
    made = FakeBundles(record)
    context.workspace.bundles = made  # type: ignore[assignment]
    return made


@pytest.fixture
def travel(qtbot: QtBot, context: Context) -> RunTravel:
    page = QWidget()
    qtbot.addWidget(page)
    made = RunTravel(context, page)
    made.setProperty("page", page)
    made.page_kept = page  # type: ignore[attr-defined]
    return made


def told(context: Context) -> list[str]:
    return [item.text for item in context.notifier.items]


def test_a_run_is_written_where_the_dialog_says(
    qtbot: QtBot, context: Context, travel: RunTravel, bundles: FakeBundles, record: RunRecord, tmp_path: Path
) -> None:
    dialog = travel.ask_where(record)
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    dialog.fileSelected.emit(str(tmp_path / "x.zip"))
    dialog.close()
    qtbot.waitUntil(lambda: f"Wrote {tmp_path / 'x.zip'}." in told(context))
    assert bundles.asked == [(record.id, tmp_path / "x.zip")]


def test_a_run_that_is_taken_in_is_announced_and_read_from_the_store(
    qtbot: QtBot, context: Context, travel: RunTravel, bundles: FakeBundles, record: RunRecord, tmp_path: Path
) -> None:
    dialog = travel.ask_which()
    changed: list[bool] = []
    context.control.changed.connect(lambda: changed.append(True))
    with qtbot.waitSignal(travel.arrived) as caught:
        dialog.fileSelected.emit(str(tmp_path / "x.zip"))
    dialog.close()
    assert caught.args == [record.id]
    assert changed  # the feed looks at the store at once
    assert bundles.asked == [(tmp_path / "x.zip",)]


def test_a_file_that_is_no_bundle_is_told(
    qtbot: QtBot, context: Context, travel: RunTravel, bundles: FakeBundles, tmp_path: Path
) -> None:
    bundles.error = RunError("x.zip is no bundle of a run.", "Write it again.")
    travel.read(str(tmp_path / "x.zip"))
    qtbot.waitUntil(lambda: "x.zip is no bundle of a run." in told(context))
