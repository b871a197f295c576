"""Small pieces that give every page the same shape: heading, card, labels, buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from workbench.theme import SMALL, SPACE, WIDE, Theme, set_role


def label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A label in one of the style sheet's roles."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        set_role(made, role)
    made.setWordWrap(wrap)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def button(
    text: str,
    action: Callable[[], object],
    *,
    theme: Theme | None = None,
    icon: str = "",
    role: str = "",
    tip: str = "",
) -> QPushButton:
    """A push button; ``role`` is ``primary``, ``link``, ``danger`` or nothing."""
    made = QPushButton(text)
    made.clicked.connect(lambda: action())
    if role:
        set_role(made, role)
    if icon and theme is not None:
        theme.follow_icon(made, icon, {"primary": "on_accent", "danger": "bad"}.get(role, "muted"))
    if tip:
        made.setToolTip(tip)
    made.setAccessibleName(text)
    return made


def keep_room(made: QPushButton, longest: str) -> None:
    """Make a button as wide as its ``longest`` words need, so that nothing beside it moves when they change."""
    shown = made.text()
    made.ensurePolished()
    made.setText(longest)
    made.setMinimumWidth(made.sizeHint().width())
    made.setText(shown)


class PageHeading(QFrame):
    """The bar on top of a page: title, one line about it, buttons at the right (``add_widget``)."""

    def __init__(self, title: str, subtitle: str = "") -> None:
        super().__init__()
        set_role(self, "bar")
        self.title = label(title, "page-title")
        self.subtitle = label(subtitle, "muted")
        self.subtitle.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.title)
        texts.addWidget(self.subtitle)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(WIDE, SPACE, WIDE, SPACE)
        self.row.setSpacing(SMALL)
        self.row.addLayout(texts, 1)

    def add_widget(self, widget: QWidget) -> None:
        """Put a control at the right end."""
        self.row.addWidget(widget)


class Card(QFrame):
    """A framed surface with an optional title; put widgets into ``body``."""

    def __init__(self, title: str = "", hint: str = "") -> None:
        super().__init__()
        set_role(self, "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(WIDE, SPACE, WIDE, WIDE)
        self.body.setSpacing(SPACE)
        if title:
            self.head = QHBoxLayout()
            self.head.addWidget(label(title, "title"))
            self.head.addStretch(1)
            self.body.addLayout(self.head)
        if hint:
            self.body.addWidget(label(hint, "muted", wrap=True))


def line() -> QFrame:
    """A thin horizontal rule."""
    made = QFrame()
    set_role(made, "line")
    return made
