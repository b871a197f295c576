"""Icons from ``resources/icons``, drawn in a colour and a size when that is first asked for.

An icon has ten pictures, five sizes in two colours; most are asked for one or two. Drawing all of them took a tenth of
a second before the window's first paint.
"""

from __future__ import annotations

import logging
from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap

from engine.paths import resource

SIZES = (16, 20, 24, 32, 48)
DEFAULT = "file"
"""Is drawn where there is no icon of a name."""
_CLONES: list[QIconEngine] = []
"""Qt takes a clone, and Python would throw it away: it does not know that somebody has taken it."""


class DrawnIcon(QIconEngine):
    """``NAME.svg`` in a colour; disabled in another. Hand it to `QIcon`."""

    def __init__(self, name: str, colour: str, disabled: str) -> None:
        super().__init__()
        self._name = name
        self._colours = {QIcon.Mode.Disabled: disabled}
        self._colour = colour

    def clone(self) -> QIconEngine:
        made = DrawnIcon(self._name, self._colour, self._colours[QIcon.Mode.Disabled])
        _CLONES.append(made)
        return made

    def availableSizes(self, mode: QIcon.Mode = QIcon.Mode.Normal, state: QIcon.State = QIcon.State.Off) -> list[QSize]:
        del mode, state
        return [QSize(size, size) for size in SIZES]

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        del state
        side = min(size.width(), size.height())
        return drawn(self._name, self._colours.get(mode, self._colour), side, scale)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        picture = self.scaledPixmap(QSize(side, side), mode, state, painter.device().devicePixelRatioF())
        where = QRect(0, 0, side, side)
        where.moveCenter(rect.center())
        painter.drawPixmap(where, picture)


@cache
def _source(name: str) -> str:
    try:
        return resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    except FileNotFoundError:
        # An error of a paint is shown by painting, again and again. Kept like any icon, so this is said once.
        logging.getLogger(__name__).warning(
            "There is no icon '%s': resources/icons has no %s.svg, and '%s' is drawn instead.", name, name, DEFAULT
        )
        return _source(DEFAULT)


@cache
def drawn(name: str, colour: str, side: int, ratio: float) -> QPixmap:
    """The icon on nothing, ``side`` device-independent pixels wide, for a screen of ``ratio`` pixels to one of them."""
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    pixmap = QPixmap(QSize(round(side * ratio), round(side * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return pixmap
