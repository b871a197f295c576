"""A user's original sequence and its augmented views as rows of aligned chips: the edit script, drawn.

One widget, painted: a row of chips for the original and for every view, columns shared (`chip_alignment`), one
horizontal scroll bar for all. The arrow keys walk the chips; Return asks for the neighbours of the current item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QMenu, QToolTip, QWidget

from engine.records import AugmentationPreview, AugmentedView
from workbench.widgets import chip_style
from workbench.widgets.chip_alignment import EMPTY, Alignment, Chip, ChipRow, ChipState, align
from workbench.widgets.chip_style import ChipMetrics, paint_chip

_MARGIN = 14.0
_ROW_SPACE = 12.0
_ARC_SPACE = 26.0


@dataclass(frozen=True)
class RowHeading:
    """Text above a row: ``letter`` in a badge, a title, what it did to the length, and why it did nothing."""

    letter: str
    title: str
    detail: str
    note: str = ""


def headings(preview: AugmentationPreview) -> tuple[RowHeading, ...]:
    """One heading for the original and one for each view."""
    count = len(preview.original)
    first = RowHeading("", "Original", f"training input of user {preview.user} · {_items(count)}")
    return first, *(_view_heading(number, view, count) for number, view in enumerate(preview.views, start=1))


def _view_heading(number: int, view: AugmentedView, before: int) -> RowHeading:
    return RowHeading(
        view.letter, f"View {number} · {view.operator}", f"{before} → {_items(len(view.tokens))}", view.note
    )


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count:,} items"


class SequenceChips(QAbstractScrollArea):
    """Shows an `AugmentationPreview`."""

    current_changed = Signal(object)
    """The current `Chip`, or None."""
    item_activated = Signal(str)
    """Return or a double click on a chip: its item's id."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.alignment: Alignment = EMPTY
        self.headings: tuple[RowHeading, ...] = ()
        self.current: Chip | None = None
        self._metrics = ChipMetrics.of(self.font())
        self.setAccessibleName("Original and augmented views")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        # What it stands on shows through: the card's own surface, in every palette.
        self.viewport().setAutoFillBackground(False)
        corner = QWidget()
        corner.setAutoFillBackground(False)
        self.setCornerWidget(corner)
        self._lay_out()

    # --- the model

    def set_preview(self, preview: AugmentationPreview | None) -> None:
        """Show a preview, or nothing. The current chip stays on its item of the original, in its row, wherever the new
        views put it."""
        self.alignment = align(preview) if preview is not None else EMPTY
        self.headings = headings(preview) if preview is not None else ()
        held = self.current
        self.current = None
        if held is not None and held.row < len(self.alignment.rows):
            self.current = self.alignment.chip_from(held.row, held.source)
        self._lay_out()
        self._announce()

    def set_current(self, chip: Chip | None) -> None:
        """Make a chip the current one and bring it into view."""
        self.current = chip
        if chip is not None:
            self._scroll_to(self.chip_rect(chip))
        self._announce()
        self.viewport().update()

    def reveal_change(self) -> None:
        """Scroll to the first chip that an operator changed, unless one can be seen already."""
        changed = [
            self.chip_rect(chip)
            for row in self.alignment.rows
            for chip in row.chips
            if chip.state not in (ChipState.ORIGINAL, ChipState.KEPT)
        ]
        left = self.horizontalScrollBar().value()
        right = left + self.viewport().width()
        if changed and not any(rect.left() >= left and rect.right() <= right for rect in changed):
            first = min(changed, key=lambda rect: rect.left())
            self._scroll_to(QRectF(first.left(), self._tops[0], first.width(), 1))

    def _announce(self) -> None:
        rows = "; ".join(f"{h.title}, {h.detail}" for h in self.headings)
        text = f"{self.headings[self.current.row].title}, {self.current.describe()}" if self.current else rows
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        self.current_changed.emit(self.current)

    # --- geometry, in content coordinates

    def column_left(self, column: int) -> float:
        return _MARGIN + column * (self._metrics.width + self._metrics.gap)

    def chip_rect(self, chip: Chip) -> QRectF:
        """Where a chip is painted, before scrolling."""
        top = self._tops[chip.row]
        return QRectF(self.column_left(chip.column), top, self._metrics.width, self._metrics.height)

    def chip_under(self, point: QPoint) -> Chip | None:
        """The chip at a point of the viewport."""
        place = QPointF(point) + self._offset()
        for row in self.alignment.rows:
            for chip in row.chips:
                if self.chip_rect(chip).contains(place):
                    return chip
        return None

    def _offset(self) -> QPointF:
        return QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _lay_out(self) -> None:
        """Tops of the rows, size of the content, ranges of the scroll bars."""
        metrics = self._metrics = ChipMetrics.of(self.font())
        self._tops: list[float] = []
        y = _MARGIN / 2
        for row in self.alignment.rows:
            y += metrics.line + 10 + (_ARC_SPACE if row.arcs else 0)
            self._tops.append(y)
            y += metrics.height + _ROW_SPACE
        columns = len(self.alignment.positions)
        width = 2 * _MARGIN + columns * (metrics.width + metrics.gap) - metrics.gap if columns else 0
        self._content = QSize(round(width), round(y - _ROW_SPACE + _MARGIN) if self._tops else 0)
        view = self.viewport().size()
        for bar, whole, page, step in (
            (self.horizontalScrollBar(), self._content.width(), view.width(), metrics.width + metrics.gap),
            (self.verticalScrollBar(), self._content.height(), view.height(), metrics.line * 2),
        ):
            bar.setRange(0, max(0, whole - page))
            bar.setPageStep(page)
            bar.setSingleStep(round(step))
        self.updateGeometry()
        self.viewport().update()

    def sizeHint(self) -> QSize:
        bar = self.horizontalScrollBar().sizeHint().height()
        return QSize(820, max(self._content.height(), 200) + bar + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 180)

    def _scroll_to(self, rect: QRectF) -> None:
        pad = self._metrics.width * 0.5
        for bar, low, high, page in (
            (self.horizontalScrollBar(), rect.left() - pad, rect.right() + pad, self.viewport().width()),
            (self.verticalScrollBar(), rect.top() - 40, rect.bottom() + 8, self.viewport().height()),
        ):
            if low < bar.value():
                bar.setValue(int(low))
            elif high > bar.value() + page:
                bar.setValue(int(high - page))

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRegion(event.region())
        offset = self._offset()
        visible = QRectF(self.viewport().rect()).translated(offset)
        painter.translate(-offset)
        if self.current is not None:
            self._paint_band(painter, visible)
        for index, row in enumerate(self.alignment.rows):
            self._paint_connectors(painter, index, row, visible)
            for chip in row.chips:
                rect = self.chip_rect(chip)
                if rect.intersects(visible.adjusted(-8, -8, 8, 8)):
                    is_current = chip == self.current
                    paint_chip(
                        painter,
                        rect,
                        chip,
                        self._metrics,
                        self.palette(),
                        current=is_current,
                        focused=self.hasFocus(),
                    )
            self._paint_arcs(painter, index, row.arcs)
        painter.translate(offset.x(), 0)
        for index, heading in enumerate(self.headings):
            self._paint_heading(painter, index, heading)
        painter.end()

    def _paint_band(self, painter: QPainter, visible: QRectF) -> None:
        """A soft band down the current column, so that the eye finds what stands above and below."""
        assert self.current is not None
        shade = QColor(self.palette().color(QPalette.ColorRole.Highlight))
        shade.setAlphaF(0.13)
        left = self.column_left(self.current.column) - self._metrics.gap
        painter.fillRect(
            QRectF(left, visible.top(), self._metrics.width + 2 * self._metrics.gap, visible.height()), shade
        )

    def _paint_connectors(self, painter: QPainter, index: int, row: ChipRow, visible: QRectF) -> None:
        """A dotted line through the columns where this row has nothing, so that a gap reads as a gap."""
        taken = {chip.column for chip in row.chips}
        shade = chip_style.muted(self.palette())
        shade.setAlphaF(0.55)
        painter.setPen(QPen(shade, 1.2, Qt.PenStyle.DotLine))
        y = self._tops[index] + self._metrics.height / 2
        for column in range(len(self.alignment.positions)):
            left = self.column_left(column)
            if column not in taken and left < visible.right() and left + self._metrics.width > visible.left():
                painter.drawLine(QPointF(left, y), QPointF(left + self._metrics.width, y))

    def _paint_arcs(self, painter: QPainter, index: int, arcs: Sequence[tuple[int, int]]) -> None:
        """From the column an item came from to the one it stands in, with an arrow head and a dot at the source."""
        if not arcs:
            return
        shade = chip_style.colours(ChipState.REORDERED, self.palette()).edge
        middle = self._metrics.width / 2
        bottom = self._tops[index] - 3
        longest = max(abs(end - start) for start, end in arcs)
        for start, end in arcs:
            side = 1 if end > start else -1
            # An arc leaves near the chip's side and arrives near its middle: what goes and what comes stay apart.
            a = QPointF(self.column_left(start) + middle * (1 + 0.55 * side), bottom)
            b = QPointF(self.column_left(end) + middle * (1 - 0.12 * side), bottom)
            rise = _ARC_SPACE * (0.55 + 0.7 * abs(end - start) / longest)
            path = QPainterPath(a)
            path.cubicTo(a - QPointF(-side * 14, rise), b - QPointF(side * 14, rise), b)
            painter.setPen(QPen(shade, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawEllipse(a, 2.4, 2.4)
            head = QPainterPath(b + QPointF(0, 1))
            head.lineTo(b + QPointF(-4, -6))
            head.lineTo(b + QPointF(4, -6))
            head.closeSubpath()
            painter.drawPath(head)

    def _paint_heading(self, painter: QPainter, index: int, heading: RowHeading) -> None:
        """Badge, title, length and note, at the left edge whatever the scroll position."""
        metrics, palette = self._metrics, self.palette()
        row = self.alignment.rows[index]
        y = self._tops[index] - metrics.line - 8 - (_ARC_SPACE if row.arcs else 0)
        x, right = _MARGIN, self.viewport().width() - _MARGIN
        bold = QFont(metrics.font)
        bold.setWeight(QFont.Weight.DemiBold)
        if heading.letter:
            badge = QRectF(x, y + 1, metrics.line, metrics.line)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
            painter.drawRoundedRect(badge, 4, 4)
            painter.setFont(bold)
            painter.setPen(palette.color(QPalette.ColorRole.HighlightedText))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, heading.letter)
            x += metrics.line + 8
        note = heading.note
        for text, font, ink in (
            (heading.title, bold, palette.color(QPalette.ColorRole.Text)),
            (heading.detail, metrics.font, chip_style.muted(palette)),
            (note, metrics.font, chip_style.colours(ChipState.SUBSTITUTED, palette).edge),
        ):
            if not text or x >= right:
                continue
            fm = QFontMetricsF(font)
            shown = fm.elidedText(text, Qt.TextElideMode.ElideRight, right - x)
            painter.setFont(font)
            painter.setPen(ink)
            painter.drawText(QRectF(x, y, right - x, metrics.line + 2), Qt.AlignmentFlag.AlignVCenter, shown)
            x += fm.horizontalAdvance(shown) + 12

    # --- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.set_current(self.chip_under(event.position().toPoint()))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        chip = self.chip_under(event.position().toPoint())
        if chip is not None:
            self.item_activated.emit(chip.item)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            chip = self.chip_under(event.pos())
            if chip is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), chip.describe(), self.viewport())
            return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows = self.alignment.rows
        if event.matches(QKeySequence.StandardKey.Copy) and self.current is not None:
            QGuiApplication.clipboard().setText(self.current.item)
            return
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        key = Qt.Key(event.key())
        if not rows or not rows[0].chips:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current is not None:
            self.item_activated.emit(self.current.item)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            chips = rows[self.current.row if self.current else 0].chips
            self.set_current(chips[0 if key == Qt.Key.Key_Home else -1])
        elif key in steps:
            self._step(*steps[key])
        else:
            super().keyPressEvent(event)

    def _step(self, across: int, down: int) -> None:
        rows = self.alignment.rows
        if self.current is None:
            self.set_current(rows[0].chips[0])
            return
        row = min(max(self.current.row + down, 0), len(rows) - 1)
        chips = rows[row].chips
        if not chips:
            return
        if down:
            column = self.current.column
            self.set_current(min(chips, key=lambda chip: abs(chip.column - column)))
            return
        index = chips.index(self.current) + across
        self.set_current(chips[min(max(index, 0), len(chips) - 1)])

    def focusInEvent(self, event: object) -> None:  # noqa: ARG002
        if self.current is None and self.alignment.rows and self.alignment.rows[0].chips:
            self.set_current(self.alignment.rows[0].chips[0])
        self.viewport().update()

    def focusOutEvent(self, event: object) -> None:  # noqa: ARG002
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        chip = self.chip_under(event.pos()) or self.current
        if chip is None:
            return
        self.set_current(chip)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        clipboard = QGuiApplication.clipboard()
        menu.addAction("Show neighbours", lambda: self.item_activated.emit(chip.item))
        menu.addAction("Copy item id", lambda: clipboard.setText(chip.item))
        menu.addAction("Copy description", lambda: clipboard.setText(chip.describe()))
        menu.popup(event.globalPos())
