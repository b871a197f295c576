"""One small widget for each kind of value. They hold what was typed, right or wrong: the configuration alone judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from engine import registry
from engine.config import SettingInfo
from workbench.theme import SMALL, TIGHT, repolish
from workbench.widgets.choice_box import ChoiceBox

WIDTH = 210


class Editor(QWidget):
    """Base: `edited` carries what the user entered."""

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(SMALL)

    @property
    def field(self) -> QWidget:
        """The widget that takes the focus and shows a wrong value."""
        raise NotImplementedError

    def value(self) -> Any:
        """What is entered now."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value without telling anyone."""
        raise NotImplementedError

    def show_wrong(self, is_wrong: bool) -> None:
        """Mark the field."""
        if bool(self.field.property("wrong")) != is_wrong:
            self.field.setProperty("wrong", is_wrong)
            repolish(self.field)


def number_text(value: Any) -> str:
    """A number as it is typed: no thousands, no trailing zeros."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


class _Stepping(QLineEdit):
    """Arrow up and down step an integer by one; the wheel is left to the page."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if step is not None and self.text().lstrip("-").isdecimal():
            self.setText(str(int(self.text()) + step))
            self.textEdited.emit(self.text())
            return
        super().keyPressEvent(event)


class TextEditor(Editor):
    """Text and numbers."""

    def __init__(self, info: SettingInfo) -> None:
        super().__init__()
        self._is_number = info.annotation in (int, float)
        self.line = _Stepping() if info.annotation is int else QLineEdit()
        self.line.setFixedWidth(WIDTH // 2 if self._is_number else WIDTH)
        self.line.textEdited.connect(lambda text: self.edited.emit(text))
        self.row.addWidget(self.line)

    @property
    def field(self) -> QWidget:
        return self.line

    def value(self) -> str:
        return self.line.text()

    def show_value(self, value: Any) -> None:
        text = number_text(value)
        # Rewriting what is being typed would move the cursor and undo '1.' on the way to '1.5'.
        if not _same(self.line.text(), text):
            self.line.setText(text)


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


class PathEditor(TextEditor):
    """A file, typed or chosen."""

    def __init__(self, info: SettingInfo) -> None:
        super().__init__(info)
        self._is_data = info.path == "data.path"
        self.line.setFixedWidth(WIDTH * (2 if self._is_data else 1))
        browse = QPushButton("Browse…")
        browse.setAccessibleName("Choose a data file" if self._is_data else f"Choose a file for {info.label}")
        browse.clicked.connect(self._browse)
        self.row.addWidget(browse)

    def _browse(self) -> None:
        start = str(Path(self.line.text()).parent) if self.line.text() != "sample" else ""
        dialog = QFileDialog(self.window(), "Choose a data set" if self._is_data else "Choose a file", start)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._chosen)
        dialog.open()

    def _chosen(self, path: str) -> None:
        self.line.setText(path)
        self.edited.emit(path)


class BoolEditor(Editor):
    """Yes or no."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox("no")
        # Whoever sets it: a press, the preset, another field.
        self.box.toggled.connect(lambda is_on: self.box.setText("yes" if is_on else "no"))
        self.box.clicked.connect(lambda checked: self.edited.emit(checked))
        self.row.addWidget(self.box)

    @property
    def field(self) -> QWidget:
        return self.box

    def value(self) -> bool:
        return self.box.isChecked()

    def show_value(self, value: Any) -> None:
        self.box.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of several named values."""

    def __init__(self, choices: dict[Any, str]) -> None:
        super().__init__()
        self.combo = ChoiceBox()
        self.combo.setFixedWidth(WIDTH + 90)
        for value, text in choices.items():
            self.combo.addItem(text, value)
        self.combo.activated.connect(lambda _: self.edited.emit(self.value()))
        self.row.addWidget(self.combo)

    @property
    def field(self) -> QWidget:
        return self.combo

    def value(self) -> Any:
        return self.combo.currentData()

    def show_value(self, value: Any) -> None:
        self.combo.setCurrentIndex(self.combo.findData(value))


class OperatorsEditor(Editor):
    """A set of augmentation operators: one button a letter."""

    def __init__(self) -> None:
        super().__init__()
        self.row.setSpacing(TIGHT)
        self.buttons: dict[str, QPushButton] = {}
        # In the paper's order, S I M C R; operators added later follow.
        known = {entry.facts["letter"]: entry for entry in registry.entries("operator")}
        for letter in sorted(known, key=lambda item: ("SIMCR".find(item) % 99, item)):
            button = QPushButton(letter)
            button.setCheckable(True)
            button.setFixedWidth(36)
            button.setToolTip(f"{known[letter].label}: {known[letter].help}")
            button.setAccessibleName(known[letter].label)
            button.clicked.connect(lambda _=False: self.edited.emit(self.value()))
            self.buttons[letter] = button
            self.row.addWidget(button)

    @property
    def field(self) -> QWidget:
        return next(iter(self.buttons.values()))

    def value(self) -> str:
        return "".join(letter for letter, button in self.buttons.items() if button.isChecked())

    def show_value(self, value: Any) -> None:
        for letter, button in self.buttons.items():
            button.setChecked(letter in str(value))

    def show_wrong(self, is_wrong: bool) -> None:
        for button in self.buttons.values():
            button.setProperty("wrong", is_wrong)


def editor_for(info: SettingInfo) -> Editor:
    """The widget for a setting, chosen by its annotation (and by what its text means, for operators and files)."""
    if info.choices or get_origin(info.annotation) is Literal:
        values = info.choices or {value: str(value) for value in get_args(info.annotation)}
        return ChoiceEditor(dict(values))
    if info.annotation is bool:
        return BoolEditor()
    if info.name.endswith("_operators"):
        return OperatorsEditor()
    if info.path in ("data.path", "titles"):
        return PathEditor(info)
    return TextEditor(info)
