"""What can be done with the selected runs: the table's menu, built anew each time it opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget

from engine.records import RunRecord, Shelf
from workbench.context import Context
from workbench.plots.look import sample_icon
from workbench.run_marking import RunMarking
from workbench.widgets.numbers import count

Entry = tuple[str, Callable[[], None], bool]


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


def shelf_entries(records: Sequence[RunRecord], shelf: Shelf, page: object) -> list[Entry]:
    """Archive, trash, restore, purge: what makes sense on this shelf. ``page`` has the commands."""
    ended = bool(records) and all(record.status.is_end for record in records)
    found: list[Entry] = []
    if shelf is not Shelf.ARCHIVED:
        found.append(("Archive", page.archive, ended))  # type: ignore[attr-defined]
    if shelf is not Shelf.TRASHED:
        found.append(("Move to the trash", page.trash, ended))  # type: ignore[attr-defined]
    if shelf is not Shelf.SHOWN:
        found.append(("Restore", page.restore_runs, ended))  # type: ignore[attr-defined]
    if shelf is Shelf.TRASHED:
        found.append(("Delete for good…", page.purge, ended))  # type: ignore[attr-defined]
    return found


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


def some_can_stop(records: Sequence[RunRecord]) -> bool:
    """Whether one of them waits or trains, and nobody has asked it to stop."""
    return any(not record.status.is_end and not record.stop_requested for record in records)
