"""Names of configurations in a narrow column: their longest part is cut, what a run has otherwise stays whole."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

MARGIN = 8
"""Pixels that Qt keeps free beside a cell's text, both sides together, rounded up."""

MOST_HEAD = 0.4
"""Of the room: where the recommender would take more, all of it is the end's."""


def shortened(name: str, metrics: QFontMetrics, room: int) -> str:
    """``CoSeRec for the …, η 0.2, epochs 3``: no wider than ``room`` pixels.

    The longest part between two commas is the title of a preset or a half of it (`SASRec, cross-entropy over all …`):
    what namesakes have otherwise is a word and a value.
    """
    parts = name.split(", ")
    if len(parts) == 1 or metrics.horizontalAdvance(name) <= room:
        return name
    longest = max(range(len(parts)), key=lambda place: metrics.horizontalAdvance(parts[place]))
    rest = metrics.horizontalAdvance(", ".join([*parts[:longest], "", *parts[longest + 1 :]]))
    if room - rest < metrics.horizontalAdvance("…"):
        # Not even then: the recommender, and as much of the end as goes in. What namesakes have otherwise stands there.
        head = f"{name.split(maxsplit=1)[0].rstrip(',')} "
        if metrics.horizontalAdvance(head) > room * MOST_HEAD:
            head = ""
        return head + metrics.elidedText(name, Qt.TextElideMode.ElideLeft, room - metrics.horizontalAdvance(head))
    parts[longest] = metrics.elidedText(parts[longest], Qt.TextElideMode.ElideRight, room - rest)
    return ", ".join(parts)


class NameDelegate(QStyledItemDelegate):
    """Paints the column of names."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        style = option.widget.style()  # type: ignore[attr-defined]
        place = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget)  # type: ignore[attr-defined]
        option.text = shortened(option.text, option.fontMetrics, place.width() - MARGIN)  # type: ignore[attr-defined]
