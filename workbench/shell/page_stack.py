"""The pages, one of them in sight. One that is larger than the window scrolls; it does not make the window larger."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget

LEAST = QSize(560, 320)
"""What the pages together may ask of a window: a small laptop's screen, with a dock open, is enough."""


class PageStack(QStackedWidget):
    """Holds each page in an area of its own that scrolls."""

    def add_page(self, page: QWidget) -> None:
        """Take a page in."""
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(page)
        # The style sheet's pages paint no ground of their own; a scroll area would put another one under them.
        area.viewport().setAutoFillBackground(False)
        page.setAutoFillBackground(False)
        area.setFocusProxy(page)
        self.addWidget(area)

    def show_page(self, page: QWidget) -> None:
        """Bring a page into sight."""
        for place in range(self.count()):
            if self._page_at(place) is page:
                self.setCurrentIndex(place)
                return

    @property
    def page(self) -> QWidget | None:
        """The page in sight."""
        return self._page_at(self.currentIndex()) if self.count() else None

    def _page_at(self, place: int) -> QWidget | None:
        area = self.widget(place)
        return area.widget() if isinstance(area, QScrollArea) else None

    def minimumSizeHint(self) -> QSize:
        return LEAST
