"""A page part that is empty, loading, failed or there: always one of the four, never a blank area."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from engine.errors import EngineError
from workbench.theme import HUGE, SPACE, TEXT_WIDTH, Theme, set_role

ICON_SIDE = 48
NARROWEST = 200
"""Pixels that a message asks for at least."""


_OTHER_HEIGHT = frozenset({QEvent.Type.LayoutRequest, QEvent.Type.FontChange, QEvent.Type.StyleChange})


class StatefulStack(QStackedWidget):
    """Shows ``content``, or in its place a message with what to do about it."""

    def __init__(self, content: QWidget, theme: Theme, *, is_page: bool = False) -> None:
        """``is_page``: with a message, it asks for the message's room only; a page that has nothing to show does not
        scroll. A part of a page keeps its content's room, so that nothing around it moves."""
        super().__init__()
        self._theme = theme
        self._is_page = is_page
        self.content = content
        self.state = "content"
        """``content``, ``empty``, ``loading`` or ``error``."""
        self._message = _Message(theme)
        self.addWidget(content)
        self.addWidget(self._message)

    @property
    def text(self) -> str:
        """What is written while the content is not shown."""
        return "" if self.state == "content" else self._message.title.text()

    def minimumSizeHint(self) -> QSize:
        if self._is_page and self.state != "content":
            return self._message.minimumSizeHint()
        return super().minimumSizeHint()

    def show_content(self) -> None:
        self.state = "content"
        self._message.busy(False)
        self.setCurrentWidget(self.content)

    def show_empty(
        self,
        title: str,
        hint: str = "",
        icon: str = "empty",
        button: str = "",
        action: Callable[[], None] | None = None,
    ) -> None:
        """Nothing to show yet: say why, and offer the button that starts something."""
        self._show("empty", icon, "faint", title, hint, button, action)

    def show_loading(self, title: str, cancel: Callable[[], None] | None = None) -> None:
        """Work is going on; with ``cancel`` there is a button that ends it."""
        self._show("loading", "clock", "faint", title, "", "Cancel" if cancel else "", cancel)
        self._message.busy(True)

    def show_error(
        self,
        error: BaseException | str,
        button: str = "",
        action: Callable[[], None] | None = None,
        other: tuple[str, Callable[[], None]] | None = None,
    ) -> None:
        """It failed: the sentence, what to do, a way to try again and, where there is one, an ``other`` way on."""
        title = error.message if isinstance(error, EngineError) else str(error) or type(error).__name__
        hint = error.hint if isinstance(error, EngineError) else ""
        self._show("error", "alert", "bad", title, hint, button, action)
        self._message.offer(other)

    def _show(
        self,
        state: str,
        icon: str,
        role: str,
        title: str,
        hint: str,
        button: str,
        action: Callable[[], None] | None,
    ) -> None:
        self.state = state
        self._message.show_message(icon, role, title, hint, button, action)
        self.setCurrentWidget(self._message)


class _Message(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._look = ("empty", "faint")
        self._action: Callable[[], None] | None = None
        self._other: Callable[[], None] | None = None
        self._heights: dict[int, int] = {}
        self.icon = QLabel()
        self.title = QLabel()
        self.hint = QLabel()
        self.progress = QProgressBar()
        self.button = QPushButton()
        self.button.setAccessibleName("No action")
        self.other = QPushButton()
        self.other.setAccessibleName("No action")
        self._arrange()
        self.button.clicked.connect(self._clicked)
        self.other.clicked.connect(self._other_clicked)
        theme.follow(self, _Message._draw_icon)

    def _arrange(self) -> None:
        for label, role in ((self.title, "empty-title"), (self.hint, "muted")):
            set_role(label, role)
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setMaximumWidth(TEXT_WIDTH)
            label.setMinimumWidth(160)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.icon.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(220)
        self.progress.setAccessibleName("Working")
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(HUGE, HUGE, HUGE, HUGE)
        layout.setSpacing(SPACE)
        layout.addStretch(2)
        layout.addWidget(self.icon)
        for widget in (self.title, self.hint):
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(widget, 8)
            row.addStretch(1)
            layout.addLayout(row)
        layout.addWidget(self.progress, 0, Qt.AlignmentFlag.AlignHCenter)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        buttons.addStretch(1)
        buttons.addWidget(self.button)
        buttons.addWidget(self.other)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        layout.addStretch(3)

    def minimumSizeHint(self) -> QSize:
        """High enough for the text in the width that there is. Qt's own answer is for the narrowest text, twice as
        high: a page would scroll for a message that fits, and go on when it is gone."""
        return QSize(NARROWEST, self._height_in(max(self.width(), NARROWEST)))

    def hasHeightForWidth(self) -> bool:
        # Said so above, by the width that there is. Otherwise every box around, up to the page, asks for the height in
        # several widths, each of which asks again within: hundreds of times for one look.
        return False

    def _height_in(self, width: int) -> int:
        # Every layout around asks, dozens of times for one look at a page.
        if width not in self._heights:
            self._heights[width] = self._column.totalMinimumHeightForWidth(width)
        return self._heights[width]

    def event(self, event: QEvent) -> bool:
        if event.type() in _OTHER_HEIGHT:
            self._heights.clear()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_icon()
        if self._height_in(event.size().width()) != self._height_in(event.oldSize().width()):
            self.updateGeometry()

    def _fit_icon(self) -> None:
        """The picture goes before any word is cut: a dock may be lower than the message would like."""
        is_there = not self.icon.isHidden()
        whole = self._height_in(max(self.width(), NARROWEST)) + (0 if is_there else ICON_SIDE + SPACE)
        if (self.height() >= whole) != is_there:
            self.icon.setVisible(not is_there)
            self._heights.clear()

    def _draw_icon(self) -> None:
        name, role = self._look
        self.icon.setPixmap(self._theme.icon(name, role).pixmap(ICON_SIDE, ICON_SIDE))

    def _clicked(self) -> None:
        if self._action is not None:
            self._action()

    def _other_clicked(self) -> None:
        if self._other is not None:
            self._other()

    def offer(self, other: tuple[str, Callable[[], None]] | None) -> None:
        """A second button beside the first; None takes it away."""
        text, self._other = other or ("", None)
        self.other.setText(text)
        self.other.setAccessibleName(text or "No action")
        self.other.setVisible(bool(text))
        self._heights.clear()

    def busy(self, is_busy: bool) -> None:
        # A hidden busy indicator still animates and wakes the event loop, unless it is given an end.
        self.progress.setRange(0, 0 if is_busy else 1)
        self.progress.setVisible(is_busy)

    def show_message(
        self, icon: str, role: str, title: str, hint: str, button: str, action: Callable[[], None] | None
    ) -> None:
        self._look = (icon, role)
        self._draw_icon()
        self.title.setText(title)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.icon.show()
        self.busy(False)
        self._action = action
        self.button.setText(button)
        self.button.setAccessibleName(button or "No action")
        self.button.setVisible(bool(button) and action is not None)
        self.offer(None)
        self._fit_icon()
        self.updateGeometry()
