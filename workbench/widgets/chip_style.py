"""How one chip is painted: symbol, pattern and colour together, so that nothing hangs on colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.item_names import item_name
from workbench.widgets.chip_alignment import Chip, ChipState


@dataclass(frozen=True)
class ChipColours:
    """Edge (also symbol and pattern), fill and text of one state."""

    edge: QColor
    fill: QColor
    text: QColor


_INK = {False: "#1f2430", True: "#e8ebf0"}
_MUTED = {False: "#5b6472", True: "#a3acb9"}
# (edge, fill) in light and dark; the edges keep at least 4.5:1 against their fill. After Okabe and Ito.
_STATES = {
    ChipState.ORIGINAL: {False: ("#aab2bf", "#ffffff"), True: ("#566070", "#262b33")},
    ChipState.KEPT: {False: ("#aab2bf", "#ffffff"), True: ("#566070", "#262b33")},
    ChipState.MASKED: {False: ("#6d4aa0", "#f1ebf8"), True: ("#c3a6ee", "#2f2740")},
    ChipState.SUBSTITUTED: {False: ("#9a4a00", "#fdefdf"), True: ("#f5ab5e", "#3b2a17")},
    ChipState.INSERTED: {False: ("#006b4d", "#e0f4ec"), True: ("#54d0a8", "#15342a")},
    ChipState.REORDERED: {False: ("#00599c", "#e3effb"), True: ("#78bbf7", "#172b3f")},
    ChipState.DROPPED: {False: ("#7a8290", "#00000000"), True: ("#8b95a3", "#00000000")},
}
PATTERNS = {
    ChipState.MASKED: Qt.BrushStyle.BDiagPattern,
    ChipState.SUBSTITUTED: Qt.BrushStyle.Dense6Pattern,
    ChipState.INSERTED: Qt.BrushStyle.VerPattern,
    ChipState.REORDERED: Qt.BrushStyle.HorPattern,
}


def is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def colours(state: ChipState, palette: QPalette) -> ChipColours:
    dark = is_dark(palette)
    edge, fill = _STATES[state][dark]
    text = _MUTED[dark] if state is ChipState.DROPPED else _INK[dark]
    return ChipColours(QColor(edge), QColor(fill), QColor(text))


def muted(palette: QPalette) -> QColor:
    return QColor(_MUTED[is_dark(palette)])


@dataclass(frozen=True)
class ChipMetrics:
    """Sizes in logical pixels, all from the font, so that they follow the user's text size."""

    font: QFont
    small: QFont
    width: float
    header: float
    line: float
    small_line: float
    height: float
    gap: float

    @classmethod
    def of(cls, font: QFont) -> ChipMetrics:
        small = QFont(font)
        if font.pointSizeF() > 0:
            small.setPointSizeF(max(font.pointSizeF() * 0.86, 6.5))
        else:
            small.setPixelSize(max(round(font.pixelSize() * 0.86), 9))
        big, little = QFontMetricsF(font), QFontMetricsF(small)
        line, small_line = big.height(), little.height()
        header = round(small_line + 6)
        height = round(header + 2 * line + small_line + 12)
        return cls(font, small, round(big.averageCharWidth() * 16), header, line, small_line, height, 6.0)


