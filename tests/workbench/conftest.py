"""For the window's suite: settings in a folder of the test, a context without a process, no thread left behind."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.fake_runs import FakeRuns, fake_workspace
from workbench import settings
from workbench.context import Context, make_context
from workbench.engine_process import Errands
from workbench.main_window import MainWindow
from workbench.theme import Theme


@pytest.fixture(autouse=True, scope="session")
def _what_is_there_stays() -> None:
    # After the engine's tests the heap is large, and going through it after each test here took seconds in all.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "settings.ini")
    monkeypatch.setattr(settings, "factory", lambda: QSettings(place, QSettings.Format.IniFormat))


@pytest.fixture(autouse=True)
def _no_widget_left_behind(qapp: QApplication) -> None:
    # What pytest-qt has asked to be deleted goes only when an event loop starts; a test of many widgets would not end.
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    # As in the window itself (`workbench.garbage`): a search on another thread would take widgets apart there.
    gc.disable()
    yield
    gc.collect()
    gc.enable()
    left = [t for t in set(threading.enumerate()) - before if t.is_alive() and not t.daemon]
    assert left == []


@pytest.fixture(autouse=True)
def _no_torch() -> Iterator[None]:
    # Tests of the engine in the same process may have imported it before; only the window's own import would count.
    had_torch = "torch" in sys.modules
    yield
    assert had_torch or "torch" not in sys.modules


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme("light")
    if qapp.palette().color(QPalette.ColorRole.Window) != QColor(made.colours.window):
        # Once: a new palette dresses every widget again that earlier tests have left behind.
        made.apply()
    return made


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def engine_context(qapp: QApplication, theme: Theme, runs: FakeRuns, tmp_path: Path) -> Iterator[Context]:
    """With a real engine process: for pages whose computations would import torch into this one."""
    made = make_context(fake_workspace(tmp_path, runs), theme)
    yield made
    made.close()


@pytest.fixture
def context(qapp: QApplication, theme: Theme, runs: FakeRuns, tmp_path: Path) -> Iterator[Context]:
    made = make_context(fake_workspace(tmp_path, runs), theme, engine=Errands())
    yield made
    made.close()


@pytest.fixture
def window(qtbot: QtBot, context: Context) -> Iterator[MainWindow]:
    made = MainWindow(context)
    qtbot.addWidget(made)
    yield made
    made.close_without_asking()
