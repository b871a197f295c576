"""Aligns augmented views with their original: which token stands in which column. Pure; no Qt.

Every position of the original is one column. What Insert adds gets a column of its own in front of the position it
comes before, shared by the views. A reordered token stands where the view has it and keeps its source, so that an arc
can be drawn from the one to the other. What a view dropped stays in its column as a ghost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from engine.records import AugmentationPreview, AugmentedView, SequenceToken, TokenKind, ViewToken
from workbench.item_names import item_name


class ChipState(Enum):
    """How a chip is drawn. ``symbol`` and ``words`` also stand in the legend, the tooltip and the description."""

    ORIGINAL = ("", "original")
    KEPT = ("", "kept")
    MASKED = ("▢", "masked")
    SUBSTITUTED = ("S", "substituted")
    INSERTED = ("+", "inserted")
    REORDERED = ("⇄", "reordered")
    DROPPED = ("✕", "dropped")

    def __init__(self, symbol: str, words: str) -> None:
        self.symbol = symbol
        self.words = words


@dataclass(frozen=True)
class Chip:
    """One token in one row. ``row`` 0 is the original, 1 the first view."""

    row: int
    column: int
    state: ChipState
    item: str
    title: str
    source: int
    """Position in the original, from 0: its own, or of the item that it was made from."""
    position: int | None
    """Position in its own sequence, from 0; None for a ghost."""
    before: SequenceToken | None = None
    """The original item at ``source``, for what replaced it or was inserted because of it."""
    score: float | None = None

    @property
    def name(self) -> str:
        """The title, or the id where the data set has no titles."""
        return item_name(self.item, self.title)

    def describe(self) -> str:
        """One line for the tooltip, the details and the accessible description."""
        where = "" if self.position is None else f"position {self.position + 1}, "
        named = f"{self.title} (item {self.item})" if self.title and self.title != self.item else f"item {self.item}"
        score = "" if self.score is None else f", correlation {self.score:.3f}"
        old = "" if self.before is None else (self.before.title or f"item {self.before.item}")
        match self.state:
            case ChipState.MASKED:
                return f"{where}masked: was {named}"
            case ChipState.SUBSTITUTED:
                return f"{where}substituted: {old} → {named}{score}, from position {self.source + 1}"
            case ChipState.INSERTED:
                return f"{where}inserted: {named}, correlated with {old}{score}, at original position {self.source + 1}"
            case ChipState.REORDERED:
                return f"{where}reordered: {named}, was at position {self.source + 1}"
            case ChipState.DROPPED:
                return f"dropped: {named}, was at position {self.source + 1}"
            case ChipState.KEPT:
                return f"{where}kept: {named}"
        return f"{where.removesuffix(', ')}: {named}"


@dataclass(frozen=True)
class ChipRow:
    """A row of chips by column, and the arcs of what Reorder moved: (source column, column it moved to)."""

    chips: tuple[Chip, ...]
    arcs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Alignment:
    """``positions`` gives each column's original position, or None for a column of inserted items."""

    positions: tuple[int | None, ...]
    rows: tuple[ChipRow, ...]

    def chip_at(self, row: int, column: int) -> Chip | None:
        return next((chip for chip in self.rows[row].chips if chip.column == column), None)

    def chip_from(self, row: int, source: int) -> Chip | None:
        """What became in a row of an item of the original: the item itself, or what took its place; else what stands
        for it in the original. None where the original has no such position."""
        if not self.rows or not 0 <= source < sum(position is not None for position in self.positions):
            return None
        found = [
            chip for chip in self.rows[row].chips if chip.source == source and chip.state is not ChipState.INSERTED
        ]
        return next(iter(found), next(chip for chip in self.rows[0].chips if chip.source == source))


EMPTY = Alignment((), ())


