"""The status bar says what the store does, in words and in its sign."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from engine.errors import StoreError
from engine.records import RunStatus
from tests.helpers.fake_runs import FakeRuns, make_record
from workbench.context import Context
from workbench.shell.status_bar import StatusBar
from workbench.theme import Theme


@pytest.fixture
def bar(qtbot: QtBot, context: Context) -> StatusBar:
    made = StatusBar(context, lambda: None, lambda: None)
    qtbot.addWidget(made)
    return made


def sign(bar: StatusBar) -> QImage:
    return bar.saved.icon().pixmap(16, 16).toImage()


def image(theme: Theme, name: str, role: str) -> QImage:
    return theme.icon(name, role).pixmap(16, 16).toImage()


def test_a_store_out_of_reach_has_no_check_mark(bar: StatusBar, context: Context, theme: Theme) -> None:
    assert sign(bar) == image(theme, "check", "muted")
    context.runs.set_trouble(StoreError("the file is not a database."))
    assert bar.saved.text() == "store out of reach"
    assert sign(bar) == image(theme, "alert", "bad")
    theme.choose("dark")
    assert sign(bar) == image(theme, "alert", "bad")
    context.runs.set_trouble(None)
    assert sign(bar) == image(theme, "check", "muted")


def test_a_write_that_was_refused_is_told_until_one_is_taken(
    bar: StatusBar, context: Context, theme: Theme, runs: FakeRuns, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.runs.set_loaded()
    assert bar.saved.text() == "all saved"

    def refuse(_: object) -> None:
        raise StoreError("coserec.db cannot be written (readonly).")

    runs.put(make_record("r0001", status=RunStatus.STOPPED))
    with monkeypatch.context() as patched:
        patched.setattr(runs, "resume", refuse)
        with qtbot.waitSignal(context.control.refused):
            context.control.resume(runs.all())
    assert bar.saved.text() == "store cannot be written"
    assert "readonly" in bar.saved.toolTip()
    assert sign(bar) == image(theme, "alert", "bad")
    with qtbot.waitSignal(context.control.changed):
        context.control.resume(runs.all())
    assert bar.saved.text() == "all saved"
    assert sign(bar) == image(theme, "check", "muted")
