"""A run's log with its levels: everything, without the epochs' lines, or only what went wrong."""

from __future__ import annotations

import re
from enum import IntEnum

from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from workbench.theme import SMALL, set_role
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.layout import label


class Level(IntEnum):
    """How grave a line is."""

    DETAIL = 0
    """An epoch's values."""
    INFO = 1
    WARNING = 2
    ERROR = 3


CHOICES = {Level.DETAIL: "All", Level.INFO: "Without epochs", Level.WARNING: "Warnings, errors", Level.ERROR: "Errors"}
_STAMP = re.compile(r"^\d\d:\d\d:\d\d ")
_EPOCH = re.compile(r"^(\d\d:\d\d:\d\d )?epoch \d+/\d+ ")
_ERROR = re.compile(r"\b(\w*Error|Traceback|failed|Killed|killed|Fatal|fault of the program)\b")
_WARNING = re.compile(r"\b(\w*[Ww]arning|cannot be written|Training goes on|could not)\b")


def levels_of(text: str) -> list[tuple[Level, str]]:
    """The log's lines with their levels; what follows an error without a time of its own belongs to it.

    >>> [level.name for level, _ in levels_of("10:00:00 epoch 1/3  total 1\\nTraceback (…)\\n  File …")]
    ['DETAIL', 'ERROR', 'ERROR']
    """
    found: list[tuple[Level, str]] = []
    in_trace = False
    for line in text.splitlines():
        has_stamp = _STAMP.match(line) is not None
        if has_stamp:
            in_trace = False
        if in_trace:
            level = Level.ERROR
        elif _EPOCH.match(line):
            level = Level.DETAIL
        elif _ERROR.search(line):
            level = Level.ERROR
            in_trace = "Traceback" in line
        elif _WARNING.search(line):
            level = Level.WARNING
        else:
            level = Level.INFO
        found.append((level, line))
    return found


def at_least(text: str, level: Level) -> str:
    """The lines of this level and above."""
    if level is Level.DETAIL:
        return text
    return "\n".join(line for found, line in levels_of(text) if found >= level)


class LogView(QWidget):
    """The log and, above it, the least level that is shown."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._text = ""
        self.levels = ChoiceBox()
        self.levels.setAccessibleName("Least level of the log that is shown")
        for level, text in CHOICES.items():
            self.levels.addItem(text, int(level))
        self.levels.currentIndexChanged.connect(lambda _: self._show())
        self.count = label("", "muted")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(name)
        set_role(self.text, "log")
        self.head = QHBoxLayout()
        self.head.addWidget(self.levels)
        self.head.addWidget(self.count, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SMALL, 0, 0)
        column.setSpacing(SMALL)
        column.addLayout(self.head)
        column.addWidget(self.text, 1)

    @property
    def level(self) -> int:
        return int(self.levels.currentData())

    def set_level(self, level: object) -> None:
        """Show lines of this level and above; nonsense is passed over."""
        if isinstance(level, int) and (place := self.levels.findData(level)) >= 0:
            self.levels.setCurrentIndex(place)

    def clear(self) -> None:
        """Show nothing."""
        self._text = ""
        self.text.clear()
        self.count.setText("")

    def show_text(self, text: str) -> None:
        """Show another log, or the same one grown."""
        if text != self._text or not self.text.toPlainText():
            self._text = text
            self._show()

    def _show(self) -> None:
        found = [level for level, _ in levels_of(self._text)]
        errors, warnings = found.count(Level.ERROR), found.count(Level.WARNING)
        parts = [f"{errors} lines of errors"] * bool(errors) + [f"{warnings} warnings"] * bool(warnings)
        self.count.setText(" · ".join(parts))
        show_log(self.text, at_least(self._text, Level(self.level)))


def show_log(view: QPlainTextEdit, text: str) -> None:
    """Put the text in, and stay at the end if the end was in sight."""
    if view.toPlainText() == text:
        return
    bar = view.verticalScrollBar()
    at_end, place = bar.value() >= bar.maximum() - 2, bar.value()
    view.setPlainText(text)
    bar.setValue(bar.maximum() if at_end else place)