def align(preview: AugmentationPreview) -> Alignment:
    """The original and its views, column by column."""
    length = len(preview.original)
    placed = [_places(view, length) for view in preview.views]
    widths = [0] * (length + 1)
    for places in placed:
        for boundary, count in _insertions(places).items():
            widths[boundary] = max(widths[boundary], count)
    positions: list[int | None] = []
    column_of: list[int] = []
    first_insertion: list[int] = []
    for boundary in range(length + 1):
        first_insertion.append(len(positions))
        positions += [None] * widths[boundary]
        if boundary < length:
            column_of.append(len(positions))
            positions.append(boundary)
    original = tuple(
        Chip(0, column_of[index], ChipState.ORIGINAL, token.item, token.title, index, index)
        for index, token in enumerate(preview.original)
    )
    views = [
        _row(number, view, places, preview.original, column_of, first_insertion)
        for number, (view, places) in enumerate(zip(preview.views, placed, strict=True), start=1)
    ]
    return Alignment(tuple(positions), (ChipRow(original), *views))


def _places(view: AugmentedView, length: int) -> list[tuple[int, int | None]]:
    """For each token (boundary or slot, running number of an insertion there or None); what is repeated stands like
    what is inserted."""
    slots = _slots(view)
    places: list[tuple[int, int | None]] = []
    counts: dict[int, int] = {}
    for index in range(len(view.tokens)):
        if index in slots:
            places.append((slots[index], None))
            continue
        following = next((slots[i] for i in range(index + 1, len(view.tokens)) if i in slots), None)
        preceding = next((slots[i] for i in range(index - 1, -1, -1) if i in slots), None)
        boundary = following if following is not None else (preceding + 1 if preceding is not None else length)
        number = counts.get(boundary, 0)
        counts[boundary] = number + 1
        places.append((boundary, number))
    return places


def _slots(view: AugmentedView) -> dict[int, int]:
    """View position → original position whose column it stands in; inside Reorder's range these are in order."""
    first: dict[int, int] = {}  # a column has room for one token of each source: what is repeated needs its own
    for i, token in enumerate(view.tokens):
        if token.kind != TokenKind.INSERTED:
            first.setdefault(token.source, i)
    own = {i: source for source, i in first.items()}
    if view.reordered is not None:
        moved = [i for i in range(*view.reordered) if i in own]
        for index, slot in zip(moved, sorted(own[i] for i in moved), strict=True):
            own[index] = slot
    return own


def _insertions(places: Sequence[tuple[int, int | None]]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for boundary, number in places:
        if number is not None:
            counts[boundary] = max(counts.get(boundary, 0), number + 1)
    return counts


def _row(
    number: int,
    view: AugmentedView,
    places: Sequence[tuple[int, int | None]],
    original: Sequence[SequenceToken],
    column_of: Sequence[int],
    first_insertion: Sequence[int],
) -> ChipRow:
    chips: list[Chip] = []
    arcs: list[tuple[int, int]] = []
    for index, (token, (slot, insertion)) in enumerate(zip(view.tokens, places, strict=True)):
        column = column_of[slot] if insertion is None else first_insertion[slot] + insertion
        chip = _chip(number, column, index, token, original, moved=insertion is None and slot != token.source)
        if insertion is None and slot != token.source:
            arcs.append((column_of[token.source], column))
        chips.append(chip)
    for source in view.dropped:
        gone = original[source]
        chips.append(Chip(number, column_of[source], ChipState.DROPPED, gone.item, gone.title, source, None))
    return ChipRow(tuple(sorted(chips, key=lambda chip: chip.column)), tuple(arcs))


def _chip(
    row: int, column: int, index: int, token: ViewToken, original: Sequence[SequenceToken], *, moved: bool
) -> Chip:
    was = original[token.source]
    match token.kind:
        case TokenKind.MASKED:
            # What stands there is the mask token; the reader wants to know what it hides.
            return Chip(row, column, ChipState.MASKED, was.item, was.title, token.source, index, was)
        case TokenKind.SUBSTITUTED:
            state = ChipState.SUBSTITUTED
        case TokenKind.INSERTED:
            state = ChipState.INSERTED
        case _:
            state = ChipState.REORDERED if moved else ChipState.KEPT
    before = was if state in (ChipState.SUBSTITUTED, ChipState.INSERTED) else None
    return Chip(row, column, state, token.item, token.title, token.source, index, before, token.score)
