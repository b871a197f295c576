"""A run's look, colour, dash and marker, as a small picture for lists and menus."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from workbench.item_models.delegates import draw_sample
from workbench.theme import Theme


def sample_pixmap(theme: Theme, order: int, width: int = 26, height: int = 14) -> QPixmap:
    """The look of the ``order``-th curve."""
    ratio = 2
    pixmap = QPixmap(width * ratio, height * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_sample(painter, theme, order, QPointF(2, height / 2), width - 4)
    painter.end()
    return pixmap


def sample_icon(theme: Theme, order: int) -> QIcon:
    """The same, for a menu."""
    return QIcon(sample_pixmap(theme, order, 20, 16))
