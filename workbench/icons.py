"""Icons from ``resources/icons``, drawn in a colour."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap

from engine.paths import resource

SIZES = (16, 20, 24, 32, 48)


def drawn_icon(name: str, colour: str, disabled: str) -> QIcon:
    """``NAME.svg`` in a colour; disabled in another."""
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(_drawn(name, colour, size))
        icon.addPixmap(_drawn(name, disabled, size), QIcon.Mode.Disabled)
    return icon


@cache
def _source(name: str) -> str:
    return resource("icons", f"{name}.svg").read_text(encoding="utf-8")


def _drawn(name: str, colour: str, size: int) -> QPixmap:
    from PySide6.QtSvg import QSvgRenderer

    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
