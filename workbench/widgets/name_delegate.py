"""Names of configurations in a narrow column: the preset's title is cut, what a run has otherwise stays whole."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

MARGIN = 8
"""Pixels that Qt keeps free beside a cell's text, both sides together, rounded up."""


def shortened(name: str, metrics: QFontMetrics, room: int) -> str:
    """``CoSeRec for the …, η 0.2, epochs 3``: no wider than ``room`` pixels if the differences alone are not.

    Namesakes differ behind the first comma, so that part is the last to be cut.
    """
    title, comma, differences = name.partition(", ")
    if not comma or metrics.horizontalAdvance(name) <= room:
        return name
    left = room - metrics.horizontalAdvance(comma + differences)
    if left < metrics.horizontalAdvance("…"):
        return metrics.elidedText(differences, Qt.TextElideMode.ElideRight, room)
    return metrics.elidedText(title, Qt.TextElideMode.ElideRight, left) + comma + differences


class NameDelegate(QStyledItemDelegate):
    """Paints the column of names."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        style = option.widget.style()  # type: ignore[attr-defined]
        place = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget)  # type: ignore[attr-defined]
        option.text = shortened(option.text, option.fontMetrics, place.width() - MARGIN)  # type: ignore[attr-defined]
