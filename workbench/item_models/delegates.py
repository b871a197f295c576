"""How cells of the table of runs are painted: a state with its mark, a progress bar, a name with its curve's look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.records import RunStatus
from workbench.item_models.runs_model import (
    CHECK,
    DISPLAY,
    GROUP_ROLE,
    ORDER_ROLE,
    PROGRESS_ROLE,
    RECORD_ROLE,
    STAR_ROLE,
    STATE_ROLE,
)
from workbench.theme import Theme
from workbench.widgets.name_delegate import shortened
from workbench.widgets.text import share_text

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 30
_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)

# Never colour alone: each state has a mark of its own.
STATES: dict[RunStatus, tuple[str, str]] = {
    RunStatus.QUEUED: ("clock", "muted"),
    RunStatus.RUNNING: ("play", "accent"),
    RunStatus.FINISHED: ("check", "good"),
    RunStatus.STOPPED: ("stop", "muted"),
    RunStatus.FAILED: ("alert", "bad"),
    RunStatus.LOST: ("help", "warn"),
    RunStatus.CANCELLED: ("cancel", "muted"),
}


Read = Callable[[int], Any]
"""What the model answers for the cell, by role."""


class _Cell(QStyledItemDelegate):
    """`draw` is for tables that paint their rows themselves; `paint` adds selection, stripe and focus, as Qt asks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.is_selected = False
        """Whether what is drawn lies on the colour of a selected row."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self.initStyleOption(option, index)
        option.text = ""  # type: ignore[attr-defined]
        widget = option.widget  # type: ignore[attr-defined]
        style = widget.style() if widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        painter.save()
        painter.setFont(option.font)  # type: ignore[attr-defined]
        self.is_selected = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        self.draw(painter, self.room(option, style), option.fontMetrics, index.data)  # type: ignore[attr-defined]
        self.is_selected = False
        painter.restore()

    def room(self, option: QStyleOptionViewItem, style: QStyle) -> QRect:
        """What of the cell `draw` is given."""
        del style
        return QRect(option.rect)  # type: ignore[attr-defined]

    def draw(self, painter: QPainter, rect: QRect, metrics: QFontMetrics, read: Read) -> None:
        """Paint what the cell says. The painter has the view's font; its pen and brush may be left changed."""
        raise NotImplementedError


class StateDelegate(_Cell):
    """The state's mark and word."""

    def draw(self, painter: QPainter, rect: QRect, metrics: QFontMetrics, read: Read) -> None:
        del metrics
        record = read(RECORD_ROLE)
        if record is None:
            return
        icon, role = STATES[record.status]
        text = "stopping" if record.stop_requested and record.status is RunStatus.RUNNING else record.status.value
        if read(STATE_ROLE) is None:
            # The newest run's state is not its group's: a lost seed would hide the finished ones.
            icon, role, text = "", "muted", str(read(DISPLAY))
        if icon:
            side = 16
            top = rect.top() + (rect.height() - side) // 2
            self.theme.icon(icon, role).paint(painter, rect.left() + 6, top, side, side)
        painter.setPen(QColor(getattr(self.theme.colours, self.word_role(role))))
        painter.drawText(rect.adjusted(28, 0, -2, 0), _MIDDLE, text)

    def word_role(self, role: str) -> str:
        """The colour of the state's word: not all of them can be read on the colour of a selected row."""
        return "text" if self.is_selected else role


class ProgressDelegate(_Cell):
    """A flat bar and its percentage."""

    def draw(self, painter: QPainter, rect: QRect, metrics: QFontMetrics, read: Read) -> None:
        del metrics
        share = read(PROGRESS_ROLE)
        if share is None:
            return
        colours = self.theme.colours
        room = QRectF(rect).adjusted(8, 0, -8, 0)
        text_width = 44
        bar = QRectF(room.left(), room.center().y() - 2.5, max(room.width() - text_width, 10), 5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        done = min(max(share, 0.0), 1.0)
        state = read(STATE_ROLE)
        role = "accent" if state is None else STATES[state][1]
        painter.setBrush(QColor(getattr(colours, role)))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * done, bar.height()), 2.5, 2.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QColor(colours.muted))
        right = room.adjusted(room.width() - text_width, 0, 0, 0)
        painter.drawText(right, _MIDDLE | int(Qt.AlignmentFlag.AlignRight), share_text(done))


