"""The one table of actions: menus, toolbar, command palette and the list of shortcuts are all built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from workbench.theme import Theme


@dataclass(frozen=True)
class ActionSpec:
    """One row of the table. ``menu`` is a path such as ``View/Theme``; ``group`` makes exclusive choices of actions."""

    id: str
    text: str
    callback: Callable[[], None]
    menu: str = ""
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    enabled: Callable[[], bool] | None = None
    checked: Callable[[], bool] | None = None
    group: str = ""
    separator_before: bool = False
    is_global: bool = True
    """False: the shortcut works only where `ActionTable.attach` puts it."""


class ActionTable(QObject):
    """Rows by id, each with its `QAction`."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._groups: dict[str, QActionGroup] = {}
        self._is_menu_open = False
        self.specs: dict[str, ActionSpec] = {}
        self.actions: dict[str, QAction] = {}

    def add(self, spec: ActionSpec) -> QAction:
        """Enter a row. Raises ``ValueError`` for an id or a global shortcut that is taken."""
        taken = {row.shortcut: row.id for row in self.specs.values() if row.shortcut and row.is_global}
        if spec.id in self.specs or (spec.is_global and spec.shortcut in taken):
            raise ValueError(f"action {spec.id} ({spec.shortcut}) is already in the table")
        action = QAction(spec.text, self)
        action.setObjectName(spec.id)
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
        if spec.tip:
            action.setStatusTip(spec.tip)
            action.setToolTip(f"{spec.tip} ({shortcut_text(spec)})" if spec.shortcut else spec.tip)
        if spec.icon:
            self._theme.follow_icon(action, spec.icon, "muted")
        if spec.checked is not None:
            action.setCheckable(True)
        if spec.group:
            self._groups.setdefault(spec.group, QActionGroup(self)).addAction(action)
        action.triggered.connect(lambda: self.run(spec.id))
        if spec.is_global:
            self._window.addAction(action)
        else:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.specs[spec.id] = spec
        self.actions[spec.id] = action
        return action

    def attach(self, action_id: str, scope: QWidget) -> None:
        """Let the shortcut of a non-global row work inside ``scope``."""
        scope.addAction(self.actions[action_id])

    def is_enabled(self, action_id: str) -> bool:
        """Whether the row can be used now."""
        enabled = self.specs[action_id].enabled
        return enabled is None or enabled()

    def run(self, action_id: str) -> None:
        """Do what the row says, if it can be done now."""
        if self.is_enabled(action_id):
            self.specs[action_id].callback()
        self.refresh()

    def show_in_menu(self, is_open: bool) -> None:
        """A menu opens, or is closed again: while one is read, what cannot be done is grey, with a shortcut too."""
        self._is_menu_open = is_open
        self.refresh()

    def refresh(self) -> None:
        """Bring enablement and check marks up to date."""
        for action_id, spec in self.specs.items():
            # An action with a shortcut stays enabled: a disabled one would let the key fall through to something else.
            # But not where it is read: no shortcut works while a menu is open.
            if not spec.shortcut:
                self.actions[action_id].setEnabled(self.is_enabled(action_id))
            elif spec.enabled is not None:
                self.actions[action_id].setEnabled(not self._is_menu_open or self.is_enabled(action_id))
            if spec.checked is not None:
                self.actions[action_id].setChecked(spec.checked())


def shortcut_text(spec: ActionSpec) -> str:
    """The shortcut as the system writes it."""
    return QKeySequence(spec.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