def paint_chip(
    painter: QPainter,
    rect: QRectF,
    chip: Chip,
    metrics: ChipMetrics,
    palette: QPalette,
    *,
    current: bool = False,
    focused: bool = False,
) -> None:
    """One chip: a patterned head with symbol and position, the title on two lines, what it was below."""
    shade = colours(chip.state, palette)
    paint_frame(painter, rect, chip.state, metrics.header, palette)
    if current:
        ring = QPen(palette.color(QPalette.ColorRole.Highlight), 2.0 if focused else 1.5)
        painter.setPen(ring)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(-2.5, -2.5, 2.5, 2.5), 8, 8)
    _paint_head(painter, rect, chip, metrics, shade, palette)
    body = rect.adjusted(8, metrics.header + 4, -8, -4)
    painter.setFont(metrics.font)
    painter.setPen(shade.text)
    _paint_title(painter, QRectF(body.left(), body.top(), body.width(), 2 * metrics.line), chip, metrics)
    foot = _foot(chip)
    if foot:
        painter.setFont(metrics.small)
        painter.setPen(muted(palette))
        line = QRectF(body.left(), body.bottom() - metrics.small_line, body.width(), metrics.small_line)
        text = QFontMetricsF(metrics.small).elidedText(foot, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def paint_frame(painter: QPainter, rect: QRectF, state: ChipState, header: float, palette: QPalette) -> None:
    """Fill, pattern in the head, and edge: dashed for what is dropped."""
    shade = colours(state, palette)
    outline = QPainterPath()
    outline.addRoundedRect(rect, 6, 6)
    painter.fillPath(outline, shade.fill)
    if state in PATTERNS:
        painter.save()
        painter.setClipPath(outline, Qt.ClipOperation.IntersectClip)
        pattern = QColor(shade.edge)
        pattern.setAlphaF(0.45)
        painter.setBrushOrigin(rect.topLeft())
        painter.fillRect(QRectF(rect.left(), rect.top(), rect.width(), header), QBrush(pattern, PATTERNS[state]))
        painter.restore()
    marked = state in PATTERNS
    pen = QPen(shade.edge, 1.4 if marked else 1.0)
    if state is ChipState.DROPPED:
        pen.setStyle(Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline)


def _paint_head(
    painter: QPainter, rect: QRectF, chip: Chip, metrics: ChipMetrics, shade: ChipColours, palette: QPalette
) -> None:
    painter.setFont(metrics.small)
    fm = QFontMetricsF(metrics.small)
    if chip.state.symbol:
        size = metrics.header - 4
        badge = QRectF(rect.left() + 4, rect.top() + 3, size, size)
        _paint_badge(painter, badge, chip.state, metrics.small, shade, palette)
    number = f"{chip.source + 1}" if chip.position is None else f"{chip.position + 1}"
    box = QRectF(0, rect.top() + 3, fm.horizontalAdvance(number) + 8, metrics.header - 4)
    box.moveRight(rect.right() - 4)
    labels = [(box, number)]
    if chip.score is not None:
        score = f"{chip.score:.2f}"
        labels.append(
            (QRectF(rect.left() + metrics.header + 5, box.top(), fm.horizontalAdvance(score) + 8, box.height()), score)
        )
    for place, text in labels:
        if chip.state in PATTERNS:
            # Numbers keep a plain ground, so that the pattern never crosses them.
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade.fill)
            painter.drawRoundedRect(place, 4, 4)
        painter.setPen(shade.text if chip.state in PATTERNS else muted(palette))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def _paint_badge(
    painter: QPainter, badge: QRectF, state: ChipState, font: QFont, shade: ChipColours, palette: QPalette
) -> None:
    solid = state in PATTERNS
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade.edge if solid else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(badge, 4, 4)
    ink = QColor("#ffffff") if solid and not is_dark(palette) else QColor("#14181f") if solid else shade.edge
    centre, arm = badge.center(), badge.width() * 0.26
    painter.setPen(QPen(ink, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    # Drawn, not written: fonts disagree about these symbols, and some have none of them.
    match state:
        case ChipState.MASKED:
            painter.drawRect(QRectF(centre.x() - arm, centre.y() - arm, 2 * arm, 2 * arm))
        case ChipState.INSERTED:
            painter.drawLine(centre - QPointF(arm, 0), centre + QPointF(arm, 0))
            painter.drawLine(centre - QPointF(0, arm), centre + QPointF(0, arm))
        case ChipState.DROPPED:
            painter.drawLine(centre - QPointF(arm, arm), centre + QPointF(arm, arm))
            painter.drawLine(centre - QPointF(arm, -arm), centre + QPointF(arm, -arm))
        case ChipState.REORDERED:
            for dy, side in ((-arm * 0.55, 1), (arm * 0.55, -1)):
                tip = centre + QPointF(side * arm * 1.15, dy)
                painter.drawLine(centre + QPointF(-side * arm * 1.15, dy), tip)
                painter.drawLine(tip, tip + QPointF(-side * arm * 0.6, -arm * 0.5 if side > 0 else arm * 0.5))
        case _:
            bold = QFont(font)
            bold.setBold(True)
            painter.setFont(bold)
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, state.symbol)
            painter.setFont(font)


_ANYWHERE = QTextOption()
_ANYWHERE.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)


def _paint_title(painter: QPainter, box: QRectF, chip: Chip, metrics: ChipMetrics) -> None:
    """Two lines, broken at words, within one where it is longer than a line; the second is elided."""
    if chip.state is ChipState.MASKED:
        text = "masked"
        font = QFont(metrics.font)
        font.setItalic(True)
        painter.setFont(font)
    else:
        text = chip.name
    fm = QFontMetricsF(painter.font())
    layout = QTextLayout(text, painter.font())
    layout.setTextOption(_ANYWHERE)
    layout.beginLayout()
    first = layout.createLine()
    first.setLineWidth(box.width())
    cut = first.textLength() if first.isValid() else len(text)
    layout.endLayout()
    lines = [text[:cut].rstrip(), text[cut:].strip()] if cut < len(text) else [text]
    for index, line in enumerate(lines):
        place = QRectF(box.left(), box.top() + index * metrics.line, box.width(), metrics.line)
        shown = fm.elidedText(line, Qt.TextElideMode.ElideRight, box.width() + 0.5)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _foot(chip: Chip) -> str:
    old = "" if chip.before is None else item_name(chip.before.item, chip.before.title)
    match chip.state:
        case ChipState.SUBSTITUTED:
            return f"← {old}"
        case ChipState.MASKED:
            return f"was {old}"
        case ChipState.INSERTED:
            return f"near {old}"
        case ChipState.REORDERED:
            return f"from {chip.source + 1}"
    return ""


class ChipLegend(QWidget):
    """What the symbols, patterns and colours mean, as one wrapping line of small chips."""

    STATES = tuple(state for state in ChipState if state is not ChipState.ORIGINAL)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend")
        self.setAccessibleDescription(", ".join(f"{s.symbol} {s.words}".strip() for s in self.STATES))

    def sizeHint(self) -> QSize:
        return QSize(int(self._widths()[-1]), int(ChipMetrics.of(self.font()).header + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def _widths(self) -> list[float]:
        fm = QFontMetricsF(ChipMetrics.of(self.font()).small)
        edges = [0.0]
        for state in self.STATES:
            edges.append(edges[-1] + 34 + fm.horizontalAdvance(state.words) + 22)
        return edges

    def paintEvent(self, event: object) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = ChipMetrics.of(self.font())
        palette = self.palette()
        for left, state in zip(self._widths(), self.STATES, strict=False):
            box = QRectF(left + 1, (self.height() - metrics.header) / 2, 28, metrics.header)
            paint_frame(painter, box, state, metrics.header, palette)
            if state.symbol:
                size = metrics.header - 4
                badge = QRectF(box.left() + (28 - size) / 2, box.top() + 2, size, size)
                _paint_badge(painter, badge, state, metrics.small, colours(state, palette), palette)
            painter.setFont(metrics.small)
            painter.setPen(muted(palette))
            words = QRectF(left + 36, 0, 200, self.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, state.words)
        painter.end()
