"""The left rail: one button a page, with its icon and its number. It scrolls where the window is too low for all."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QVBoxLayout, QWidget

from workbench.pages import Page, key_of
from workbench.theme import SMALL, TIGHT, Theme, set_role
from workbench.widgets.cards import scrolled

LEAST_WIDTH = 92
BUTTON_PADDING = 2 * (2 + 1)
"""What the style sheet gives a rail button at its two sides: padding and border."""


class Rail(QFrame):
    """Emits `chosen` with a page's id."""

    chosen = Signal(str)

    def __init__(self, pages: Sequence[Page], theme: Theme) -> None:
        super().__init__()
        set_role(self, "rail")
        self._theme = theme
        self._width = self._needed_width(pages)
        self.setFixedWidth(self._width)
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        column = QWidget()
        buttons = QVBoxLayout(column)
        # No margin at the right: the style sheet's scroll bar is as wide as it would be, and moves no button.
        buttons.setContentsMargins(SMALL, SMALL, 0, SMALL)
        buttons.setSpacing(TIGHT)
        for number, page in enumerate(pages, 1):
            buttons.addWidget(self._button(page, number), 0, Qt.AlignmentFlag.AlignLeft)
        buttons.addStretch(1)
        self._area = scrolled(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._area)
        theme.follow(self, Rail._draw_icons)

    def _needed_width(self, pages: Sequence[Page]) -> int:
        """Room for the widest title as it stands when its page is shown: bold, in whatever font the system has."""
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        widest = max((QFontMetrics(font).horizontalAdvance(page.title) for page in pages), default=0)
        return max(LEAST_WIDTH, widest + BUTTON_PADDING + 2 * SMALL + 1 + 2 * TIGHT)

    def _button(self, page: Page, number: int) -> QToolButton:
        button = QToolButton()
        set_role(button, "rail")
        button.setText(page.title)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(22, 22))
        button.setCheckable(True)
        # A click leaves the focus to the page, whose shortcuts then work at once.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setFixedWidth(self._width - 2 * SMALL - 1)
        button.setAccessibleName(f"{page.title} page")
        key = key_of(number)
        button.setToolTip(f"{page.tip or page.title}  ({key})" if key else page.tip or page.title)
        button.setProperty("icon_name", page.icon)
        button.clicked.connect(lambda _=False, name=page.id: self.chosen.emit(name))
        self._group.addButton(button)
        self._buttons[page.id] = button
        return button

    def select(self, page_id: str) -> None:
        """Mark the page that is shown."""
        self._buttons[page_id].setChecked(True)
        self._draw_icons()
        self._bring_into_sight()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._bring_into_sight()

    def _bring_into_sight(self) -> None:
        """The marked page came by a key or from another page, or the window has become lower."""
        if (button := self._group.checkedButton()) is not None:
            self._area.ensureWidgetVisible(button, 0, SMALL)

    def _draw_icons(self) -> None:
        for button in self._buttons.values():
            role = "accent" if button.isChecked() else "muted"
            button.setIcon(self._theme.icon(button.property("icon_name"), role))
