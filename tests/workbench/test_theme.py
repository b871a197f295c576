"""Two palettes: readable, complete, and told to everything that draws its own colours."""

from __future__ import annotations

import gc
import re

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from engine.paths import resource
from engine.records import RunStatus
from workbench import icons
from workbench.item_models.delegates import STATES, StateDelegate
from workbench.pages import pages
from workbench.theme import DARK, LIGHT, Colours, Theme, style_sheet

READABLE = 4.5
"""WCAG 2.2, contrast of text, level AA."""


def luminance(name: str) -> float:
    """Relative luminance by WCAG's definition."""
    parts = [part / 255 for part in QColor(name).getRgb()[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_surface(colours: Colours) -> None:
    for surface in (colours.window, colours.surface, colours.raised, colours.rail, colours.field):
        for text in (colours.text, colours.muted, colours.accent):
            assert contrast(text, surface) >= READABLE, (text, surface)
    for text, surface in (
        (colours.on_accent, colours.accent),
        (colours.good, colours.good_soft),
        (colours.warn, colours.warn_soft),
        (colours.bad, colours.bad_soft),
        (colours.text, colours.selection),
        (colours.accent, colours.accent_soft),
    ):
        assert contrast(text, surface) >= READABLE, (text, surface)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("status", list(RunStatus))
def test_the_word_of_every_state_is_readable_in_every_row(colours: Colours, status: RunStatus) -> None:
    delegate = StateDelegate(Theme("dark" if colours.is_dark else "light"))
    for is_selected, grounds in ((False, (colours.field, colours.raised)), (True, (colours.selection,))):
        delegate.is_selected = is_selected
        word = getattr(colours, delegate.word_role(STATES[status][1]))
        for ground in grounds:
            assert contrast(word, ground) >= READABLE, (status, word, ground)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_curves_stand_out_from_the_plot(colours: Colours) -> None:
    for colour in colours.series:
        assert contrast(colour, colours.surface) >= 2.7, colour
    assert len(set(colours.series)) == len(colours.series) == 7


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_leaves_no_name_open_and_its_pictures_exist(colours: Colours) -> None:
    text = style_sheet(colours)
    assert "@" not in text
    pictures = re.findall(r"url\(([^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert resource("icons", picture.rsplit("/", 1)[1]).is_file()


def test_no_two_of_the_first_28_curves_look_alike(theme: Theme) -> None:
    looks = [theme.series_style(index) for index in range(28)]
    assert len({(look.colour, look.dash) for look in looks}) == 28
    assert theme.series_style(3) == looks[3]


def test_followers_are_dressed_until_they_are_gone(qtbot: QtBot, theme: Theme) -> None:
    label, gone = QLabel(), QLabel()
    qtbot.addWidget(label)
    dressed: list[str] = []
    theme.follow(label, lambda _: dressed.append(theme.colours.window))
    theme.follow(gone, lambda _: dressed.append("gone"))
    dressed.clear()
    del gone
    gc.collect()
    theme.choose("dark")
    theme.choose("light")
    assert dressed == [DARK.window, LIGHT.window]


def test_icons_take_the_palettes_colour(qtbot: QtBot, theme: Theme) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    theme.follow_icon(button, "stop", "bad")
    image = button.icon().pixmap(24, 24).toImage()
    found = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert LIGHT.bad in found


def test_every_page_names_an_icon_that_exists() -> None:
    for page in pages():
        for icon in (page.icon, *(command.icon for command in page.commands if command.icon)):
            assert resource("icons", f"{icon}.svg").is_file(), icon


def test_an_icon_that_does_not_exist_is_drawn_as_another_and_said_once(
    qtbot: QtBot, theme: Theme, caplog: pytest.LogCaptureFixture
) -> None:
    icons._source.cache_clear()
    for side in (16, 24):  # two pictures, one sentence
        drawn = theme.icon("no-such-icon", "bad").pixmap(side, side).toImage()
        assert drawn == theme.icon("file", "bad").pixmap(side, side).toImage()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "There is no icon 'no-such-icon': resources/icons has no no-such-icon.svg, and 'file' is drawn instead.",
        )
    ]


def test_a_window_paints_once_in_the_new_palette(qtbot: QtBot, theme: Theme) -> None:
    window = QLabel("text")
    qtbot.addWidget(window)
    window.show()
    painting: list[bool] = []
    theme.changed.connect(lambda: painting.append(window.updatesEnabled()))
    theme.choose("dark")
    theme.choose("light")
    assert painting == [False, False]
    assert window.updatesEnabled()


def test_an_icon_draws_the_size_that_is_asked_for(qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, int, float]] = []
    plainly = icons.drawn
    monkeypatch.setattr(icons, "drawn", lambda *wanted: asked.append(wanted) or plainly(*wanted))
    icon = theme.icon("stop", "bad")
    assert asked == []
    assert icon.pixmap(QSize(24, 24), 2.0).size() == QSize(48, 48)
    icon.pixmap(QSize(16, 16), 1.0, QIcon.Mode.Disabled)
    assert asked == [("stop", theme.colours.bad, 24, 2.0), ("stop", theme.colours.faint, 16, 1.0)]
    image = QImage(40, 30, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    icon.paint(painter, 0, 0, 40, 30)  # in the middle, as wide as it is high
    painter.end()
    inked = [(x, y) for x in range(40) for y in range(30) if image.pixelColor(x, y).alpha()]
    assert min(x for x, _ in inked) + max(x for x, _ in inked) == pytest.approx(39, abs=2)
    assert [size.width() for size in icon.availableSizes()] == list(icons.SIZES)


def test_an_icon_that_qt_copies_lives_on(qtbot: QtBot, theme: Theme) -> None:
    """Qt clones what draws an icon when a copy of it is changed; Python must not throw the clone away."""
    copies = []
    for _ in range(20):
        copy = QIcon(theme.icon("stop", "bad"))
        copy.setIsMask(True)
        copies.append(copy)
        gc.collect()
    assert {copy.pixmap(QSize(16, 16)).size().width() for copy in copies} == {16}
