"""Tags, notes, stars, archive, trash, Undo, views: the Runs page on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.api import Workspace
from engine.config import parse
from engine.records import RunStatus, Shelf
from engine.store import Ending, ProcessMark
from tests.helpers.fake_training import submit
from workbench.backstage import Backstage
from workbench.context import make_context
from workbench.engine_process import Errands
from workbench.item_models.runs_model import ORDER_ROLE
from workbench.pages.runs import RunsPage
from workbench.run_names import run_name
from workbench.shell.queue_panel import QueuePanel
from workbench.theme import Theme


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[RunsPage]:
    workspace = Workspace(tmp_path)
    store = workspace.runs.store
    for record in submit(store, 3):
        store.claim(record.id, ProcessMark("made", 1, 1.0))
        store.end(record.id, 1, Ending(RunStatus.FINISHED, metrics={"test": {"NDCG@20": 0.03}}))
    context = make_context(workspace, theme, engine=Errands())
    backstage = Backstage(context)
    context.runs.records_changed.disconnect(backstage._start_training)
    backstage.feed.first_read.disconnect(backstage._start_training)
    made = RunsPage(context)
    made.resize(1200, 800)
    qtbot.addWidget(made)
    backstage.feed.start()
    qtbot.waitUntil(lambda: made.model.rowCount() == 3)
    yield made
    backstage.feed.stop()
    context.close()
    workspace.runs.close()


def test_archive_and_undo_and_the_way_through_the_trash(qtbot: QtBot, page: RunsPage) -> None:
    first = page.model.ids[0]
    folder = page.context.workspace.directory / "runs" / first
    folder.mkdir(parents=True)
    page.table.select(first)
    page.archive()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    assert page.can_undo()
    page.undo()
    qtbot.waitUntil(lambda: page.model.rowCount() == 3)
    assert not page.can_undo()
    page.table.select(first)
    page.archive()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    page.bar.show_shelf(Shelf.ARCHIVED)
    assert page.model.ids == [first]
    page.table.select(first)
    page.archive()
    qtbot.waitUntil(lambda: page.matches.text == "The archive is empty")
    page.bar.show_shelf(Shelf.TRASHED)
    page.table.select(first)
    assert page.can_purge()
    page.purge()
    box = page.findChild(QMessageBox)
    assert folder.is_dir(), "nothing goes before the question is answered"
    next(button for button in box.buttons() if button.text() == "Delete").click()
    qtbot.waitUntil(lambda: page.context.runs.get(first) is None)
    assert not folder.exists()
    assert page.matches.text == "The trash is empty"


def test_tags_and_note_are_written_when_the_field_is_left(qtbot: QtBot, page: RunsPage) -> None:
    first, second = page.model.ids[:2]
    book = page.context.runs
    page.table.select(first)
    note = page.overview.note
    note.tags.setText("paper,  seed sweep ,paper")
    note.tags.setModified(True)
    note.note.setText("good")
    note.note.setModified(True)
    page.table.select(second)
    qtbot.waitUntil(lambda: book.marks(first).tags == ("paper", "seed sweep") and book.marks(first).note == "good")
    assert book.marks(second).tags == ()
    page.bar.set_text("tag:paper")
    assert page.model.ids == [first]
    page.undo()
    page.undo()
    qtbot.waitUntil(lambda: book.marks(first).tags == () and book.marks(first).note == "")
    qtbot.waitUntil(lambda: page.model.ids == [])


def _ask_for_a_name(page: RunsPage, shown: str, typed: str) -> None:
    page.rename()
    [dialog] = [box for box in page.findChildren(QInputDialog) if box.isVisible()]  # an older one may not be gone yet
    assert dialog.textValue() == shown
    dialog.setTextValue(typed)
    dialog.accept()


def test_a_run_is_renamed_and_called_by_its_settings_again(qtbot: QtBot, page: RunsPage) -> None:
    first = page.model.ids[0]
    book = page.context.runs
    record = book.get(first)
    by_settings = run_name(replace(record, name=parse(record.config).short()))
    page.table.select(first)
    _ask_for_a_name(page, "a run", "the one")
    qtbot.waitUntil(lambda: page.overview.name.text() == "the one · seed 3")
    assert page.model.name_of(first) == "the one · seed 3"
    page.bar.set_text("one")
    assert page.model.ids == [first]
    page.bar.set_text("")
    _ask_for_a_name(page, "the one", "")
    qtbot.waitUntil(lambda: page.model.name_of(first) == by_settings)
    assert "the one" not in by_settings
    page.undo()
    page.undo()
    qtbot.waitUntil(lambda: page.model.name_of(first) == "a run · seed 3")
    _ask_for_a_name(page, "a run", "a run")
    assert not page.can_undo(), "nothing was typed"


def test_all_seeds_of_a_group_are_renamed_at_once(qtbot: QtBot, page: RunsPage) -> None:
    page.toggle_group()
    [key] = page.model.ids
    page.table.selectRow(0)
    _ask_for_a_name(page, "a run", "ours")
    qtbot.waitUntil(lambda: page.model.name_of(key) == "ours")
    assert {record.name for record in page.context.runs.records} == {"ours"}
    assert page.marking.undo_text == "the name of 3 runs"
    page.rename()
    assert page.findChild(QInputDialog).windowTitle() == "Rename 3 runs"


def test_the_baseline_is_starred_and_unstarred(qtbot: QtBot, page: RunsPage) -> None:
    first = page.model.ids[0]
    page.table.select(first)
    page.toggle_star()
    qtbot.waitUntil(lambda: first in page.context.runs.baselines.values())
    qtbot.waitUntil(lambda: page.overview.note.star.text() == "No longer the baseline")
    page.toggle_star()
    qtbot.waitUntil(lambda: not page.context.runs.baselines)


def test_a_view_is_saved_by_name_and_comes_back(page: RunsPage) -> None:
    page.bar.set_text("seed>=2")
    page.bar.grouped.setChecked(True)
    page.bar.save_view("late seeds")
    page.bar.set_text("")
    page.bar.grouped.setChecked(False)
    page.bar.show_view("late seeds")
    assert page.filter.text() == "seed>=2"
    assert page.model.is_grouped
    page.bar.delete_view("late seeds")
    assert page.bar.named == {}


def test_what_is_wrong_with_a_filter_stands_below_it(page: RunsPage) -> None:
    page.bar.set_text("nonsense>3")
    assert "no column 'nonsense'" in page.bar.error.text()
    assert page.model.rowCount() == 3
    page.bar.set_text("")
    assert page.bar.error.isHidden()


def test_the_queue_panel_pauses_and_moves(qtbot: QtBot, page: RunsPage) -> None:
    context = page.context
    panel = QueuePanel(context)
    qtbot.addWidget(panel)
    one, two = (record.id for record in submit(context.workspace.runs.store, 2))
    qtbot.waitUntil(lambda: list(panel.rows) == [one, two])
    panel.rows[two].next.click()
    qtbot.waitUntil(lambda: [record.id for record in context.runs.waiting] == [two, one])
    assert not panel.rows[two].up.isEnabled()
    panel.toggle_pause()
    qtbot.waitUntil(lambda: context.runs.queue.is_paused)
    assert panel.pause.text() == "Go on"
    assert panel.total.text().startswith("paused")
    panel.limit.setValue(3)
    panel.limit.editingFinished.emit()
    qtbot.waitUntil(lambda: context.runs.queue.at_once == {"cpu": 3})


def test_the_queue_by_keys_alone(qtbot: QtBot, page: RunsPage) -> None:
    """Each row is one step of Tab, right behind the panel's head; with Alt, arrows move it; Del takes it out."""
    context = page.context
    panel = QueuePanel(context)
    later = QPushButton("Behind the panel")
    window = QWidget()
    column = QVBoxLayout(window)
    column.addWidget(panel)
    column.addWidget(later)
    qtbot.addWidget(window)
    one, two, three = (record.id for record in submit(context.workspace.runs.store, 3))
    qtbot.waitUntil(lambda: list(panel.rows) == [one, two, three])
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    panel.limit.setFocus()
    for run in (one, two, three):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        assert window.focusWidget() is panel.rows[run]
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert window.focusWidget() is later
    panel.focus_first()
    qtbot.keyClick(panel.rows[one], Qt.Key.Key_Down)
    assert window.focusWidget() is panel.rows[two]
    qtbot.keyClick(panel.rows[two], Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: [record.id for record in context.runs.waiting] == [two, one, three])
    assert window.focusWidget() is panel.rows[two]
    qtbot.keyClick(panel.rows[two], Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: list(panel.rows) == [one, three])
    assert window.focusWidget() is panel.rows[one]