class NameDelegate(_Cell):
    """The tick box, the look of the curve, whether a group is open, a star for the baseline or its group, the name."""

    SAMPLE = 26
    SIDE = 14
    INDENT = 18

    def room(self, option: QStyleOptionViewItem, style: QStyle) -> QRect:
        return style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget)  # type: ignore[attr-defined]

    def draw(self, painter: QPainter, rect: QRect, metrics: QFontMetrics, read: Read) -> None:
        order = read(ORDER_ROLE)
        if order is None:
            return
        middle = rect.center().y() + 0.5
        is_ticked = Qt.CheckState(read(CHECK)) is not Qt.CheckState.Unchecked
        group = read(GROUP_ROLE)
        if group is not None and not group[0]:
            rect = rect.adjusted(self.INDENT, 0, 0, 0)
        draw_sample(painter, self.theme, order, QPointF(rect.left() + 2, middle), 18, is_faint=not is_ticked)
        where = rect.adjusted(self.SAMPLE, 0, 0, 0)
        marks = [("star", "warn")] if read(STAR_ROLE) else []
        if group is not None and group[0] > 1:
            marks.insert(0, ("chevron-down" if group[1] else "chevron-right", "muted"))
        for mark, role in marks:
            top = where.top() + (where.height() - self.SIDE) // 2
            self.theme.icon(mark, role).paint(painter, where.left(), top, self.SIDE, self.SIDE)
            where = where.adjusted(self.SIDE + 4, 0, 0, 0)
        painter.setPen(QColor(self.theme.colours.text))
        painter.drawText(where, _MIDDLE, shortened(str(read(DISPLAY)), metrics, where.width()))


def draw_sample(
    painter: QPainter, theme: Theme, order: int, at: QPointF, width: int, *, is_faint: bool = False
) -> None:
    """A short piece of the curve that the run has in every plot: colour, dash and marker."""
    look = theme.series_style(order)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(theme.colours.strong_border if is_faint else look.colour)
    pen = QPen(colour, 2)
    pen.setStyle(look.dash)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(at, QPointF(at.x() + width, at.y()))
    _draw_marker(painter, look.marker, QPointF(at.x() + width / 2, at.y()), colour)
    painter.restore()


def _draw_marker(painter: QPainter, marker: str, at: QPointF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.6))
    painter.setBrush(colour)
    size = 3.4
    x, y = at.x(), at.y()
    if marker == "o":
        painter.drawEllipse(at, size, size)
    elif marker == "s":
        painter.drawRect(QRectF(x - size + 0.4, y - size + 0.4, 2 * size - 0.8, 2 * size - 0.8))
    elif marker in ("t", "d"):
        down = [QPointF(x - size, y - size), QPointF(x + size, y - size), QPointF(x, y + size)]
        diamond = [QPointF(x, y - size), QPointF(x + size, y), QPointF(x, y + size), QPointF(x - size, y)]
        painter.drawPolygon(QPolygonF(down if marker == "t" else diamond))
    else:
        diagonal = size if marker in ("x", "star") else 0
        if marker in ("+", "star"):
            painter.drawLine(QPointF(x - size, y), QPointF(x + size, y))
            painter.drawLine(QPointF(x, y - size), QPointF(x, y + size))
        if diagonal:
            painter.drawLine(QPointF(x - size, y - size), QPointF(x + size, y + size))
            painter.drawLine(QPointF(x - size, y + size), QPointF(x + size, y - size))
