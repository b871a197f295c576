"""What the window's menus offer and when, an empty palette, another workspace, and what the window is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.records import RunStatus
from tests.helpers.fake_runs import make_record
from workbench.live_feed import LiveBatch
from workbench.main_window import MainWindow
from workbench.pages.home import HomePage


def test_an_open_menu_greys_what_cannot_be_done_and_its_keys_work_again_afterwards(window: MainWindow) -> None:
    """As the context menu of the table does: a run that trains is not archived."""
    window.show_page("runs")
    records = (make_record("r1", status=RunStatus.RUNNING), make_record("r2", status=RunStatus.FINISHED))
    window.context.runs.take(LiveBatch(records, {}, frozenset()))
    page, archive, trash = window.built_page("runs"), *(window.table.actions[f"runs.{n}"] for n in ("archive", "trash"))
    menu = next(action.menu() for action in window.menuBar().actions() if action.text() == "Runs")
    for run_id, can in (("r1", False), ("r2", True)):
        page.table.select(run_id)  # type: ignore[union-attr]
        menu.aboutToShow.emit()  # type: ignore[attr-defined]
        assert (archive.isEnabled(), trash.isEnabled()) == (can, can)
        window.context.runs.take(LiveBatch(records, {}, frozenset()))
        assert archive.isEnabled() == can, "news come while it is open"
        menu.aboutToHide.emit()  # type: ignore[attr-defined]
        assert archive.isEnabled(), "a disabled action lets its key fall through to something else"


def test_a_palette_without_a_match_says_so(qtbot: QtBot, window: MainWindow) -> None:
    palette = window.palette_popup
    palette.open()
    qtbot.keyClicks(palette.field, "zzzq")
    assert [palette.list.item(row).text() for row in range(palette.list.count())] == ["No command matches “zzzq”."]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible(), "there is nothing to run"
    palette.hide()


def test_a_folder_can_be_opened_as_a_workspace(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    own = HomePage.open_workspace
    monkeypatch.setattr(HomePage, "open_workspace", lambda _, path: opened.append(path))
    window.table.run("file.workspace")
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.fileSelected.emit(str(tmp_path / "other"))
    dialog.close()
    assert opened == [str(tmp_path / "other")]
    own(window.page_widget("home"), str(window.context.workspace.directory))  # type: ignore[arg-type]
    assert "is open in this window" in window.context.notifier.items[-1].text


def test_the_title_names_a_workspace_that_is_not_the_usual_one(window: MainWindow, tmp_path: Path) -> None:
    assert window.windowTitle() == f"Sample shop – {tmp_path.name} – CoSeRec Workbench"
    window.context.workspace.is_default = True
    window._show_title()
    assert window.windowTitle() == "Sample shop – CoSeRec Workbench"
    assert Workspace().is_default
    assert Workspace(Workspace().directory).is_default
    assert not Workspace(tmp_path).is_default
