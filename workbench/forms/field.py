"""One setting on one line: a dot where it was changed, name, editor, unit, what it means; its error below."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from engine.config import SettingInfo
from workbench.forms.editors import editor_for, number_text
from workbench.theme import SMALL, Theme, set_role
from workbench.widgets.layout import label

DOT_WIDTH = 22
LABEL_WIDTH = 178
ENTRY_WIDTH = 310


def bounds_text(info: SettingInfo) -> str:
    """The allowed range in words, e.g. ``above 0, at most 1``."""
    parts = []
    if info.lower is not None:
        parts.append(f"{'above' if info.lower_open else 'at least'} {number_text(info.lower)}")
    if info.upper is not None:
        parts.append(f"{'below' if info.upper_open else 'at most'} {number_text(info.upper)}")
    return ", ".join(parts)


def value_text(info: SettingInfo, value: Any) -> str:
    """A value as the form words it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(info.choices.get(value) or number_text(value)) if value is not None else "–"


def tool_tip(info: SettingInfo, preset_value: Any, base: str = "preset") -> str:
    """What a setting is, where it comes from, what it may be."""
    symbol = f" ({escape(info.symbol)})" if info.symbol else ""
    lines = [f"<b>{escape(info.label)}{symbol}</b><br>{escape(info.help)}"]
    if bounds := bounds_text(info):
        lines.append(f"Allowed: {bounds}{' ' + escape(info.unit) if info.unit else ''}.")
    if info.is_departure:
        paper, published = value_text(info, info.paper), value_text(info, info.published)
        lines.append(f"Paper: {escape(paper)}. Published code: {escape(published)}.")
    lines.append(f"{base.capitalize()}: {escape(value_text(info, preset_value))}.")
    if info.annotation in (int, float) and info.path != "train.seed":
        example = "1, 2 or 1-3" if info.annotation is int else "0.1, 0.2"
        lines.append(f"Several values, each a run: {example}.")
    lines.append(f"Source: {escape(info.source)}. Command line: --{info.path}")
    return "<p style='max-width: 420px'>" + "<br>".join(lines) + "</p>"


