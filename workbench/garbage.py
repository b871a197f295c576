"""When Python looks for garbage in cycles: on the window's thread alone, and never over what is held for good.

A full search walks every object that there is and stops all threads meanwhile: 170 to 420 ms as the pages were made,
250 ms with ten thousand runs held. What has been put aside with `keep` is not walked again. And a search that happened
to begin on another thread would take widgets apart there, which Qt does not survive.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

LOOK_MS = 200
THRESHOLDS = (700, 10, 10)
"""Python's own: objects more than at the last search, and searches of a generation before one of the next."""


def put_off() -> None:
    """No search by itself from now on, on whatever thread."""
    gc.disable()


def keep() -> None:
    """What there is now stays, as records of runs, pages and modules do: no search walks it again.

    What is no longer referred to is freed as before; only cycles among what was put aside stay.
    """
    gc.freeze()


class Collector(QObject):
    """Searches for garbage a few times a second, once there is enough that is new."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        put_off()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    @Slot()
    def start(self) -> None:
        """Begin, over what is made from now on."""
        keep()
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Search the oldest generation that is due, and with it the younger ones."""
        due = [number for number, count in enumerate(gc.get_count()) if count > THRESHOLDS[number]]
        if due:
            gc.collect(max(due))