def test_the_system_tab_says_that_there_is_nothing(qtbot: QtBot, page: RunsPage) -> None:
    page.show()
    page.open_state(run=page.model.ids[0], tab="System")
    qtbot.waitUntil(lambda: page.tabs.usage.states.text == "No samples of this run")


def test_a_curve_of_a_group_has_the_look_of_the_groups_row(qtbot: QtBot, page: RunsPage) -> None:
    """Of a partly ticked group too: the row's sample is the legend of the curve."""
    page.toggle_group()
    [key] = page.model.ids
    oldest, *later = sorted(page.model.runs_of(key))
    page.model.set_ticked(later)
    plots = page.plots.values()
    qtbot.waitUntil(lambda: all(look.name.endswith("(2 seeds)") for plot in plots for look in plot._looks.values()))
    [look] = page.plots["validation"]._looks.values()
    assert look.order == page.model.index(0, 0).data(ORDER_ROLE) == page.context.runs.order(oldest)


def test_what_stands_in_an_archived_runs_place_is_selected(qtbot: QtBot, page: RunsPage) -> None:
    """Several are archived one after another by one key; nothing selected would stop that."""
    first, second, third = page.model.ids
    page.table.select(second)
    page.archive()
    qtbot.waitUntil(lambda: page.model.ids == [first, third])
    assert page.table.selected_keys() == [third]
    page.archive()
    qtbot.waitUntil(lambda: page.model.ids == [first])
    assert page.table.selected_keys() == [first]
    assert page.current is not None
    assert page.current.id == first


