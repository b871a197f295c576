"""Toasts: tall enough for their text, and gone by themselves."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from workbench.notifications import Level, Notifier
from workbench.shell import toasts as module
from workbench.shell.toasts import Toasts
from workbench.theme import Theme

LONG = "CoSeRec, sample, seed 4, going on with every bit of energy that a queue may keep, finished jauntily. " * 2


@pytest.fixture
def host(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(QSize(900, 700))
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize("hint", ["", "Trained 6 epochs; the best was epoch 5. Try again with a larger patience, say."])
def test_every_line_has_its_height(qtbot: QtBot, host: QWidget, theme: Theme, hint: str) -> None:
    notifier = Notifier()
    shown = Toasts(notifier, theme, host).shown
    notifier.tell(LONG, level="good", hint=hint)
    toast = shown[0]
    toast.row.activate()
    texts = [text for text in toast.findChildren(QLabel) if text.text()]
    assert len(texts) == 1 + bool(hint)
    room = toast.contentsRect().height() - 2 * module.SPACE
    gaps = 2 * (len(texts) - 1)
    needed = sum(text.heightForWidth(text.width()) for text in texts) + gaps
    assert room >= needed + texts[0].fontMetrics().descent()
    for text in texts:
        assert text.height() >= text.heightForWidth(text.width())


@pytest.mark.parametrize("level", ["info", "good", "warning", "error"])
def test_it_leaves_by_itself(
    qtbot: QtBot, host: QWidget, theme: Theme, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHOWN_MS", dict.fromkeys(module.SHOWN_MS, 10))
    notifier = Notifier()
    toasts = Toasts(notifier, theme, host)
    notifier.tell("It cannot be started.", level=level)
    assert len(toasts.shown) == 1
    qtbot.waitUntil(lambda: not toasts.shown)
    assert [item.text for item in notifier.items] == ["It cannot be started."]
