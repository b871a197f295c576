"""How cells of the table of runs are painted: a state with its mark, a progress bar, a name with its curve's look."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.records import RunRecord, RunStatus
from workbench.item_models.runs_model import GROUP_ROLE, ORDER_ROLE, PROGRESS_ROLE, RECORD_ROLE, STAR_ROLE, STATE_ROLE
from workbench.theme import Theme
from workbench.widgets.text import share_text

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 30

# Never colour alone: each state has a mark of its own.
STATES: dict[RunStatus, tuple[str, str]] = {
    RunStatus.QUEUED: ("clock", "muted"),
    RunStatus.RUNNING: ("play", "accent"),
    RunStatus.FINISHED: ("check", "good"),
    RunStatus.STOPPED: ("stop", "muted"),
    RunStatus.FAILED: ("alert", "bad"),
    RunStatus.LOST: ("help", "warn"),
    RunStatus.CANCELLED: ("cancel", "faint"),
}


class _Cell(QStyledItemDelegate):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), ROW_HEIGHT)

    def background(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> RunRecord | None:
        """Paint selection and stripes; give the record of the row."""
        self.initStyleOption(option, index)
        option.text = ""  # type: ignore[attr-defined]
        style = option.widget.style() if option.widget else QApplication.style()  # type: ignore[attr-defined]
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)  # type: ignore[attr-defined]
        record = index.data(RECORD_ROLE)
        return record if isinstance(record, RunRecord) else None


class StateDelegate(_Cell):
    """The state's mark and word."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        record = self.background(painter, option, index)
        if record is None:
            return
        icon, role = STATES[record.status]
        text = "stopping" if record.stop_requested and record.status is RunStatus.RUNNING else record.status.value
        if index.data(STATE_ROLE) is None:
            # The newest run's state is not its group's: a lost seed would hide the finished ones.
            icon, role, text = "", "muted", str(index.data(Qt.ItemDataRole.DisplayRole))
        rect = option.rect  # type: ignore[attr-defined]
        if icon:
            side = 16
            top = rect.top() + (rect.height() - side) // 2
            self.theme.icon(icon, role).paint(painter, rect.left() + 6, top, side, side)
        painter.setPen(QColor(getattr(self.theme.colours, role)))
        painter.drawText(rect.adjusted(28, 0, -2, 0), int(Qt.AlignmentFlag.AlignVCenter), text)


class ProgressDelegate(_Cell):
    """A flat bar and its percentage."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        record = self.background(painter, option, index)
        share = index.data(PROGRESS_ROLE)
        if record is None or share is None:
            return
        colours = self.theme.colours
        rect = QRectF(option.rect).adjusted(8, 0, -8, 0)  # type: ignore[attr-defined]
        text_width = 44
        bar = QRectF(rect.left(), rect.center().y() - 2.5, max(rect.width() - text_width, 10), 5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        done = min(max(share, 0.0), 1.0)
        state = index.data(STATE_ROLE)
        role = "accent" if state is None else STATES[state][1]
        painter.setBrush(QColor(getattr(colours, role)))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * done, bar.height()), 2.5, 2.5)
        painter.setPen(QColor(colours.muted))
        right = rect.adjusted(rect.width() - text_width, 0, 0, 0)
        painter.drawText(right, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), share_text(done))
        painter.restore()


class NameDelegate(_Cell):
    """The tick box, the look of the run's curve, a star for a baseline, the name; of a group, whether it is open."""

    SAMPLE = 26
    SIDE = 14
    INDENT = 18

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        record = self.background(painter, option, index)
        if record is None:
            return
        style = option.widget.style() if option.widget else QApplication.style()  # type: ignore[attr-defined]
        text = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget)  # type: ignore[attr-defined]
        order = index.data(ORDER_ROLE)
        middle = text.center().y() + 0.5
        is_ticked = Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) is not Qt.CheckState.Unchecked
        group = index.data(GROUP_ROLE)
        if group is not None and not group[0]:
            text = text.adjusted(self.INDENT, 0, 0, 0)
        draw_sample(painter, self.theme, order, QPointF(text.left() + 2, middle), 18, is_faint=not is_ticked)
        where = text.adjusted(self.SAMPLE, 0, 0, 0)
        mark = "star" if index.data(STAR_ROLE) else ""
        if group is not None and group[0] > 1:
            mark = "chevron-down" if group[1] else "chevron-right"
        if mark:
            top = where.top() + (where.height() - self.SIDE) // 2
            role = "warn" if mark == "star" else "muted"
            self.theme.icon(mark, role).paint(painter, where.left(), top, self.SIDE, self.SIDE)
            where = where.adjusted(self.SIDE + 4, 0, 0, 0)
        painter.setFont(option.font)  # type: ignore[attr-defined]
        painter.setPen(QColor(self.theme.colours.text))
        told = str(index.data(Qt.ItemDataRole.DisplayRole))
        name = option.fontMetrics.elidedText(told, Qt.TextElideMode.ElideMiddle, where.width())  # type: ignore[attr-defined]
        painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter), name)


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
