"""Pages, made before they are asked for: in small pieces, while nothing else is to be done."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator, Mapping

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from workbench import plots, widgets
from workbench.context import Context
from workbench.pages import Page, PageWidget
from workbench.widgets.lazy import Lazy

POLISH_SECONDS = 0.015
QUIET_MS = 400
"""So long nobody must have moved the mouse or pressed a key before the next piece is made."""
INPUT = frozenset({QEvent.Type.KeyPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel})
BETWEEN_MS = 15
"""Milliseconds between two pieces: what the user does meanwhile goes first."""


def import_parts() -> None:
    """Import what pages are made of: pyqtgraph alone takes longer than any piece may. Not on the GUI thread."""
    for package in (plots, widgets):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")


class PageMaker(QObject):
    """Makes the pages' widgets, in pieces or, where one is asked for, at once."""

    begun = Signal(object)
    """Carries a page's widget before anything is in it. What is put into it later is dressed by itself then; a whole
    page at once would be felt."""
    made = Signal(str)
    """Carries the id of a page that is whole."""
    done = Signal()
    """Nothing is left to make."""

    def __init__(
        self, context: Context, pages: Mapping[str, Page], rehearse: Callable[[QWidget], Iterator[None]]
    ) -> None:
        """``rehearse`` lays a page out and paints it, in pieces, before somebody waits for it."""
        super().__init__()
        self._rehearse = rehearse
        self._context = context
        self._pages = pages
        self._begun: dict[str, PageWidget] = {}
        self._rough: list[QWidget] = []
        self._lazy: list[Lazy[QWidget]] = []
        self._unseen: list[PageWidget] = []
        self._rehearsal: Iterator[None] = iter(())
        self._since_input = QElapsedTimer()
        self._window: QWindow | None = None
        self._has_begun = False
        self.widgets: dict[str, PageWidget] = {}
        """Pages that are whole, by id."""
        self._is_stopped = False
        self.is_done = False
        """Whether there is nothing left to make."""
        self._timer = QTimer(self)
        self._timer.setInterval(BETWEEN_MS)
        self._timer.setSingleShot(True)  # counted from a piece's end: two long ones do not come in one turn
        self._timer.timeout.connect(self._take_turn)

    def widget(self, page_id: str) -> PageWidget:
        """The page's widget; what is left of it is made now."""
        if page_id not in self.widgets:
            self._begin(page_id).finish()
            self._end(page_id)
        return self.widgets[page_id]

    @Slot()
    def start(self, *_: object) -> None:
        """Make all the others, a piece at a time, once what they import is there. Later calls do nothing."""
        if self._has_begun:
            return
        self._has_begun = True
        self._context.run_in_thread(import_parts, on_result=lambda _: self._timer.start(), key=id(self))

    def give_way_to(self, window: QWindow | None) -> None:
        """Make nothing while somebody types into this window or moves the mouse over it."""
        self._window = window
        if window is not None:
            window.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() in INPUT:
            self._since_input.start()
        return False

    def stop(self) -> None:
        """Make no more unasked."""
        self._is_stopped = True
        self._timer.stop()
        if self._window is not None and isValid(self._window):
            self._window.removeEventFilter(self)

    @property
    def _is_in_the_way(self) -> bool:
        is_fresh = self._since_input.isValid() and self._since_input.elapsed() < QUIET_MS
        return is_fresh or QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton

    def _begin(self, page_id: str) -> PageWidget:
        if page_id not in self._begun:
            self._begun[page_id] = self._pages[page_id].build(self._context, at_once=False)
            self.begun.emit(self._begun[page_id])
        return self._begun[page_id]

    def _end(self, page_id: str) -> None:
        self.widgets[page_id] = self._begun.pop(page_id)
        self.made.emit(page_id)
        self._dress(self.widgets[page_id])
        self._unseen.append(self.widgets[page_id])

    def _dress(self, part: QWidget) -> None:
        """Note what is new in the window."""
        found = part.findChildren(QWidget)
        # The innermost first: each brings along what is in it, and a whole page at once would be felt.
        self._rough += found
        self._lazy += (widget for widget in found if isinstance(widget, Lazy))

    def _polish(self) -> None:
        """Dress what is not seen yet: the style sheet is gone through when a widget is first shown, otherwise."""
        until = time.perf_counter() + POLISH_SECONDS
        while self._rough and time.perf_counter() < until:
            widget = self._rough.pop()
            if isValid(widget):
                widget.ensurePolished()

    @Slot()
    def _take_turn(self) -> None:
        self._next()
        if not self._is_stopped:
            self._timer.start()

    def _next(self) -> None:
        """One piece: of a page, or of what a page shows only later."""
        if self._is_in_the_way:
            return
        waiting = next((page_id for page_id in self._pages if page_id not in self.widgets), None)
        if self._rough:
            self._polish()
        elif waiting is None:
            self._make_lazy_or_rehearse()
        elif waiting not in self._begun:
            self._begin(waiting)
        elif not self._begun[waiting].make_more():
            self._end(waiting)

    def _make_lazy_or_rehearse(self) -> None:
        while self._lazy and (not isValid(self._lazy[0]) or self._lazy[0].made is not None):
            self._lazy.pop(0)
        if self._lazy:
            if not self._lazy[0].make_more():
                self._dress(self._lazy.pop(0).widget)
        elif next(self._rehearsal, self) is not self:
            pass
        elif self._unseen:
            self._rehearsal = self._rehearse(self._unseen.pop())
        else:
            self.stop()
            self.is_done = True
            self.done.emit()
