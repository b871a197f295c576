"""The pages, one of them in sight. One that is larger than the window scrolls; it does not make the window larger."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget
from shiboken6 import isValid

LEAST = QSize(560, 320)
"""What the pages together may ask of a window: a small laptop's screen, with a dock open, is enough."""


STRIPS = 4
"""So many strips a page is painted in before it is seen."""


class PageStack(QStackedWidget):
    """Holds each page in an area of its own that scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self._left_at: dict[QWidget, QWidget] = {}
        """What had the focus on a page when another one came into sight."""

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

    def rehearse(self, page: QWidget) -> Iterator[None]:
        """Lay a page out and paint it where nobody sees it, in pieces: it comes into sight in half the time then."""
        area = next(area for place in range(self.count()) if (area := self._area(place)).widget() is page)
        area.resize(self.size())
        wide = -(-area.width() // STRIPS)
        # The first piece of it is laid out with all its parents, and paints next to nothing.
        for strip in (QRect(0, 0, 1, 1), *(QRect(n * wide, 0, wide, area.height()) for n in range(STRIPS))):
            if area.isVisible():
                return
            area.grab(strip)
            yield

    def show_page(self, page: QWidget) -> None:
        """Bring a page into sight, with the focus where it was when the page was left; the first time on the page."""
        before, held = self.page, self.window().focusWidget()
        if before is not None and held is not None and before.isAncestorOf(held):
            self._left_at[before] = held
        for place in range(self.count()):
            if self._page_at(place) is page:
                self.setCurrentIndex(place)
        kept = self._left_at.pop(page, page)
        (kept if isValid(kept) and kept.isVisible() and kept.isEnabled() else page).setFocus(
            Qt.FocusReason.OtherFocusReason
        )

    @property
    def page(self) -> QWidget | None:
        """The page in sight."""
        return self._page_at(self.currentIndex()) if self.count() else None

    def _area(self, place: int) -> QScrollArea:
        area = self.widget(place)
        assert isinstance(area, QScrollArea)
        return area

    def _page_at(self, place: int) -> QWidget | None:
        return self._area(place).widget()

    def minimumSizeHint(self) -> QSize:
        return LEAST
