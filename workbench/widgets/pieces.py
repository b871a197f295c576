"""A widget that is put together a piece at a time, so that the window can do something else in between."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QWidget


class InPieces(QWidget):
    """`make` puts it together. Attributes that `make` needs are set before this class's constructor."""

    def __init__(self, *, at_once: bool = True) -> None:
        """``at_once=False``: the caller goes through `make_more` until it says that nothing is left."""
        self.is_whole = False
        """Whether all of it is made. Before, Qt's events come already: a page behind another is laid out with it."""
        super().__init__()
        self._to_make = self.make()
        if at_once:
            self.finish()

    def make(self) -> Iterator[None]:
        """Put the widget together. At each ``yield`` the window may do something else: a piece is at most one plot.

        Connect to what others send in the last piece only: before it the widget is not whole.
        """
        yield from ()

    def make_more(self) -> bool:
        """Make the next piece; whether there are more."""
        self.is_whole = next(self._to_make, self) is self
        return not self.is_whole

    def finish(self) -> None:
        """Make what is left at once."""
        while self.make_more():
            pass
