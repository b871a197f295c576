"""The window as a whole: pages, actions, docks, state, closing, and what it must never import."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QTabBar, QTabWidget
from pytestqt.qtbot import QtBot

from engine.errors import RunError
from engine.records import RunStatus
from tests.helpers.fake_runs import FakeRuns
from workbench.context import Context
from workbench.main_window import MainWindow
from workbench.pages import pages
from workbench.settings import Settings
from workbench.shell import page_maker
from workbench.shell.palette import CommandPalette, full_name, match
from workbench.widgets.import_dialog import ImportDialog
from workbench.widgets.lazy import Lazy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def context(engine_context: Context) -> Context:
    return engine_context


@pytest.fixture
def window(window: MainWindow) -> MainWindow:
    window.show_page("train")
    return window


def train_one(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    """Bring the window into the state where its own run trains."""
    runs.submit(window.context.session.config, seeds=(1, 2), preset="sample")
    window.show()
    window.backstage.start()
    qtbot.waitUntil(lambda: window.backstage.training.run_id == "r0001")
    qtbot.waitUntil(lambda: bool(window.context.runs.with_status(RunStatus.RUNNING)))


def test_every_page_opens_and_ctrl_number_leads_to_it(qtbot: QtBot, window: MainWindow) -> None:
    for number, page in enumerate(pages(), 1):
        assert window.table.actions[f"page.{page.id}"].shortcut().toString() == f"Ctrl+{number}"
        window.table.run(f"page.{page.id}")
        assert window.current_page == page.id
        assert window.stack.page is window.page_widget(page.id)


@pytest.mark.parametrize("page_id", ["dataset", "neighbours", "augment", "runs", "compare"])
def test_alt_number_leads_to_every_tab(qtbot: QtBot, window: MainWindow, page_id: str) -> None:
    """The commands name the tabs as they stand in the page."""
    window.show_page(page_id)
    page = window.page_widget(page_id)
    tabs: QTabWidget = page.tabs  # type: ignore[attr-defined]
    keys = [row for row in window.table.specs.values() if row.id.startswith(page_id) and row.shortcut[:4] == "Alt+"]
    rows = [row for row in keys if row.shortcut[4:].isdigit()]
    assert [row.shortcut for row in rows] == [f"Alt+{place}" for place in range(1, tabs.count() + 1)]
    for place, row in enumerate(rows):
        assert tabs.tabText(place) in row.text or page_id == "dataset"
        row.callback()
        assert tabs.currentIndex() == place


def test_every_control_has_an_accessible_name(window: MainWindow) -> None:
    for page in ("train", "runs"):
        widget = window.page_widget(page)
        for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox):
            for control in widget.findChildren(kind):
                if control.objectName().startswith("qt_") or isinstance(control.parent(), QLineEdit | QTabBar):
                    continue
                named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
                assert named, f"{page}: {control} {control.toolTip()}"


def test_menus_toolbar_and_palette_come_from_one_table(qtbot: QtBot, window: MainWindow) -> None:
    palette = window.palette_popup
    palette.open()
    listed = {palette.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(palette.list.count())}
    assert listed == set(window.table.specs)
    in_menus = {action.objectName() for menu in window.menuBar().actions() for action in menu.menu().actions()}
    flat = {spec.id for spec in window.table.specs.values() if spec.menu.count("/") == 0}
    assert flat <= in_menus
    palette.hide()


def test_the_palette_finds_and_runs(qtbot: QtBot, window: MainWindow) -> None:
    palette: CommandPalette = window.palette_popup
    palette.open()
    qtbot.keyClicks(palette.field, "go runs")
    assert palette.list.item(0).data(Qt.ItemDataRole.UserRole) == "page.runs"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.current_page == "runs"
    assert palette.isHidden()


def test_what_is_not_possible_cannot_be_run_from_the_palette(window: MainWindow) -> None:
    window.show_page("runs")
    assert not window.table.is_enabled("runs.stop")
    window.table.run("runs.stop")
    assert window.context.notifier.items == []


def test_matching_letters() -> None:
    assert match("", "Anything") == 0
    assert match("dk", "View ▸ Theme ▸ Dark") is not None
    assert match("zz", "View") is None
    near, far = match("run", "Runs"), match("run", "Reset layout nun")
    assert near is not None
    assert far is None or near < far


def test_all_shortcuts_are_on_the_sheet(window: MainWindow) -> None:
    window.show_shortcuts()
    shown = dict(window.shortcut_sheet.rows)
    for spec in window.table.specs.values():
        if spec.shortcut:
            assert full_name(spec) in shown
    assert {"Ctrl+O", "Ctrl+Return", "Ctrl+.", "Ctrl+F", "Space", "L", "A", "F1", "?", "Ctrl+Shift+P"} <= set(
        shown.values()
    )
    window.shortcut_sheet.close()


def test_the_queue_takes_the_focus_when_it_is_opened_and_gives_it_back(qtbot: QtBot, window: MainWindow) -> None:
    window.show()
    window.table.run("view.dock.queue")
    assert window.docks["queue"].isAncestorOf(window.focusWidget())
    window.table.run("view.dock.queue")
    assert window.stack.isAncestorOf(window.focusWidget())


def test_docks_toggle_and_the_layout_comes_back(qtbot: QtBot, window: MainWindow, context: Context) -> None:
    window.show()
    window.table.run("view.dock.queue")
    assert window.docks["queue"].isVisible()
    window.show_page("runs")
    window.save()
    other = MainWindow(context)
    qtbot.addWidget(other)
    assert other.current_page == "runs"
    assert not other.docks["queue"].isHidden()
    other.reset_layout()
    assert other.docks["queue"].isHidden()


def test_settings_of_another_version_or_kind_are_dropped(context: Context) -> None:
    context.settings.write("window/page", 5)
    assert context.settings.read("window/page", str, "home") == "home"
    context.settings.write("n", True)
    assert context.settings.read("n", int, 3) == 3
    context.settings.write("version", 0)
    context.settings.save()
    assert Settings().read("n", bool, False) is False


def test_theme_choice_is_kept_and_survives_a_reset(window: MainWindow, context: Context) -> None:
    window.table.run("view.theme.dark")
    assert context.theme.colours.is_dark
    assert window.table.actions["view.theme.dark"].isChecked()
    window.reset_layout()
    assert context.settings.read("look/theme", str, "") == "dark"
    window.table.run("view.theme.light")


def test_a_dropped_file_becomes_the_data_set(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("1 2 3 4 5 6\n2 3 4 5 6 7\n", encoding="utf-8")
    drop(window, file)
    qtbot.waitUntil(lambda: window.context.session.dataset == str(file))
    assert window.windowTitle().startswith("mine.txt")
    assert window.context.session.recent_datasets[0] == str(file)


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, left, none))


def test_of_several_dropped_files_one_is_opened_and_the_others_are_told(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    """The others were dropped in silence."""
    files = [tmp_path / f"{name}.txt" for name in ("one", "two", "three")]
    for file in files:
        file.write_text("1 2 3 4 5 6\n2 3 4 5 6 7\n", encoding="utf-8")
    drop(window, *files)
    qtbot.waitUntil(lambda: window.context.session.dataset == str(files[0]))
    (told,) = [item for item in window.context.notifier.items if "dropped" in item.text]
    assert told.text == "3 files were dropped; one is opened: one.txt."
    assert "two.txt, three.txt" in told.hint


def test_a_dropped_folder_is_refused(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    """It became the data set, and stood among the recent ones."""
    before = window.context.session.dataset
    drop(window, tmp_path)
    qtbot.waitUntil(lambda: any("is a folder" in item.text for item in window.context.notifier.items))
    assert window.context.session.dataset == before
    assert str(tmp_path) not in window.context.session.recent_datasets


def test_a_dropped_file_of_another_format_is_imported_and_opened(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    rows = "".join(f"u{user},i{item},{user * 9 + item}\n" for user in range(6) for item in range(6))
    file.write_text(f"user,item,time\n{rows}", encoding="utf-8")
    window.show()
    window.context.open_file(str(file))
    qtbot.waitUntil(lambda: window.findChild(ImportDialog) is not None)
    dialog = window.findChild(ImportDialog)
    assert isinstance(dialog, ImportDialog)
    qtbot.waitUntil(dialog.go.isEnabled, timeout=20_000)
    with qtbot.waitSignal(dialog.imported, timeout=20_000) as imported:
        dialog.go.click()
    assert window.context.session.dataset == imported.args[0]
    assert window.windowTitle().startswith("mine.coserec")


def test_notifications_are_kept_and_shown(qtbot: QtBot, window: MainWindow) -> None:
    window.show()
    window.context.notifier.report(RunError("It cannot be started.", "Try again."))
    window.context.notifier.report(ValueError("odd"))
    toasts = [toast for toast in window.toasts.shown if not toast.isHidden()]
    assert len(toasts) == 2
    panel = window.notifications_panel
    assert panel.list.count() == 2
    assert "ValueError: odd" in panel.details.toPlainText()
    panel.list.setCurrentRow(1)
    assert panel.details.toPlainText() == "It cannot be started.\n\nTry again."
    panel.clear()
    assert panel.states.text == "No notifications"


def test_closing_without_a_training_just_closes(qtbot: QtBot, window: MainWindow) -> None:
    window.show()
    assert window.close()
    assert window.closing is None


def test_closing_on_a_training_asks_and_can_be_taken_back(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    train_one(qtbot, window, runs)
    assert not window.close()
    assert window.isVisible()
    assert window.closing is not None
    assert "1 more waits" in window.closing.note.text()
    window.closing.reject()
    assert window.closing is None
    assert window.isVisible()


def test_keep_training_hands_the_queue_to_a_worker(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    train_one(qtbot, window, runs)
    window.close()
    qtbot.mouseClick(window.closing.buttons["keep"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert runs.workers == 1
    names = [name for name, _ in runs.calls]
    assert names.index("drop_queue") < names.index("start_worker")
    assert runs.get("r0001").status is RunStatus.RUNNING


def test_finish_the_current_run_leaves_it_and_starts_no_other(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    train_one(qtbot, window, runs)
    window.close()
    qtbot.mouseClick(window.closing.buttons["finish"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert runs.workers == 0
    assert runs.get("r0001").status is RunStatus.RUNNING
    assert runs.get("r0002").status is RunStatus.QUEUED


def test_stop_with_a_checkpoint_waits_for_it(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    train_one(qtbot, window, runs)
    window.close()
    qtbot.mouseClick(window.closing.buttons["stop"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert runs.get("r0001").status is RunStatus.STOPPED
    assert runs.get("r0002").status is RunStatus.QUEUED


def queue_behind_a_strange_run(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    """Bring the window into the state after a restart: a run that it did not start trains, another one waits."""
    runs.submit(window.context.session.config, seeds=(1, 2), preset="sample")
    runs.change("r0001", status=RunStatus.RUNNING, attempt=1, host="", pid=77)
    window.show()
    window.backstage.start()
    qtbot.waitUntil(lambda: bool(window.context.runs.with_status(RunStatus.RUNNING)))
    qtbot.waitUntil(lambda: ("take_queue", None) in runs.calls)


@pytest.mark.parametrize(("answer", "workers"), [("keep", 1), ("leave", 0)])
def test_closing_asks_for_a_queue_that_nobody_else_works_off(
    qtbot: QtBot, window: MainWindow, runs: FakeRuns, answer: str, workers: int
) -> None:
    queue_behind_a_strange_run(qtbot, window, runs)
    qtbot.waitUntil(lambda: window.backstage.training.has_queue)
    assert window.backstage.training.run_id is None
    assert not window.close()
    assert window.closing is not None
    assert set(window.closing.buttons) == {"keep", "leave"}
    qtbot.mouseClick(window.closing.buttons[answer], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert runs.workers == workers
    assert runs.get("r0001").status is RunStatus.RUNNING
    assert runs.get("r0002").status is RunStatus.QUEUED


def test_closing_asks_nothing_where_another_worker_has_the_queue(
    qtbot: QtBot, window: MainWindow, runs: FakeRuns
) -> None:
    runs.has_other_worker = True
    queue_behind_a_strange_run(qtbot, window, runs)
    assert window.close()
    assert window.closing is None


def test_a_failed_close_says_why_and_keeps_the_window(
    qtbot: QtBot, window: MainWindow, runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise RunError("No worker can be started.")

    train_one(qtbot, window, runs)
    monkeypatch.setattr(runs, "start_worker", refuse)
    window.close()
    qtbot.mouseClick(window.closing.buttons["keep"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.closing.note.text() == "No worker can be started.")
    assert window.isVisible()
    assert window.closing.buttons["finish"].isEnabled()
    window.closing.reject()


def test_nothing_is_asked_of_the_store_on_the_gui_thread(qtbot: QtBot, window: MainWindow, runs: FakeRuns) -> None:
    runs.threads.clear()
    window.show()
    window.show_page("runs")
    window.backstage.start()
    qtbot.waitUntil(lambda: window.context.runs.is_loaded)
    assert runs.threads
    assert threading.main_thread().name not in runs.threads


def test_the_window_never_imports_torch() -> None:
    code = """