def test_left_goes_from_a_run_to_its_group_and_closes_it(qtbot: QtBot, page: RunsPage) -> None:
    page.toggle_group()
    [key] = page.model.ids
    page.table.selectRow(0)
    qtbot.keyClick(page.table, Qt.Key.Key_Right)
    assert len(page.model.ids) == 4
    page.table.selectRow(2)
    qtbot.keyClick(page.table, Qt.Key.Key_Left)
    assert page.table.selected_keys() == [key]
    qtbot.keyClick(page.table, Qt.Key.Key_Left)
    assert page.model.ids == [key]


def test_the_keyboard_comes_to_the_table(qtbot: QtBot, page: RunsPage) -> None:
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.setFocus()
    assert page.focusWidget() is page.table
    page.filter.setFocus()
    qtbot.keyClick(page.filter, Qt.Key.Key_Down)
    assert page.focusWidget() is page.table


def test_the_archive_is_chosen_in_its_box(qtbot: QtBot, page: RunsPage) -> None:
    first = page.model.ids[0]
    page.table.select(first)
    page.archive()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    qtbot.keyClick(page.bar.shelf, Qt.Key.Key_Down)
    assert page.bar.shelf.currentText() == "Archive"
    assert page.model.shelf is Shelf.ARCHIVED
    assert page.model.ids == [first]
    assert page.matches.state == "content"
    page.table.clearSelection()
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.bar.columns.setFocus()
    qtbot.keyClick(page.bar.columns, Qt.Key.Key_Tab)
    assert page.table.selected_keys() == [first], "no arrow could select a sole row"
