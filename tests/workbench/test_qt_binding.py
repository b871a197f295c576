"""What the window needs of the Qt binding itself."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class Sender(QObject):
    told = Signal(object)


def test_emitting_gives_back_every_reference_that_it_takes() -> None:
    # PySide6 6.12.0 returns True from emit without owning it; before Python 3.12 that ends the program after a while.
    sender = Sender()
    before = sys.getrefcount(True)
    for _ in range(100):
        sender.told.emit(None)
    assert sys.getrefcount(True) > before - 50
