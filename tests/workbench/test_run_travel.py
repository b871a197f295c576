"""Bundles from the window: what the helper is asked for, and what is told afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import RunError
from engine.records import RunRecord, RunStatus
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
    return replace(made, status=RunStatus.FINISHED)


@pytest.fixture
def bundles(context: Context, record: RunRecord) -> FakeBundles:
    made = FakeBundles(record)
    context.workspace.bundles = made  # type: ignore[assignment]
    return made


@pytest.fixture
def travel(qtbot: QtBot, context: Context, record: RunRecord) -> RunTravel:
    page = QWidget()
    qtbot.addWidget(page)
    made = RunTravel(context, page, lambda: [record])
    made.setProperty("page", page)
    made.page_kept = page  # type: ignore[attr-defined]
    return made


def told(context: Context) -> list[str]:
    return [item.text for item in context.notifier.items]


def test_a_run_is_written_where_the_dialog_says(
    qtbot: QtBot, context: Context, travel: RunTravel, bundles: FakeBundles, record: RunRecord, tmp_path: Path
) -> None:
    dialog = travel.write_bundle()
    assert dialog is not None
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    dialog.fileSelected.emit(str(tmp_path / "x.zip"))
    dialog.close()
    qtbot.waitUntil(lambda: f"Wrote {tmp_path / 'x.zip'}." in told(context))
    assert bundles.asked == [(record.id, tmp_path / "x.zip")]


def test_a_run_that_is_taken_in_is_announced_and_read_from_the_store(
    qtbot: QtBot, context: Context, travel: RunTravel, bundles: FakeBundles, record: RunRecord, tmp_path: Path
) -> None:
    dialog = travel.take_in()
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


class FakeRecommending:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def write_all(self, run_id: str, destination: Path) -> int:
        self.asked.append(("lists", run_id, destination))
        return 40

    def write_embeddings(self, run_id: str, destination: Path) -> tuple[int, int]:
        self.asked.append(("embeddings", run_id, destination))
        return 10, 4


@pytest.mark.parametrize(
    ("what", "suffixes"), [("lists", ["csv", "parquet"]), ("embeddings", ["npz", "csv", "parquet"])]
)
def test_lists_and_embeddings_are_written_where_the_dialog_says(
    qtbot: QtBot, context: Context, travel: RunTravel, record: RunRecord, tmp_path: Path, what: str, suffixes: list[str]
) -> None:
    context.workspace.recommendations = asked = FakeRecommending()  # type: ignore[assignment]
    dialog = {"lists": travel.write_lists, "embeddings": travel.write_embeddings}[what]()
    assert dialog is not None
    assert [kind.partition("*.")[2].rstrip(")") for kind in dialog.nameFilters()] == suffixes
    file = tmp_path / f"x.{suffixes[0]}"
    dialog.fileSelected.emit(str(file))
    dialog.close()
    qtbot.waitUntil(lambda: f"Wrote {file}." in told(context))
    assert asked.asked == [(what, record.id, file)]


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.QUEUED])
def test_only_one_run_that_has_ended_is_written(
    qtbot: QtBot, context: Context, record: RunRecord, status: RunStatus
) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    for chosen in ([], [record, record], [replace(record, status=status)]):
        travel = RunTravel(context, page, lambda chosen=chosen: chosen)  # type: ignore[misc]
        assert not travel.can_write()
        assert travel.write_bundle() is travel.write_lists() is travel.write_embeddings() is None
