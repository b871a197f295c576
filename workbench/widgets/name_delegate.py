"""Names of runs and configurations where there is little room: the model and what a run has otherwise stay."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.config import ExperimentConfig, fields_of

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
JOINT = " · "
"""Between the parts of a run's name (`engine.config.naming`); those of a configuration's have commas."""
WORD_LETTERS = (12, 10, 8, 6, 5, 4, 3)
"""Letters that are tried to be left of a setting's words."""
FRONT = "abcdefgh…"
"""What remains of a run's given name or preset at least, as long as its settings can be told beside it."""
MOST_KNOWN = 5000
_known: dict[tuple[int, ...], tuple[dict[str, int], dict[tuple[str, int], str]]] = {}
"""A font's measures → pixels of a text, and what a name is cut to: to measure a text takes a third of a millisecond,
and a table of runs paints the same names again and again."""


def shortened(name: str, metrics: QFontMetrics, room: int) -> str:
    """``CoSeRec for the …, η 0.2, epochs 3`` or ``no contrast · λ 0 · epo… 4 · seed 1``: no wider than ``room`` pixels.

    Of a configuration the longest part between two commas is the title of a preset or a half of it (`SASRec,
    cross-entropy over all …`): what namesakes have otherwise is a word and a value. Where the title gives too little,
    the model stands before as much of the end as goes in. Of a run see `_forms`.
    """
    width = metrics.horizontalAdvance
    if width(name) <= room:
        return name
    if JOINT in name:
        return _shorter_run(name, metrics, room)
    parts = name.split(", ")
    if len(parts) == 1:
        return metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
    model = parts[0].split(maxsplit=1)[0]
    longest = max(range(len(parts)), key=lambda place: width(parts[place]))
    rest = width(", ".join([*parts[:longest], "", *parts[longest + 1 :]]))
    if room - rest >= width(LEAST if longest else f"{model} …"):
        side = Qt.TextElideMode.ElideMiddle if longest else Qt.TextElideMode.ElideRight
        parts[longest] = metrics.elidedText(parts[longest], side, room - rest - KERNING)
        return ", ".join(parts)
    return _model_and_end(model, parts[1:], ", ", metrics, room)


def _shorter_run(name: str, metrics: QFontMetrics, room: int) -> str:
    """The longest of `_forms` that goes in; where even the settings' values have no room, the name and the end of what
    is behind it."""
    known, cuts = _known.setdefault((metrics.height(), metrics.averageCharWidth(), metrics.maxWidth()), ({}, {}))
    if (name, room) in cuts:
        return cuts[name, room]
    if max(len(known), len(cuts)) > MOST_KNOWN:
        known.clear()
        cuts.clear()

    def width(text: str) -> int:
        if text not in known:
            known[text] = metrics.horizontalAdvance(text)
        return known[text]

    parts = name.split(JOINT)
    for form in _forms(parts, metrics, room):
        if sum(map(width, form)) + (len(form) - 1) * width(JOINT) + KERNING <= room:
            cuts[name, room] = JOINT.join(form)
            break
    else:
        others = [_with_letters(_with_symbol(part), 1) for part in parts[1:]]
        cuts[name, room] = _model_and_end(parts[0], others, JOINT, metrics, room)
    return cuts[name, room]


def _forms(parts: list[str], metrics: QFontMetrics, room: int) -> Iterator[list[str]]:
    """Ever shorter ways to write a run's name. What tells runs apart is given up last: the name that somebody gave,
    the settings' values, the seed. First go the settings' words, for their symbols or but for some letters; then what
    else stands between (the data set, which has a column of its own); then the middle of the name."""
    front, *middle = parts
    middle = [_with_symbol(part) for part in middle]
    yield [front, *middle]
    for letters in WORD_LETTERS:
        yield [front, *(_with_letters(part, letters) for part in middle)]
    least = [_with_letters(part, WORD_LETTERS[-1]) for part in middle]
    for letters in WORD_LETTERS:
        yield [front, *(part if _setting(part) else _cut(part, letters) for part in least)]
    middle = [_with_letters(part, 1) if _setting(part) else _cut(part, WORD_LETTERS[-1]) for part in middle]
    yield [front, *middle]
    left = room - metrics.horizontalAdvance(JOINT.join(["", *middle])) - 2 * KERNING
    if left >= metrics.horizontalAdvance(FRONT):
        yield [metrics.elidedText(front, Qt.TextElideMode.ElideMiddle, left), *middle]


def _setting(part: str) -> tuple[str, str] | None:
    """The words and the value of ``contrastive weight 0``; None for what is no setting, and for the seed, which has
    nothing to give: words of settings are fields' names, ``Sample shop`` and ``7 settings changed`` are none."""
    words, _, value = part.rpartition(" ")
    return (words, value) if words and words != "seed" and words[0].islower() else None


def _with_symbol(part: str) -> str:
    """``λ 0`` for ``contrastive weight 0``."""
    found = _setting(part)
    return f"{_symbols().get(found[0], found[0])} {found[1]}" if found else part


def _with_letters(part: str, letters: int) -> str:
    """``epo… 4``: the setting's value stays."""
    found = _setting(part)
    return f"{_cut(found[0], letters)} {found[1]}" if found else part


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters + 1 or text.startswith("seed ") else f"{text[:letters].rstrip()}…"


@cache
def _symbols() -> dict[str, str]:
    """A setting's words in a run's name → its symbol in the paper."""
    return {info.name.replace("_", " "): info.symbol for info in fields_of(ExperimentConfig()) if info.symbol}


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
