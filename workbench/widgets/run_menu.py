"""What can be done with the selected runs: the table's menu, built anew each time it opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QLineEdit, QMenu, QMessageBox, QWidget

from engine.config.naming import given_name
from engine.records import LONGEST_NAME, RunRecord, RunStatus, Shelf
from workbench.context import Context
from workbench.item_models.runs_model import RunsModel
from workbench.plots.look import sample_icon
from workbench.run_marking import RunMarking
from workbench.run_travel import RunTravel
from workbench.widgets.numbers import count

NAME_WIDTH = 480
Entry = tuple[str, Callable[[], object], bool]


class RunCommands(Protocol):
    """What the page does with the selected runs."""

    marking: RunMarking
    travel: RunTravel

    def toggle_current(self) -> None: ...
    def stop_selected(self) -> None: ...
    def can_stop(self) -> bool: ...
    def resume_selected(self) -> None: ...
    def can_resume(self) -> bool: ...
    def duplicate(self) -> None: ...
    def can_duplicate(self) -> bool: ...
    def rename(self) -> None: ...
    def toggle_star(self) -> None: ...
    def can_star(self) -> bool: ...
    def archive(self) -> None: ...
    def trash(self) -> None: ...
    def restore_runs(self) -> None: ...
    def purge(self) -> None: ...
    def undo(self) -> None: ...


def run_entries(page: RunCommands, records: Sequence[RunRecord], model: RunsModel, key: str) -> list[Entry]:
    """The page's commands for the row ``key``. An entry without a text is a line between others."""
    group: list[Entry] = []
    if key.startswith("group:"):
        is_open = model.is_open(key)
        group = [(f"{'Hide' if is_open else 'Show'} the group's runs", lambda: model.set_open(key, not is_open), True)]
    undo = page.marking.undo_text
    return [
        ("Draw or hide the curve", page.toggle_current, bool(records)),
        ("Cancel" if only_wait(records) else "Stop", page.stop_selected, page.can_stop()),
        ("Resume", page.resume_selected, page.can_resume()),
        ("Use these settings in Train", page.duplicate, page.can_duplicate()),
        ("Rename …", page.rename, bool(records)),
        ("Baseline on or off", page.toggle_star, page.can_star()),
        ("Write as a bundle …", page.travel.write_bundle, page.travel.can_write()),
        ("Write the top 20 of every user …", page.travel.write_lists, page.travel.can_write()),
        ("Write the item embeddings …", page.travel.write_embeddings, page.travel.can_write()),
        *group,
        ("", page.undo, False),
        *_shelf_entries(records, model.shelf, page),
        (f"Undo: {undo}" if undo else "Undo", page.undo, bool(undo)),
    ]


def fill_run_menu(
    menu: QMenu, records: Sequence[RunRecord], entries: Sequence[Entry], context: Context, marking: RunMarking
) -> None:
    """``entries`` are the page's own commands; below them tags and colours."""
    for text, action, is_possible in entries:
        if text:
            menu.addAction(text, action).setEnabled(is_possible)
        else:
            menu.addSeparator()
    menu.addSeparator()
    _tags(menu.addMenu("Tags"), records, context, marking)
    _colours(menu.addMenu("Colour"), records, context, marking)


def _tags(menu: QMenu, records: Sequence[RunRecord], context: Context, marking: RunMarking) -> None:
    book = context.runs
    words = sorted({tag for run in book.records for tag in book.marks(run.id).tags})
    menu.setEnabled(bool(records))
    for tag in words:
        count = sum(tag in book.marks(record.id).tags for record in records)
        action = menu.addAction(tag)
        action.setCheckable(True)
        action.setChecked(bool(records) and count == len(records))
        action.toggled.connect(partial(_set_tag, marking, records, tag))
    if not words:
        menu.addAction("Type tags under Overview").setEnabled(False)


def _set_tag(marking: RunMarking, records: Sequence[RunRecord], tag: str, on: bool) -> None:
    marking.tag(records, [tag] if on else [], [] if on else [tag])


def _colours(menu: QMenu, records: Sequence[RunRecord], context: Context, marking: RunMarking) -> None:
    menu.setEnabled(bool(records))
    menu.addAction("By the run's number", lambda: marking.colour(records, None))
    for number in range(2 * len(context.theme.colours.series)):
        look = context.theme.series_style(number)
        words = f"Look {number + 1}: {look.dash.name.removesuffix('Line').lower()} line"
        menu.addAction(sample_icon(context.theme, number), words, partial(marking.colour, records, number))


def _shelf_entries(records: Sequence[RunRecord], shelf: Shelf, page: RunCommands) -> list[Entry]:
    """Archive, trash, restore, purge: what makes sense on this shelf."""
    ended = bool(records) and all(record.status.is_end for record in records)
    found: list[Entry] = []
    if shelf is not Shelf.ARCHIVED:
        found.append(("Archive", page.archive, ended))
    if shelf is not Shelf.TRASHED:
        found.append(("Move to the trash", page.trash, ended))
    if shelf is not Shelf.SHOWN:
        found.append(("Restore", page.restore_runs, ended))
    if shelf is Shelf.TRASHED:
        found.append(("Delete for good…", page.purge, ended))
    return found


def ask_for_name(
    parent: QWidget, records: Sequence[RunRecord], called: str, give: Callable[[str], None]
) -> QInputDialog:
    """Ask for the runs' name and give it; ``called`` is what they are called now."""
    names = {given_name(record) for record in records}
    dialog = QInputDialog(parent)
    what = "the run" if len(records) == 1 else count(len(records), "run")
    dialog.setWindowTitle(f"Rename {what}")
    dialog.setLabelText(
        "Settings that differ from the preset's and the seed still stand behind the name.\nEmpty: by its preset again."
    )
    begun = names.pop() if len(names) == 1 else ""
    dialog.setTextValue(begun)
    field = cast("QLineEdit", dialog.findChild(QLineEdit))
    field.setMaxLength(LONGEST_NAME)
    field.setPlaceholderText(called)
    field.selectAll()
    dialog.resize(NAME_WIDTH, dialog.sizeHint().height())
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    # Return without a word typed renames nothing, least of all runs of several names.
    dialog.textValueSelected.connect(lambda name: None if name == begun else give(name))
    dialog.open()
    return dialog


def ask_before_purging(parent: QWidget, many: int, delete: Callable[[], None]) -> None:
    """Ask whether so many runs shall be deleted for good, and do it; Return and Escape delete nothing."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText(f"Delete {count(many, 'run')} for good?")
    box.setInformativeText("Their metrics, logs, weights and ranks are deleted. This cannot be undone.")
    box.setStandardButtons(QMessageBox.StandardButton.Cancel)
    box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole).clicked.connect(delete)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def only_wait(records: Sequence[RunRecord]) -> bool:
    """Whether there are runs, and all of them wait in the queue: they are cancelled, not stopped."""
    return bool(records) and all(record.status is RunStatus.QUEUED for record in records)


def some_can_stop(records: Sequence[RunRecord]) -> bool:
    """Whether one of them waits or trains, and nobody has asked it to stop."""
    return any(not record.status.is_end and not record.stop_requested for record in records)
