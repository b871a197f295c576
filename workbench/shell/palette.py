"""The command palette (every action by a few letters of its name) and the list of all shortcuts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from workbench.actions import ActionSpec, ActionTable, shortcut_text
from workbench.theme import SMALL, SPACE, WIDE, Theme, set_role
from workbench.widgets.layout import label


def plain(text: str) -> str:
    """Menu text without mnemonics and dots."""
    return text.replace("&", "").removesuffix("…")


def full_name(spec: ActionSpec) -> str:
    """``View ▸ Theme ▸ Dark``: what the palette lists and searches."""
    place = plain(spec.menu).replace("/", " ▸ ")
    return f"{place} ▸ {plain(spec.text)}" if place else plain(spec.text)


def match(pattern: str, text: str) -> int | None:
    """How well ``pattern``'s letters, in order, are found in ``text``: smaller is better, None is not at all.

    >>> match("rn", "Run"), match("nr", "Run")
    (2, None)
    """
    text, position, cost = text.lower(), -1, 0
    for letter in pattern.lower().replace(" ", ""):
        found = text.find(letter, position + 1)
        if found < 0:
            return None
        cost += found - position - 1 if position >= 0 else found
        position = found
    return cost + (0 if pattern.lower() in text else 1) if pattern else 0


class CommandPalette(QFrame):
    """A list over the window; Enter runs, Escape closes. Not modal."""

    def __init__(self, table: ActionTable, theme: Theme, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self._table = table
        self._theme = theme
        self._window = window
        self.field = QLineEdit()
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setAccessibleName("Search commands")
        self.list = QListWidget()
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Commands")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        set_role(self, "popup")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SMALL)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.list.itemActivated.connect(self._run)
        self.list.itemClicked.connect(self._run)

    def open(self) -> None:
        """Show all commands, ready to type."""
        self.resize(min(620, self._window.width() - 40), min(440, self._window.height() - 80))
        corner = self._window.mapToGlobal(QPoint((self._window.width() - self.width()) // 2, 60))
        self.move(corner)
        self.field.clear()
        self._filter("")
        self.show()
        self.field.setFocus()

    def _filter(self, text: str) -> None:
        rows: list[tuple[bool, int, int, ActionSpec]] = []
        for spec in self._table.specs.values():
            cost = match(text, full_name(spec))
            if cost is not None:
                rows.append((not self._table.is_enabled(spec.id), cost, len(rows), spec))
        self.list.clear()
        for disabled, _, _, spec in sorted(rows, key=lambda row: row[:3]):
            shortcut = f"    {shortcut_text(spec)}" if spec.shortcut else ""
            item = QListWidgetItem(full_name(spec) + shortcut)
            item.setData(Qt.ItemDataRole.UserRole, spec.id)
            item.setIcon(self._theme.icon(spec.icon or "command", "faint" if disabled else "muted"))
            if disabled:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        if not rows:
            nothing = QListWidgetItem(f"No command matches “{text.strip()}”.")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)

    def _run(self, item: QListWidgetItem | None) -> None:
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        self.hide()
        self._table.run(item.data(Qt.ItemDataRole.UserRole))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.field:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, self.list.currentRow() + step)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)


class ShortcutSheet(QFrame):
    """All shortcuts on one sheet; any click outside or Escape closes it."""

    def __init__(self, table: ActionTable, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(WIDE)
        grid.setVerticalSpacing(SMALL)
        self.rows = [(full_name(spec), shortcut_text(spec)) for spec in table.specs.values() if spec.shortcut]
        for number, (name, keys) in enumerate(self.rows):
            grid.addWidget(label(keys, "mono"), number, 0)
            grid.addWidget(label(name), number, 1)
        grid.setColumnStretch(1, 1)
        inner = QWidget()
        inner.setLayout(grid)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, WIDE, WIDE, WIDE)
        layout.addWidget(label("Keyboard shortcuts", "title"))
        layout.addWidget(area)
        set_role(self, "popup")
        self.resize(min(560, window.width() - 40), min(inner.sizeHint().height() + 90, window.height() - 80))
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, 60)))
