"""A tab that is made when it is first seen: a page with many plots opens without waiting for those out of sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.widgets.pieces import InPieces

W = TypeVar("W", bound=QWidget)


class Lazy(QWidget, Generic[W]):
    """``make`` is called once: when the place is first shown, or somebody asks for what stands in it."""

    def __init__(self, make: Callable[[], W]) -> None:
        super().__init__()
        self._make = make
        self._begun: W | None = None
        self.made: W | None = None
        """What stands here; None before it was needed."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    @property
    def widget(self) -> W:
        """What stands here, made now at the latest."""
        if self.made is None:
            while self.make_more():
                pass
            self.made = self._begun
            assert self.made is not None
            self.setFocusProxy(self.made)
        return self.made

    def make_more(self) -> bool:
        """Make a piece of it; whether there is more to make (`InPieces`)."""
        if self._begun is None:
            self._begun = self._make()
            # At once, while little is in it: what is put into the window is dressed with all its parts.
            layout = self.layout()
            assert layout is not None
            layout.addWidget(self._begun)
            return isinstance(self._begun, InPieces)
        return isinstance(self._begun, InPieces) and self._begun.make_more()

    def showEvent(self, event: QShowEvent) -> None:
        _ = self.widget
        super().showEvent(event)