class FieldRow(QWidget):
    """Emits `edited` (path, value) for every change by the user. ``base`` names what a value is compared with."""

    edited = Signal(str, object)

    def __init__(self, info: SettingInfo, theme: Theme, base: str = "preset") -> None:
        super().__init__()
        self.info = info
        self._base = base
        self.preset_value: Any = info.value
        self._shown: tuple[Any, Any] | None = None
        self._unused = ""
        self.dot = QToolButton()
        has_symbol = info.symbol and info.symbol not in info.label.split()
        self.name = label(f"{info.label}  {info.symbol}" if has_symbol else info.label)
        self.editor = editor_for(info)
        self.help = label(info.help, "muted", wrap=True)
        self.error = label("", "error", wrap=True)
        theme.follow_icon(self.dot, "dot", "accent")
        self.dot.setToolTip(f"Changed from the {base}; press to take the {base}'s value back")
        self.dot.setAccessibleName(f"Reset {info.label} to the {base}")
        set_role(self.dot, "dot")
        self.dot.setFixedSize(DOT_WIDTH, 22)
        self.dot.clicked.connect(lambda: self.edited.emit(info.path, self.preset_value))
        self.editor.edited.connect(lambda value: self.edited.emit(info.path, value))
        self.name.setBuddy(self.editor.field)
        self._arrange()
        self._name_for_assistive_tools()
        self.show_info(info, info.value)

    def _arrange(self) -> None:
        keep = self.dot.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.dot.setSizePolicy(keep)
        self.name.setFixedWidth(LABEL_WIDTH)
        self.help.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.help.setMinimumWidth(120)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addWidget(self.dot)
        row.addWidget(self.name)
        entry = QWidget()
        inner = QHBoxLayout(entry)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(SMALL)
        inner.addWidget(self.editor)
        if self.info.unit:
            inner.addWidget(label(self.info.unit, "muted"))
        inner.addStretch(1)
        # One width for all editors, so that the explanations stand in a column.
        entry.setMinimumWidth(ENTRY_WIDTH)
        row.addWidget(entry)
        row.addWidget(self.help, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(2)
        layout.addLayout(row)
        self.error.setContentsMargins(LABEL_WIDTH + DOT_WIDTH + 2 * SMALL, 0, 0, 0)
        self.error.hide()
        layout.addWidget(self.error)

    def _name_for_assistive_tools(self) -> None:
        info = self.info
        field = self.editor.field
        unit = f" in {info.unit}" if info.unit else ""
        if not field.accessibleName():
            field.setAccessibleName(f"{info.label}{unit}")
        field.setAccessibleDescription(info.help)
        self.editor.setAccessibleName(info.label)

    @property
    def is_changed(self) -> bool:
        """Whether the value differs from the preset's."""
        return self.info.value != self.preset_value

    def show_info(self, info: SettingInfo, preset_value: Any) -> None:
        """Show the configuration's value, and whether it is the preset's."""
        is_known = self._shown == (info.value, preset_value)
        self._shown = (info.value, preset_value)
        self.info, self.preset_value = info, preset_value
        self.editor.show_value(info.value)
        self.dot.setVisible(self.is_changed)
        if is_known:
            return
        # Not on what is inside the editor: a child without a tip shows its parent's, operator buttons have their own.
        for widget in (self.name, self.editor):
            widget.setToolTip(tool_tip(info, preset_value, self._base))

    def show_list(self, values: tuple[Any, ...]) -> None:
        """The field holds a list: what is typed stays; the dot takes the preset's value back."""
        self._shown = None
        self.dot.setVisible(True)
        self.dot.setToolTip(f"{len(values)} values, each a run; press to take the {self._base}'s value back")

    def enter_list(self, values: tuple[Any, ...]) -> None:
        """Show a list as it could have been typed."""
        self.editor.show_value(", ".join(number_text(value) for value in values))
        self.show_list(values)

    def show_unused(self, note: str, *, is_told: bool = False) -> None:
        """Close the field where it changes nothing, with the ``note`` that says why in place of its help, unless the
        section's heading has told (``is_told``); empty: it counts."""
        if note == self._unused:
            return
        self._unused = note
        self.editor.setEnabled(not note)
        self.name.setEnabled(not note)
        self.dot.setEnabled(not note)
        self.help.setText(note if note and not is_told else self.info.help)
        self.editor.field.setAccessibleDescription(note or self.info.help)

    def show_error(self, text: str) -> None:
        """Say below the field what is wrong with it; empty: nothing."""
        self.error.setText(text)
        self.error.setVisible(bool(text))
        self.editor.show_wrong(bool(text))

    @property
    def error_text(self) -> str:
        """What is said to be wrong, or nothing."""
        return "" if self.error.isHidden() else self.error.text()


def takes_tab(widget: QWidget) -> bool:
    """Whether Tab comes to the widget, where it is seen and enabled."""
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None


class Fold(QWidget):
    """A heading that opens and closes what is below it; ``note`` at its right says what is inside."""

    toggled = Signal(bool)

    def __init__(self, title: str, theme: Theme, *, is_open: bool = True) -> None:
        super().__init__()
        self._theme = theme
        self._fill: Callable[[], None] | None = None
        self.head = QToolButton()
        set_role(self.head, "heading")
        self.head.setText(title)
        self.head.setCheckable(True)
        self.head.setChecked(is_open)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setAccessibleName(f"{title} settings")
        self.head.toggled.connect(self._show)
        self.note: QLabel = label("", "muted", wrap=True)
        self.inner = QWidget()
        self.body = QVBoxLayout(self.inner)
        self.body.setContentsMargins(0, 0, 0, SMALL)
        self.body.setSpacing(0)
        self.top = QHBoxLayout()
        self.top.setContentsMargins(0, 0, 0, 0)
        self.top.setSpacing(SMALL)
        self.top.addWidget(self.head)
        self.top.addWidget(self.note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.top)
        layout.addWidget(self.inner)
        theme.follow(self, Fold._draw)
        self._show(is_open)

    @property
    def is_open(self) -> bool:
        return self.head.isChecked()

    def fill_when_opened(self, fill: Callable[[], None]) -> None:
        """Make what is inside only when it is first seen: most of a form stays closed."""
        self._fill = fill
        if self.is_open:
            self._show(True)

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        self.head.setChecked(is_open)

    def _show(self, is_open: bool) -> None:
        if is_open and self._fill is not None:
            fill, self._fill = self._fill, None
            fill()
            self._thread()
        self.inner.setVisible(is_open)
        self._draw()
        self.toggled.emit(is_open)

    def _thread(self) -> None:
        """Put what is inside after the heading in the order of Tab: what is made late comes last otherwise."""
        before: QWidget = self.head
        for place in range(self.top.count()):
            item = self.top.itemAt(place)
            beside = item.widget() if item is not None else None
            before = beside if beside is not None and takes_tab(beside) else before
        for widget in self.inner.findChildren(QWidget):
            if takes_tab(widget) and widget.window() is self.window():  # a list that pops up is a window
                QWidget.setTabOrder(before, widget)
                before = widget

    def _draw(self) -> None:
        self.head.setIcon(self._theme.icon("chevron-down" if self.is_open else "chevron-right", "muted"))
