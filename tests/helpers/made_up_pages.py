"""Pages as somebody else would add them, beside the others in the rail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QLabel, QVBoxLayout

from workbench import main_window
from workbench.pages import Page, PageWidget, pages


class MadeUpPage(PageWidget):
    """A page with a word on it."""

    def make(self) -> Iterator[None]:
        yield
        QVBoxLayout(self).addWidget(QLabel("made up"))


def add_pages(monkeypatch: pytest.MonkeyPatch, count: int) -> tuple[Page, ...]:
    """``count`` pages after the last one, in windows that are made until the test ends."""
    more = [Page(f"more-{n}", f"More {n}", "table", 1000 + n, MadeUpPage) for n in range(1, count + 1)]
    found = (*pages(), *more)
    monkeypatch.setattr(main_window, "pages", lambda: found)
    return found
