"""The pages of the main window: one file each, found by looking into this folder.

A page's file ends in ``PAGE = Page(…)``. Its top level imports nothing heavy (pyqtgraph, pandas): the file is read
before the first paint, its widget is made when it is first shown.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QWidget

from engine.errors import ConfigurationError
from workbench.widgets.pieces import InPieces

if TYPE_CHECKING:
    from workbench.context import Context


class PageWidget(InPieces):
    """Base of a page's widget. `make` puts it together; every other hook may be left as it is."""

    def __init__(self, context: Context, *, at_once: bool = True) -> None:
        """``at_once=False``: the caller goes through `make_more` until it says that nothing is left."""
        self.context = context
        super().__init__(at_once=at_once)
        # The page itself can hold the focus, so that its shortcuts work before anything in it is chosen.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def page_shown(self) -> None:
        """The page has become the visible one."""

    def open_state(self, **state: Any) -> None:
        """Another page asked for this one with some state (``Session.open_page``). Unknown keys are ignored."""

    def filter_box(self) -> QWidget | None:
        """What Ctrl+F puts the cursor into."""
        return None

    def show_tab_at(self, place: int) -> None:
        """Bring a tab of ``tabs`` into sight; the focus goes to its title, from where arrows and Tab go on."""
        tabs: QTabWidget = self.tabs  # type: ignore[attr-defined]
        tabs.setCurrentIndex(place)
        tabs.tabBar().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def save_state(self) -> dict[str, Any]:
        """JSON-ready view state (sort order, columns, splitters) to be given back at the next start."""
        return {}

    def restore_state(self, state: dict[str, Any]) -> None:
        """The saved view state; every value must be checked, it may come from an older version."""


@dataclass(frozen=True)
class PageCommand:
    """An entry of the actions table that a page brings along; ``method`` and ``enabled`` name methods of its widget, or
    of a part of it, ``part.method``."""

    id: str
    text: str
    method: str
    shortcut: str = ""
    enabled: str = ""
    """Name of a method that says whether it can be used now; empty: always."""
    scope: str = ""
    """Attribute of the widget that must have the focus for the shortcut to work; empty: the whole page."""
    icon: str = ""
    menu: str = ""
    """Submenu of the page's menu; empty: the menu itself."""
    argument: Any = None
    """What ``method`` is called with, unless None."""

    def call(self, widget: PageWidget) -> None:
        """Do it on the page's widget."""
        method = attrgetter(self.method)(widget)
        method() if self.argument is None else method(self.argument)


def tab_commands(*titles: str) -> tuple[PageCommand, ...]:
    """Alt+1, Alt+2 … bring the tabs of a page's ``tabs`` into sight, in their order."""
    return tuple(
        PageCommand(f"tab-{place}", title, "show_tab_at", f"Alt+{place}", menu="Show", argument=place - 1)
        for place, title in enumerate(titles, 1)
    )


class Build(Protocol):
    """A page's class."""

    def __call__(self, context: Context, *, at_once: bool = True) -> PageWidget: ...


@dataclass(frozen=True)
class Page:
    """A page as the rail, the menus and the palette show it."""

    id: str
    title: str
    icon: str
    order: int
    build: Build
    tip: str = ""
    commands: tuple[PageCommand, ...] = ()


def key_of(number: int) -> str:
    """The key of the page at that place of the rail, from 1: the digits end at nine, and so do the keys."""
    return f"Ctrl+{number}" if number <= 9 else ""


@cache
def pages() -> tuple[Page, ...]:
    """All pages, in the order of the rail.

    Raises ``ConfigurationError``, naming the files, for one in this folder without ``PAGE`` and for two of one id.
    """
    homes: dict[str, str] = {}
    found: list[Page] = []
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")):
        home = f"{__name__}.{name}"
        made = getattr(importlib.import_module(home), "PAGE", None)
        if not isinstance(made, Page):
            hint = "End it so, or begin its file's name with an underscore."
            raise ConfigurationError(f"{home} is no page: it has no PAGE = Page(…).", hint)
        if other := homes.get(made.id):
            message = f"Two pages have the id '{made.id}': {other} and {home}."
            raise ConfigurationError(message, "Give one of them another id.")
        homes[made.id] = home
        found.append(made)
    return tuple(sorted(found, key=lambda page: (page.order, page.id)))


def page(name: str) -> Page:
    """The page of that id. Raises ``KeyError``."""
    return {item.id: item for item in pages()}[name]
