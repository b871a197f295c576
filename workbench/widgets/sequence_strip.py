"""A user's sequence with the split drawn on it: a cell an action, and below it what each part of leave-one-out takes.

Lanes: the sequence itself; the training input with the K line of Eq. 12; the training targets; input and target of
validation and of test. What the encoder cannot see, because it keeps the last ``max_length`` items only, is hatched.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.records import PlacedItem, UserSequence
from workbench.theme import Colours, Theme, mix

NAMES = ("Sequence", "Training input", "Training targets", "Validation", "Test")
REPEAT, COLD = "↺", "∅"
CELL, WIDEST, HIGH, LANE, GAP = 30, 110, 40, 18, 6
HEIGHT = HIGH + 4 * (LANE + GAP) + GAP


@dataclass(frozen=True)
class Lane:
    """Half-open ranges of positions: ``seen`` by the encoder, ``unseen`` before it, and the one ``target``."""

    name: str
    seen: tuple[int, int]
    unseen: tuple[int, int]
    target: int | None = None


def lanes(count: int, is_evaluated: bool, longest: int | None) -> tuple[Lane, ...]:
    """What each part takes of ``count`` items (FACTS F1); ``longest``: items that the encoder sees, None for all.

    >>> lanes(6, True, 2)[0]
    Lane(name='Training input', seen=(1, 3), unseen=(0, 1), target=None)
    """
    if not is_evaluated:
        return ()

    def cut(end: int) -> int:
        return 0 if longest is None else max(end - longest, 0)

    first = cut(count - 3)
    return (
        Lane(NAMES[1], (first, count - 3), (0, first)),
        Lane(NAMES[2], (first + 1, count - 2), (1, first + 1)),
        Lane(NAMES[3], (cut(count - 2), count - 2), (0, cut(count - 2)), count - 2),
        Lane(NAMES[4], (cut(count - 1), count - 1), (0, cut(count - 1)), count - 1),
    )


class LaneNames(QWidget):
    """The names of the lanes, which stay while the strip beside them scrolls."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.names: tuple[str, ...] = NAMES
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_names(self, lanes: tuple[Lane, ...]) -> None:
        """The sequence's own lane, and these."""
        self.names = (NAMES[0], *(lane.name for lane in lanes))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(max(self.fontMetrics().horizontalAdvance(name) for name in NAMES) + 12, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.setPen(QColor(self._theme.colours.muted))
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for row, name in enumerate(self.names):
            top, high = (GAP, HIGH - GAP) if row == 0 else (HIGH + GAP + (row - 1) * (LANE + GAP), LANE)
            painter.drawText(QRect(0, top, self.width(), high), side, name)


class SequenceStrip(QWidget):
    """Left, Right, Home and End move the cursor; ``moved`` tells where it is."""

    moved = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.sequence: UserSequence | None = None
        self.k = 4
        self.longest: int | None = 50
        self.current = -1
        self._narrowest = CELL
        self.room = 0
        """Width that is there without scrolling; wide cells have room for titles."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("The user's sequence with its split")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_sequence(self, sequence: UserSequence | None) -> None:
        """Draw another user."""
        self.sequence = sequence
        self.current = -1
        longest = max((step.item for step in sequence.places), key=len, default="") if sequence is not None else ""
        self._narrowest = min(max(self.fontMetrics().horizontalAdvance(longest) + 12, CELL), WIDEST)
        self._measure()

    def set_split(self, k: int, longest: int | None) -> None:
        """K of Eq. 12, and how many items the encoder sees."""
        self.k, self.longest = k, longest
        self.update()

    def set_room(self, width: int) -> None:
        """The width that the scroll area shows."""
        if width != self.room:
            self.room = width
            self._measure()

    def set_current(self, place: int) -> None:
        """Move the cursor; ``moved`` is not sent."""
        self.current = place
        self._describe()
        self.update()

    @property
    def count(self) -> int:
        return len(self.sequence.places) if self.sequence is not None else 0

    @property
    def cell(self) -> int:
        """Width of a cell: as wide as there is room, up to `WIDEST`; never too narrow for an id."""
        return max(min((self.room - 2) // max(self.count, 1), WIDEST), self._narrowest)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        if self.sequence is None:
            return ()
        return lanes(self.count, self.sequence.is_evaluated, self.longest)

    def place_at(self, point: QPointF) -> int:
        """Position under a point; -1 beside the sequence."""
        place = int(point.x() // self.cell)
        return place if 0 <= place < self.count else -1

    def area(self, place: int) -> QRect:
        """The column of a position, to be scrolled to."""
        return QRect(place * self.cell, 0, self.cell, self.height())

    def sizeHint(self) -> QSize:
        return QSize(self.count * self.cell + 2, HEIGHT)

    def _measure(self) -> None:
        self.resize(self.sizeHint())
        self.updateGeometry()
        self._describe()
        self.update()

    def _describe(self) -> None:
        if self.sequence is not None and 0 <= self.current < self.count:
            self.setAccessibleDescription(describe(self.sequence.places[self.current], self.current))
        else:
            self.setAccessibleDescription("")

    # --- keys and pointer

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = self.count - 1
        steps = {
            Qt.Key.Key_Left: max(self.current - 1, 0),
            Qt.Key.Key_Right: min(self.current + 1, last),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if key not in steps or last < 0:
            super().keyPressEvent(event)
            return
        self._go(steps[key])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if place >= 0:
            self._go(place)

    def _go(self, place: int) -> None:
        self.set_current(place)
        self.moved.emit(place)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self.place_at(QPointF(event.pos()))
            text = describe(self.sequence.places[place], place) if self.sequence is not None and place >= 0 else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.sequence is None:
            return
        painter = QPainter(self)
        colours = self._theme.colours
        # Only what is in sight: a sequence may have thousands of items.
        first = event.rect().left() // self.cell
        last = min(event.rect().right() // self.cell + 1, self.count)
        for place in range(first, last):
            self._paint_cell(painter, colours, place)
        for row, lane in enumerate(self.lanes):
            self._paint_lane(painter, colours, lane, HIGH + GAP + row * (LANE + GAP))
        self._paint_k(painter, colours)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_cell(self, painter: QPainter, colours: Colours, place: int) -> None:
        assert self.sequence is not None
        step = self.sequence.places[place]
        box = QRectF(place * self.cell + 1, GAP, self.cell - 2, HIGH - GAP)
        is_current = place == self.current
        painter.setPen(QPen(QColor(colours.accent if is_current else colours.border), 2 if is_current else 1))
        painter.setBrush(QColor(colours.accent_soft if is_current else colours.raised))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor(colours.text))
        metrics = painter.fontMetrics()
        name = step.title if step.title and self.cell > 60 else step.item
        text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(box.width()) - 6)
        signs = (REPEAT if step.is_repeat else "") + (COLD if step.is_cold else "")
        upper = box.adjusted(3, 1, -3, -box.height() / 2 + 2) if signs else box
        painter.drawText(upper, Qt.AlignmentFlag.AlignCenter, text)
        if signs:
            painter.setPen(QColor(colours.warn))
            painter.drawText(box.adjusted(3, box.height() / 2 - 2, -3, 0), Qt.AlignmentFlag.AlignCenter, signs)

    def _paint_lane(self, painter: QPainter, colours: Colours, lane: Lane, top: int) -> None:
        is_target_lane = lane.name == NAMES[2]
        fill = mix(colours.series[2] if is_target_lane else colours.accent, colours.surface, 0.55)
        edge = QColor(colours.series[2] if is_target_lane else colours.accent)
        for (begin, end), style in ((lane.unseen, Qt.BrushStyle.BDiagPattern), (lane.seen, Qt.BrushStyle.SolidPattern)):
            if end > begin:
                painter.setPen(QPen(edge, 1))
                hatched = style is Qt.BrushStyle.BDiagPattern
                painter.setBrush(QBrush(QColor(colours.muted if hatched else fill), style))
                painter.drawRect(QRectF(begin * self.cell + 2, top, (end - begin) * self.cell - 4, LANE))
        if lane.target is not None:
            box = QRectF(lane.target * self.cell + 2, top, self.cell - 4, LANE)
            colour = QColor(colours.series[1] if lane.name == NAMES[4] else colours.series[2])
            painter.setPen(QPen(colour, 2))
            painter.setBrush(QColor(colours.surface))
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(QColor(colours.text))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, lane.name[0])

    def _paint_k(self, painter: QPainter, colours: Colours) -> None:
        if not self.lanes or self.k > self.count:
            return
        x = self.k * self.cell
        painter.setPen(QPen(QColor(colours.text), 2, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, HIGH + 2), QPointF(x, HIGH + GAP + LANE + 3))


def describe(step: PlacedItem, place: int) -> str:
    """A position in words, for tooltips and screen readers."""
    parts = {"valid": "validation target", "test": "test target", "training": "training part"}
    words = [f"{place + 1}. {step.title or 'item'} ({step.item})" if step.title else f"{place + 1}. item {step.item}"]
    words.append(parts[step.part])
    if step.is_repeat:
        words.append(f"{REPEAT} had before")
    if step.is_cold:
        words.append(f"{COLD} in no training part")
    return ", ".join(words)
