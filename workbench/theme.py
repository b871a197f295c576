"""How the workbench looks: two palettes, one set of spacings, icons in the text's colour, plots that follow.

Colours of curves are Okabe and Ito's colour-blind-safe set, shifted a little for each background; a curve never relies
on its colour alone but has a dash and a marker too (`series_style`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from engine.paths import resource
from workbench.icons import DrawnIcon

Choice = Literal["system", "light", "dark"]

# Spacing in device-independent pixels: one scale for the whole product.
TIGHT, SMALL, SPACE, WIDE, HUGE = 4, 6, 10, 16, 28
RADIUS = 6
TEXT_WIDTH = 620
"""Widest column of running text: longer lines are hard to read."""


@dataclass(frozen=True)
class Colours:
    """One palette. ``series`` are for curves; everything else is named by what it is for."""

    is_dark: bool
    window: str
    rail: str
    surface: str
    raised: str
    field: str
    border: str
    strong_border: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    selection: str
    grid: str
    series: tuple[str, ...]


LIGHT = Colours(
    is_dark=False,
    window="#f4f5f7",
    rail="#e9ebef",
    surface="#ffffff",
    raised="#f9fafb",
    field="#ffffff",
    border="#dde1e7",
    strong_border="#b9c0cb",
    text="#1b2230",
    muted="#566072",
    faint="#8a94a4",
    accent="#2463c9",
    accent_hover="#1c53ad",
    accent_soft="#e4edfb",
    on_accent="#ffffff",
    good="#1b7a48",
    good_soft="#e2f4ea",
    warn="#8a5a00",
    warn_soft="#fdf1d8",
    bad="#b93226",
    bad_soft="#fce8e6",
    selection="#d6e4fa",
    grid="#d5dae2",
    series=("#0072b2", "#d55e00", "#009e73", "#b8588c", "#c98500", "#3aa0dc", "#5f6673"),
)
DARK = Colours(
    is_dark=True,
    window="#15181e",
    rail="#101318",
    surface="#1d2129",
    raised="#232832",
    field="#171b22",
    border="#323946",
    strong_border="#4c5566",
    text="#e5e8ee",
    muted="#a1abba",
    faint="#737e8f",
    accent="#6099f6",
    accent_hover="#79abff",
    accent_soft="#1f2e49",
    on_accent="#0b1220",
    good="#55c58d",
    good_soft="#17352a",
    warn="#e6b04e",
    warn_soft="#3a2f16",
    bad="#ff8177",
    bad_soft="#43211f",
    selection="#2a4066",
    grid="#363e4b",
    series=("#4aa8f0", "#ff8247", "#2cc79b", "#e79bc4", "#f2b134", "#8ad0fa", "#b8bec8"),
)

DASHES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
MARKERS = ("o", "s", "t", "d", "+", "x", "star")


@dataclass(frozen=True)
class SeriesStyle:
    """Colour, dash and marker of one curve."""

    colour: str
    dash: Qt.PenStyle
    marker: str


def mix(one: str, other: str, share: float) -> str:
    """``share`` of ``one``, the rest of ``other``: a flat colour where transparency would cost drawing time."""
    first, second = QColor(one), QColor(other)
    pairs = zip(first.getRgb()[:3], second.getRgb()[:3], strict=True)  # type: ignore[index]
    return QColor(*(round(a * share + b * (1 - share)) for a, b in pairs)).name()


class Theme(QObject):
    """The palette in use. ``changed`` comes after the application wears the new one."""

    changed = Signal()

    def __init__(self, choice: Choice = "system") -> None:
        super().__init__()
        self.choice: Choice = choice
        self.colours = self._wanted()
        self._followers: list[tuple[weakref.ref[Any], Callable[[Any], None]]] = []
        self._icons: dict[tuple[str, str], QIcon] = {}
        self._is_worn = False
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def _wanted(self) -> Colours:
        if self.choice == "system":
            dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        else:
            dark = self.choice == "dark"
        return DARK if dark else LIGHT

    def _system_changed(self) -> None:
        if self.choice == "system":
            self.apply()

    def choose(self, choice: Choice) -> None:
        """Wear the light or the dark palette, or follow the system."""
        self.choice = choice
        self.apply()

    def apply(self) -> None:
        """Dress the application and tell everything that draws its own colours."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self.colours = self._wanted()
        self._icons.clear()
        if not self._is_worn:
            # It dresses every widget anew, as the palette does; the style itself never changes.
            self._is_worn = True
            application.setStyle("Fusion")
        with _painted_once(application):
            application.setPalette(palette(self.colours))
            alive = []
            for reference, restyle in self._followers:
                target = reference()
                if target is not None and _is_alive(target):
                    restyle(target)
                    alive.append((reference, restyle))
            self._followers = alive
            self.changed.emit()

    def follow(self, target: Any, restyle: Callable[[Any], None]) -> None:
        """Call ``restyle(target)`` now and at every change of palette, for as long as ``target`` lives."""
        restyle(target)
        self._followers.append((weakref.ref(target), restyle))

    def dress(self, window: QWidget) -> None:
        """Give a window without a parent the style sheet; what is in it, and its dialogs, wear it too.

        Not the application: under its style sheet Qt dresses a whole branch again each time that one is put into
        another, and a page, which is put together from the leaves up, takes two to four times as long to make.
        """
        self.follow(window, lambda target: target.setStyleSheet(style_sheet(self.colours)))

    def icon(self, name: str, role: str = "text") -> QIcon:
        """``resources/icons/NAME.svg`` in the colour ``role`` of the palette; disabled in ``faint``."""
        key = (name, role)
        if key not in self._icons:
            self._icons[key] = QIcon(DrawnIcon(name, getattr(self.colours, role), self.colours.faint))
        return self._icons[key]

    def follow_icon(self, target: Any, name: str, role: str = "text") -> None:
        """Give a button or an action the icon, in every palette."""
        self.follow(target, lambda owner: owner.setIcon(self.icon(name, role)))

    def series_style(self, index: int) -> SeriesStyle:
        """Style of the ``index``-th curve: colours first, then another dash with the same colours."""
        colours = self.colours.series
        return SeriesStyle(
            colours[index % len(colours)], DASHES[index // len(colours) % len(DASHES)], MARKERS[index % len(MARKERS)]
        )

    def follow_plot(self, plot: Any) -> None:
        """Keep a pyqtgraph ``PlotWidget`` in the colours of the palette."""
        self.follow(plot, lambda target: style_plot(target, self.colours))


@contextmanager
def _painted_once(application: QApplication) -> Iterator[None]:
    """Windows paint when everything wears the new palette, not after each part of it."""
    windows = [window for window in application.topLevelWidgets() if window.updatesEnabled()]
    for window in windows:
        window.setUpdatesEnabled(False)
    try:
        yield
    finally:
        for window in windows:
            if _is_alive(window):
                window.setUpdatesEnabled(True)


def _is_alive(target: Any) -> bool:
    import shiboken6

    return not isinstance(target, QObject) or shiboken6.isValid(target)


def style_plot(plot: Any, colours: Colours) -> None:
    """Background, axes, grid and labels of a pyqtgraph ``PlotWidget``."""
    plot.setBackground(colours.surface)
    item = plot.getPlotItem()
    font = QFont(QApplication.font())
    font.setPointSizeF(max(font.pointSizeF() - 1, 7))
    for side in ("left", "bottom", "right", "top"):
        axis = item.getAxis(side)
        if not axis.isVisible():
            continue  # each of these calls lays the axis out anew
        axis.setPen(colours.strong_border)
        axis.setTextPen(colours.muted)
        axis.setTickFont(font)
        axis.setStyle(tickTextOffset=6)
        if axis.labelText:
            axis.setLabel(axis.labelText, units=axis.labelUnits or None, color=colours.muted)
    item.showGrid(x=True, y=True, alpha=0.12 if not colours.is_dark else 0.16)


def palette(colours: Colours) -> QPalette:
    """Qt's palette for the Fusion style."""
    role = QPalette.ColorRole
    made = QPalette()
    for which, name in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.field),
        (role.AlternateBase, colours.raised),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.faint),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.bad),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
        (role.Light, colours.raised),
        (role.Midlight, colours.border),
        (role.Mid, colours.border),
        (role.Dark, colours.strong_border),
        (role.Shadow, colours.strong_border),
    ):
        made.setColor(which, QColor(name))
    if hasattr(role, "Accent"):
        made.setColor(role.Accent, QColor(colours.accent))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.faint))
    return made


def style_sheet(colours: Colours) -> str:
    """``resources/styles/workbench.qss`` with ``@name`` replaced by the palette's colours and the icons' folder."""
    text = resource("styles", "workbench.qss").read_text(encoding="utf-8")
    tokens = {key: value for key, value in asdict(colours).items() if isinstance(value, str)}
    tokens |= {"shade": "dark" if colours.is_dark else "light", "icons": resource("icons").as_posix()}
    for key in sorted(tokens, key=len, reverse=True):
        text = text.replace(f"@{key}", tokens[key])
    return text


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget the look that the style sheet calls ``role`` (``title``, ``muted``, ``card``, ``primary`` …)."""
    widget.setProperty("role", role)
    repolish(widget)


def repolish(widget: QWidget) -> None:
    """Let the style sheet look at a widget's properties again; a widget never yet shown is looked at anyway."""
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().unpolish(widget)
        widget.style().polish(widget)
