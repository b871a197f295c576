"""A table cell with its number over a bar: how large it is, at a glance and to the digit."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from workbench.item_models.rows import SHARE
from workbench.theme import Theme, mix

BESIDE = 90
"""Pixels that a bar and its number need beside each other."""


class BarDelegate(QStyledItemDelegate):
    """Draws the model's ``SHARE`` role as a bar behind the text."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        share = index.data(SHARE)
        if not isinstance(share, float):
            super().paint(painter, option, index)
            return
        colours = self._theme.colours
        selected = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        place = QRectF(option.rect)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected:
            painter.fillRect(place, QColor(colours.selection))
        track = place.adjusted(8, 6, -8, -6)
        painter.setPen(Qt.PenStyle.NoPen)
        if place.width() < BESIDE:
            track = QRectF(place.left() + 4, place.bottom() - 4, place.width() - 8, 3)  # a line under the number
        else:
            track.setWidth(max(track.width() - 62, 10))
        painter.setBrush(QColor(mix(colours.border, colours.surface, 0.6)))
        painter.drawRoundedRect(track, 3, 3)
        filled = QRectF(track)
        filled.setWidth(max(track.width() * min(max(share, 0.0), 1.0), 2.0))
        painter.setBrush(QColor(colours.accent))
        painter.drawRoundedRect(filled, 3, 3)
        painter.setPen(QColor(colours.text))
        painter.setFont(option.font)  # type: ignore[attr-defined]
        text = place.adjusted(0, 0, -8, 0)
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(index.data() or ""))
        painter.restore()
