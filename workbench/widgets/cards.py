"""Cards: a framed part of a page with a title, controls beside it, and what it shows below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from workbench.theme import SMALL, SPACE, TIGHT, WIDE, set_role


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """A text in the look that the style sheet calls ``role``; it can be selected and is never read as mark-up."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        set_role(made, role)
    return made


class Elided(QLabel):
    """One line that ends in … where there is no room; the whole text is the tool tip."""

    def __init__(self, text: str = "", role: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode
        self.full = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(40)
        if role:
            set_role(self, role)
        self.set_full(text)

    def set_full(self, text: str) -> None:
        """Show another text."""
        self.full = text
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self.full, self._mode, max(self.width() - 2, 0))
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self.full if shown != self.full else "")


class Card(QFrame):
    """``head`` takes controls to the right of the title, ``body`` what the card shows."""

    def __init__(self, title: str = "", subtitle: str = "") -> None:
        super().__init__()
        set_role(self, "card")
        self.setAccessibleName(title)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(WIDE, SPACE + 2, WIDE, WIDE)
        whole.setSpacing(SPACE)
        self.head = QHBoxLayout()
        self.head.setSpacing(SMALL)
        self.body = QVBoxLayout()
        self.body.setSpacing(SPACE)
        if title:
            texts = QVBoxLayout()
            texts.setSpacing(TIGHT // 2)
            texts.addWidget(label(title, "title"))
            self.subtitle = label(subtitle, "muted", wrap=True)
            self.subtitle.setVisible(bool(subtitle))
            texts.addWidget(self.subtitle)
            self.head.addLayout(texts, 1)
            whole.addLayout(self.head)
        whole.addLayout(self.body, 1)

    def add_control(self, widget: QWidget) -> None:
        """Put a control beside the title."""
        self.head.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)


class Tile(QFrame):
    """One number and what it counts."""

    def __init__(self, caption: str, tip: str = "") -> None:
        super().__init__()
        set_role(self, "card")
        self.setToolTip(tip)
        self.caption = caption
        self.number = label("", "number")
        self.number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(WIDE, SPACE, WIDE, SPACE)
        layout.setSpacing(0)
        layout.addWidget(self.number)
        layout.addWidget(label(caption, "muted"))

    def set_value(self, text: str) -> None:
        """Show another number."""
        self.number.setText(text)
        self.setAccessibleName(f"{self.caption}: {text}")


def roomy(spin: QAbstractSpinBox) -> None:
    """Keep the number off the frame: a style sheet's padding does not reach the field inside a spin box."""
    spin.lineEdit().setTextMargins(6, 0, 0, 0)


def scrolled(content: QWidget) -> QScrollArea:
    """``content`` in a page-wide scroll area that never scrolls sideways."""
    area = QScrollArea()
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    _put_into(area, content)
    return area


def _put_into(area: QScrollArea, content: QWidget) -> None:
    """As a part of the page, on its ground: no frame, no stop for Tab."""
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    content.setProperty("role", "page")
    area.setWidget(content)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)


class SideBySide(QScrollArea):
    """Cards in one row, which scrolls sideways where there is no room for all of them; ``above``: pixels over them."""

    def __init__(self, above: int = 0) -> None:
        super().__init__()
        columns = QWidget()
        self._row = QHBoxLayout(columns)
        self._row.setContentsMargins(0, above, 0, 0)
        self._row.setSpacing(SPACE)
        _put_into(self, columns)

    def add(self, card: QWidget, stretch: int = 1) -> None:
        """Put a card at the right end."""
        self._row.addWidget(card, stretch)

    def weigh(self, card: QWidget, stretch: int) -> None:
        """Give a card more or less of the room that is left."""
        self._row.setStretchFactor(card, stretch)


def show_in_area(widget: QWidget) -> None:
    """Scroll the areas around a widget until it is seen."""
    around = widget.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(widget)
        around = around.parentWidget()


def clear(layout: QVBoxLayout) -> None:
    """Remove every widget of a column."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.setParent(None)
            widget.deleteLater()
