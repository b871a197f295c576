"""The rows of the actions table that belong to the window itself, and those that its pages bring along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from workbench.actions import ActionSpec
from workbench.context import SAMPLE
from workbench.pages import Page, PageCommand, key_of
from workbench.theme import Choice, Theme

if TYPE_CHECKING:
    from workbench.main_window import MainWindow

TOOLBAR = ("file.open", "file.sample", "", "view.dock.queue", "view.dock.log", "", "help.palette")


def fill(window: MainWindow) -> None:
    """Enter every action of the window and of its pages into the window's table."""
    add = window.table.add
    session = window.context.session
    add(
        ActionSpec(
            "file.open", "&Open data set…", window.choose_dataset, "&File", "Ctrl+O", "folder", "Open a data set"
        )
    )
    add(
        ActionSpec(
            "file.import",
            "&Import…",
            window.choose_import,
            "&File",
            "Ctrl+I",
            "download",
            "Make a data set of a file of interactions: columns, k-core, titles",
        )
    )
    add(
        ActionSpec(
            "file.sample",
            "Open the &sample",
            lambda: window.open_dataset(SAMPLE),
            "&File",
            icon="dataset",
            tip="Open the bundled sample shop",
            enabled=lambda: session.dataset != SAMPLE or window.current_page != "dataset",
        )
    )
    add(
        ActionSpec(
            "file.workspace",
            "Open &workspace…",
            window.choose_workspace,
            "&File",
            icon="folder",
            tip="Open a folder with runs and their store, or a new one, in a window of its own",
        )
    )
    add(ActionSpec("file.quit", "&Quit", lambda: _later(window), "&File", "Ctrl+Q", "close", separator_before=True))
    for number, page in enumerate(window.pages.values(), 1):
        add(_page_row(window, page, number))
    for page in window.pages.values():
        for command in page.commands:
            add(_command_row(window, page, command))
    _fill_view(window)
    _fill_help(window)


def _fill_help(window: MainWindow) -> None:
    add = window.table.add
    add(
        ActionSpec(
            "help.palette",
            "Search &commands…",
            window.palette_popup.open,
            "&Help",
            "Ctrl+Shift+P",
            "search",
            "Find any command by its name",
        )
    )
    add(ActionSpec("help.shortcuts", "&Keyboard shortcuts", window.show_shortcuts, "&Help", "?", "keyboard"))
    add(ActionSpec("help.field", "&Explain what has the focus", window.show_help, "&Help", "F1", "help"))
    add(
        ActionSpec(
            "help.about",
            "&About, and how to cite",
            lambda: _show_about(window),
            "&Help",
            icon="info",
            tip="Versions, and BibTeX of the paper and of this program",
            separator_before=True,
        )
    )


def _show_about(window: MainWindow) -> None:
    from workbench.shell.about import AboutDialog  # the window opens without reading what is installed

    AboutDialog(window).open()


def _later(window: MainWindow) -> None:
    window.close()


def _page_row(window: MainWindow, page: Page, number: int) -> ActionSpec:
    return ActionSpec(
        f"page.{page.id}",
        page.title,
        lambda: window.show_page(page.id),
        "&Go",
        key_of(number),
        page.icon,
        page.tip,
    )


def _command_row(window: MainWindow, page: Page, command: PageCommand) -> ActionSpec:
    def call() -> None:
        if window.current_page != page.id:
            window.show_page(page.id)
        command.call(window.page_widget(page.id))

    def is_enabled() -> bool:
        widget = window.built_page(page.id)
        # A page not yet made has nothing selected and nothing running: whatever asks for a state is not possible.
        return not command.enabled or (widget is not None and bool(attrgetter(command.enabled)(widget)()))

    return ActionSpec(
        f"{page.id}.{command.id}",
        command.text,
        call,
        f"{page.title}/{command.menu}" if command.menu else page.title,
        command.shortcut,
        command.icon,
        enabled=is_enabled,
        is_global=False,
    )


def _is_choice(theme: Theme, choice: Choice) -> bool:
    return theme.choice == choice


def _is_open(window: MainWindow, dock: str) -> bool:
    return not window.docks[dock].isHidden()


def _fill_view(window: MainWindow) -> None:
    add, theme = window.table.add, window.context.theme

    def choose(choice: Choice) -> Callable[[], None]:
        def apply() -> None:
            window.context.settings.write("look/theme", choice)
            theme.choose(choice)

        return apply

    choices: tuple[tuple[Choice, str, str], ...] = (
        ("system", "As the &system", "device"),
        ("light", "&Light", "sun"),
        ("dark", "&Dark", "moon"),
    )
    for choice, text, icon in choices:
        add(
            ActionSpec(
                f"view.theme.{choice}",
                text,
                choose(choice),
                "&View/&Theme",
                icon=icon,
                checked=partial(_is_choice, theme, choice),
                group="theme",
            )
        )
    for name, text, shortcut in (
        ("queue", "&Queue", ""),
        ("log", "&Log", "L"),
        ("notifications", "&Notifications", ""),
    ):
        add(
            ActionSpec(
                f"view.dock.{name}",
                text,
                partial(window.toggle_dock, name),
                "&View",
                shortcut,
                {"notifications": "bell"}.get(name, name),
                f"Show or hide the {name}",
                checked=partial(_is_open, window, name),
                separator_before=name == "queue",
            )
        )
    add(
        ActionSpec(
            "view.filter", "&Find on this page", window.focus_filter, "&View", "Ctrl+F", "search", separator_before=True
        )
    )
    add(ActionSpec("view.reset", "&Reset layout", window.reset_layout, "&View", icon="reload"))
