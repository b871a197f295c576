"""What Home is made of: numbered steps, the drop zone, rows of recent things and of runs that ended badly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from engine import registry
from engine.records import RunRecord, RunStatus
from workbench.item_models.run_columns import epoch_text
from workbench.run_names import dataset_name, run_name
from workbench.theme import SMALL, SPACE, TIGHT, WIDE, Theme, set_role
from workbench.widgets.cards import Elided, label
from workbench.widgets.drops import files_of


def file_filter(readable: Sequence[str]) -> str:
    """The filter of file dialogs: what the importers announce, plain or gzip, and what is ``readable`` as it is."""
    kinds = {str(suffix) for entry in registry.entries("importer") for suffix in entry.facts["suffixes"]}
    names = " ".join(f"*{suffix}" for suffix in sorted({*kinds, *readable}))
    return f"Data ({names} *.gz);;All files (*)"


STATUS = {
    RunStatus.LOST: ("alert", "warn", "lost"),
    RunStatus.FAILED: ("alert", "bad", "failed"),
    RunStatus.STOPPED: ("stop", "muted", "stopped"),
}
"""Icon, colour and word."""


def ask_for_file(
    parent: QWidget,
    start: str,
    on_file: Callable[[str], None],
    readable: Sequence[str],
    title: str = "Open a data set",
) -> QFileDialog:
    """A file dialog that does not block the window; ``readable``: the suffixes of `Workspace.datasets`."""
    dialog = QFileDialog(parent, title, start, file_filter(readable))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(on_file)
    dialog.open()
    return dialog


def ask_for_folder(parent: QWidget, start: str, on_folder: Callable[[str], None]) -> QFileDialog:
    """A dialog for a workspace's folder, which may be a new one, that does not block the window."""
    dialog = QFileDialog(parent, "Open a workspace", start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(on_folder)
    dialog.open()
    return dialog


def ago(moment: datetime, now: datetime | None = None) -> str:
    """``3 minutes ago``, ``yesterday``, ``12 Mar 2026``."""
    passed = ((now or datetime.now(UTC)) - moment).total_seconds()
    if passed < 60:
        return "just now"
    if passed < 3600:
        minutes = int(passed // 60)
        return f"{minutes} minute{'' if minutes == 1 else 's'} ago"
    if passed < 86400:
        hours = int(passed // 3600)
        return f"{hours} hour{'' if hours == 1 else 's'} ago"
    if passed < 2 * 86400:
        return "yesterday"
    return f"{moment.day} {moment:%b %Y}"


class StepCard(QFrame):
    """A number, what to do, why, and the buttons that do it."""

    def __init__(self, number: int, title: str, words: str, buttons: Sequence[QPushButton]) -> None:
        super().__init__()
        set_role(self, "card")
        self.setAccessibleName(f"Step {number}: {title}")
        badge = label(str(number), "badge")
        badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        badge.setMinimumWidth(26)
        head = QHBoxLayout()
        head.setSpacing(SMALL + 2)
        head.addWidget(badge)
        head.addWidget(label(title, "title"), 1)
        body = label(words, "muted", wrap=True)
        body.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.setSpacing(SPACE)
        layout.addLayout(head)
        layout.addWidget(body, 1)
        layout.addLayout(row)


class DropZone(QFrame):
    """Takes a data file, dropped or chosen; ``dropped`` with all files of a drop."""

    dropped = Signal(list)
    asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.setAccessibleName("Drop a data file here")
        self._text = label("Drop a data file here", "section")
        self._hint = label("CoSeRec text, CSV, TSV, Parquet, RecBole, MovieLens, Amazon; plain or gzip", "muted")
        self.button = QPushButton("Choose a file…")
        theme.follow_icon(self.button, "folder", "muted")
        self.button.clicked.connect(self.asked)
        icon = QLabel()
        theme.follow(icon, lambda owner: owner.setPixmap(theme.icon("drop", "faint").pixmap(32, 32)))
        texts = QVBoxLayout()
        texts.setSpacing(TIGHT // 2)
        texts.addWidget(self._text)
        texts.addWidget(self._hint)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.setSpacing(WIDE)
        layout.addWidget(icon)
        layout.addLayout(texts, 1)
        layout.addWidget(self.button)
        set_role(self, "drop")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if files_of(event.mimeData()):
            event.acceptProposedAction()
            set_role(self, "drop-over")
            self._text.setText("Let go to open it")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._rest()
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        files = files_of(event.mimeData())
        self._rest()
        if files:
            event.acceptProposedAction()
            self.dropped.emit(files)

    def _rest(self) -> None:
        set_role(self, "drop")
        self._text.setText("Drop a data file here")


class RecentRow(QWidget):
    """A data set or workspace of lately: its name opens it, or it is missing and can be forgotten."""

    opened = Signal(str)
    forgotten = Signal(str)

    def __init__(self, theme: Theme, path: str, name: str, where: str, *, icon: str, note: str = "") -> None:
        super().__init__()
        self.path = path
        self.button = QPushButton(name)
        set_role(self.button, "link")
        theme.follow_icon(self.button, icon, "muted")
        self.button.setAccessibleName(f"Open {name}")
        self.button.setToolTip(where)
        self.button.clicked.connect(lambda: self.opened.emit(path))
        self.where = Elided(where, "muted", Qt.TextElideMode.ElideMiddle)
        self.note = label(note, "muted")
        self.note.setVisible(bool(note))
        self.forget = QToolButton()
        theme.follow_icon(self.forget, "close", "muted")
        self.forget.setAccessibleName(f"Take {name} off the list")
        self.forget.setToolTip("Take it off the list")
        self.forget.clicked.connect(lambda: self.forgotten.emit(path))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SMALL)
        row.addWidget(self.button)
        row.addWidget(self.where, 1)
        row.addWidget(self.note)
        row.addWidget(self.forget)

    def set_missing(self, is_missing: bool) -> None:
        """Say that there is nothing at this place any more."""
        self.button.setEnabled(not is_missing)
        if is_missing:
            self.note.setText("missing")
            set_role(self.note, "warn")
            self.note.setVisible(True)


class RunRow(QWidget):
    """A run that ended badly: what, when, why, and Resume."""

    resume_asked = Signal(str)
    shown = Signal(str)

    def __init__(self, theme: Theme, record: RunRecord) -> None:
        super().__init__()
        icon, role, word = STATUS[record.status]
        picture = QLabel()
        theme.follow(picture, lambda owner: owner.setPixmap(theme.icon(icon, role).pixmap(18, 18)))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        picture.setContentsMargins(0, TIGHT, 0, 0)
        name = QPushButton(run_name(record))
        set_role(name, "link")
        name.setAccessibleName(f"Show {run_name(record)} in Runs")
        name.clicked.connect(lambda: self.shown.emit(record.id))
        dataset = dataset_name(record)
        when = record.ended_at or record.heartbeat_at or record.created_at
        reached = epoch_text(record)
        facts = label(f"{word} {ago(when)} · {dataset}{f' · epoch {reached}' * bool(reached)}", "muted")
        self.reason = Elided(record.message, "error" if role == "bad" else "muted")
        self.reason.setContentsMargins(TIGHT + 1, 0, 0, 0)
        self.reason.setVisible(bool(record.message))
        self.resume = QPushButton("Resume")
        theme.follow_icon(self.resume, "resume", "muted")
        self.resume.setAccessibleName(f"Resume {run_name(record)}")
        self.resume.setToolTip(record.hint or "Queue it again from its checkpoint")
        self.resume.clicked.connect(self._ask)
        self._id = record.id
        first = QHBoxLayout()
        first.setSpacing(SMALL)
        first.addWidget(name)
        first.addWidget(facts)
        first.addStretch(1)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addLayout(first)
        texts.addWidget(self.reason)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(picture)
        row.addLayout(texts, 1)
        row.addWidget(self.resume)

    def _ask(self) -> None:
        # The store's answer takes a moment; a second press would ask for the same again.
        self.resume.setEnabled(False)
        self.resume_asked.emit(self._id)
