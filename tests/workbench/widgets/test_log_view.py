"""The log by levels."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from workbench.widgets.log_view import Level, LogView, at_least, levels_of

LOG = """10:00:00 run abc, attempt 1
10:00:01 epoch 1/3  total 1.5
10:00:02 The store is busy. Training goes on; what is to be recorded waits.
10:00:03 RunError: it broke
Traceback (most recent call last):
  File "x.py", line 1
ValueError: odd
10:00:04 failed. it broke"""


def test_every_line_has_a_level() -> None:
    levels = [level for level, _ in levels_of(LOG)]
    assert levels == [Level.INFO, Level.DETAIL, Level.WARNING, *[Level.ERROR] * 5]


@pytest.mark.parametrize("level", list(Level))
def test_lines_of_a_level_and_above(level: Level) -> None:
    expected = [line for found, line in levels_of(LOG) if found >= level]
    assert at_least(LOG, level).splitlines() == expected


def test_the_view_filters_and_counts(qtbot: QtBot) -> None:
    view = LogView("Log")
    qtbot.addWidget(view)
    view.show_text(LOG)
    assert view.text.toPlainText() == LOG
    assert view.count.text() == "5 lines of errors · 1 warnings"
    view.set_level(int(Level.ERROR))
    assert view.text.toPlainText().startswith("10:00:03")
    view.set_level("nonsense")
    assert view.level == Level.ERROR
