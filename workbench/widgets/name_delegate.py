"""Names of runs and configurations where there is little room: the model and what a run has otherwise stay."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

MARGIN = 8
"""Pixels that Qt keeps free beside a cell's text, both sides together, rounded up."""

MOST_HEAD = 0.5
"""Of the room: a model's name that would take more is cut where what differs could not stand behind it."""
KERNING = 4
"""Pixels by which a text can be wider than its parts."""
BREAK = "\u2028"
"""Where a style begins a new line: it draws a line feed as nothing."""
LEAST = "abcd…"
"""What has to remain of a part that is cut in its middle; less says nothing."""


def shortened(name: str, metrics: QFontMetrics, room: int) -> str:
    """``CoSeRec for the …, η 0.2, epochs 3`` or ``sasrec-strong … seed 1``: no wider than ``room`` pixels.

    The longest part between two commas (of a run: points) is the title of a preset or a half of it (`SASRec,
    cross-entropy over all …`): what namesakes have otherwise is a word and a value. Where the title gives too little,
    the model stands before as much of the end as goes in.
    """
    width = metrics.horizontalAdvance
    joint = " · " if " · " in name else ", "
    parts = name.split(joint)
    if width(name) <= room:
        return name
    if len(parts) == 1:
        return metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
    model = parts[0].split(maxsplit=1)[0]
    longest = max(range(len(parts)), key=lambda place: width(parts[place]))
    rest = width(joint.join([*parts[:longest], "", *parts[longest + 1 :]]))
    if room - rest >= width(LEAST if longest else f"{model} …"):
        side = Qt.TextElideMode.ElideMiddle if longest else Qt.TextElideMode.ElideRight
        parts[longest] = metrics.elidedText(parts[longest], side, room - rest - KERNING)
        return joint.join(parts)
    return _model_and_end(model, parts[1:], joint, metrics, room)


def _model_and_end(model: str, others: list[str], joint: str, metrics: QFontMetrics, room: int) -> str:
    """The model, and as many whole parts of what differs as go in behind it, from the end: there stands the seed."""
    most = max(int(room * MOST_HEAD), room - metrics.horizontalAdvance(f" … {others[-1]}"))
    head = metrics.elidedText(model, Qt.TextElideMode.ElideRight, most)
    head += " " if head.endswith("…") else " … "
    left = room - metrics.horizontalAdvance(head)
    ends = (joint.join(others[first:]) for first in range(len(others)))
    end = next((end for end in ends if metrics.horizontalAdvance(end) <= left), "")
    return head + (end or metrics.elidedText(others[-1], Qt.TextElideMode.ElideLeft, left))


def in_two_lines(name: str, metrics: QFontMetrics, room: int) -> str:
    """The name on two lines where one is too short for it: the model on the first, what differs on the second.

    Parted at the comma after which the second line is as full as it can be without a cut.
    """
    if metrics.horizontalAdvance(name) <= room or ", " not in name:
        return shortened(name, metrics, room)
    parts = name.split(", ")
    ends = [", ".join(parts[first:]) for first in range(1, len(parts))]
    first = next((n for n, end in enumerate(ends, 1) if metrics.horizontalAdvance(end) <= room), len(parts) - 1)
    above = metrics.elidedText(", ".join(parts[:first]), Qt.TextElideMode.ElideRight, room)
    return f"{above}{BREAK}{metrics.elidedText(ends[first - 1], Qt.TextElideMode.ElideLeft, room)}"


class NameDelegate(QStyledItemDelegate):
    """Paints the column of names, whose rows have room for two lines."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        style = option.widget.style()  # type: ignore[attr-defined]
        place = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget)  # type: ignore[attr-defined]
        option.text = in_two_lines(option.text, option.fontMetrics, place.width() - MARGIN)  # type: ignore[attr-defined]


class TellingDelegate(QStyledItemDelegate):
    """Paints names of compared groups in a narrow column: what tells namesakes apart first, and the end is cut."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.told_first: dict[str, str] = {}
        """Name → the same with what tells it apart in front; of others the middle is cut, for they differ anywhere."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        if option.text in self.told_first:  # type: ignore[attr-defined]
            option.text = self.told_first[option.text]  # type: ignore[attr-defined]
            option.textElideMode = Qt.TextElideMode.ElideRight  # type: ignore[attr-defined]