import os, sys, tempfile
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QSettings
from workbench import settings
folder = tempfile.mkdtemp()
settings.factory = lambda: QSettings(folder + "/s.ini", QSettings.Format.IniFormat)
from workbench.app import make_application, make_window
application = make_application()
window = make_window(folder)
early = [name for name in ("torch", "pyqtgraph", "pandas", "scipy", "sqlalchemy") if name in sys.modules]
window.show()
for page in window.pages:
    window.show_page(page)
application.processEvents()
window.close()
sys.exit("at first paint: " + repr(early) if "torch" in early else "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_closing_right_after_the_end_of_a_run_asks_nothing(
    qtbot: QtBot, window: MainWindow, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run's end is in the store a moment before its process is gone."""
    runs = context.workspace.runs
    assert isinstance(runs, FakeRuns)
    train_one(qtbot, window, runs)
    monkeypatch.setattr(window.backstage.training, "_look_after_processes", lambda: None)
    runs.change("r0002", status=RunStatus.CANCELLED)
    runs.change("r0001", status=RunStatus.FINISHED)
    qtbot.waitUntil(lambda: bool(window.context.runs.with_status(RunStatus.FINISHED)))
    assert window.backstage.training.run_id == "r0001"
    assert window.close()
    assert window.closing is None


def test_pages_are_made_before_they_are_asked_for_and_only_once(qtbot: QtBot, window: MainWindow) -> None:
    half = window.maker._begin("augment")
    assert half.make_more()
    window.context.session.change({"augment.crop_rate": 0.35})  # while the page is not whole
    window.maker.start()
    qtbot.waitUntil(lambda: set(window.maker.widgets) == set(window.pages), timeout=20_000)
    qtbot.waitUntil(lambda: window.maker.is_done, timeout=20_000)
    made = dict(window.maker.widgets)
    assert window.current_page == "train"
    assert window.page_widget("augment") is half
    assert half.controls.draft.augment.crop_rate == 0.35
    assert all(part.made is not None for page in made.values() for part in page.findChildren(Lazy))
    for page in pages():
        window.show_page(page.id)
        assert window.stack.page is made[page.id]
    assert window.stack.count() == len(made)


def test_no_page_and_no_dock_makes_the_window_larger_than_a_laptops_screen(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1000, 690)
    window.show()
    for page in pages():
        window.show_page(page.id)
    window.show_dock("log")
    qtbot.waitUntil(lambda: window.docks["log"].isVisible())
    assert window.minimumSizeHint().width() <= 1000
    assert window.minimumSizeHint().height() <= 690
    assert (window.width(), window.height()) == (1000, 690)


def test_nothing_is_made_while_somebody_types(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_maker, "QUIET_MS", 600_000)
    window.show()
    window.maker.give_way_to(window.windowHandle())
    pieces: list[str] = []
    monkeypatch.setattr(window.maker, "_begin", pieces.append)
    monkeypatch.setattr(window.maker, "_polish", lambda: pieces.append("polish"))
    qtbot.keyClick(window.windowHandle(), Qt.Key.Key_Shift)
    window.maker._next()
    assert pieces == []
    monkeypatch.setattr(page_maker, "QUIET_MS", 0)
    window.maker._next()
    assert len(pieces) == 1


def test_a_page_is_painted_once_before_somebody_waits_for_it(qtbot: QtBot, window: MainWindow) -> None:
    """And has the size then that it will be seen in."""
    window.resize(1200, 800)
    window.show()
    window.maker.start()
    qtbot.waitUntil(lambda: window.maker.is_done, timeout=30_000)
    shown = window.stack.page
    for page in window.maker.widgets.values():
        assert page is shown or not page.isVisible()
        assert page.parentWidget().width() >= window.stack.width() - 20


def test_no_page_scrolls_in_a_window_of_the_size_that_it_begins_with(qtbot: QtBot, window: MainWindow) -> None:
    window.show()
    window.maker.start()
    qtbot.waitUntil(lambda: window.maker.is_done, timeout=30_000)
    high = {page.id: window.page_widget(page.id).minimumSizeHint().height() for page in pages()}
    assert {name: height for name, height in high.items() if height > window.stack.height()} == {}
