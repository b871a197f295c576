"""Starts the window. Everything heavy is imported inside: the helper process reads this file again when it starts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.main_window import MainWindow

DEMO_FOLDER = "demo-pictures"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coserec-workbench", description="A desktop workbench for sequential recommendation."
    )
    parser.add_argument("data", nargs="?", default="", help="data set to open, or 'sample'")
    parser.add_argument("--workspace", metavar="DIR", help="folder of the store and the runs")
    parser.add_argument("--reset-layout", action="store_true", help="forget the saved layout")
    parser.add_argument("--demo", metavar="DIR", help="walk through every page off-screen, a picture of each in DIR")
    return parser


def has_display() -> bool:
    """Whether a window can appear: on Linux that needs an X or Wayland display, or a platform chosen by name."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def has_pages() -> bool:
    """Whether every page's file is one; otherwise says on the terminal which is not, before anything is started."""
    from engine.errors import ConfigurationError
    from workbench.pages import pages

    try:
        pages()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return False
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Open the workbench, or walk the demo. Returns the exit code."""
    options = _parser().parse_args(argv)
    demo = options.demo
    if not has_display():
        demo = demo or DEMO_FOLDER
        print(f"There is no display here: walking through the workbench off-screen, pictures in {demo}.")
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif demo and "QT_QPA_PLATFORM" not in os.environ:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if demo:
        from workbench.demo import walk

        return walk(Path(demo), options.data or "sample", options.workspace) if has_pages() else 1
    return _open(options)


def _open(options: argparse.Namespace) -> int:
    from workbench.notifications import install_hooks, remove_hooks

    application = make_application()
    if not has_pages():
        return 1
    window = make_window(options.workspace, options.data, reset_layout=options.reset_layout)
    install_hooks(window.context.notifier)
    window.show()
    code = application.exec()
    window.backstage.wait()
    remove_hooks()
    return code


def make_application() -> Any:
    """The ``QApplication``, with names that settings and window managers use."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication

    from workbench.garbage import put_off

    put_off()  # until the pages are made, in `make_window`
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setApplicationName("coserec-workbench")
    QGuiApplication.setApplicationDisplayName("CoSeRec Workbench")
    QGuiApplication.setDesktopFileName("coserec-workbench")
    return application


def make_window(workspace: str | None, dataset: str = "", *, reset_layout: bool = False) -> MainWindow:
    """The main window on a workspace. What works behind it starts after its first paint."""
    from engine.api import Workspace
    from engine.errors import EngineError
    from workbench import garbage
    from workbench.context import make_context, resolved
    from workbench.main_window import MainWindow
    from workbench.settings import Settings
    from workbench.theme import Theme

    settings = Settings()
    if reset_layout:
        settings.forget("window")
        settings.forget("page")
        settings.save()
    choice = settings.read("look/theme", str, "system")
    theme = Theme(choice if choice in ("light", "dark") else "system")  # type: ignore[arg-type]
    theme.apply()
    opened = Workspace(workspace)
    try:
        needs_import = bool(dataset) and opened.imports.needs_import(dataset)
    except EngineError:  # two readers want the file: the pages say it, as they do of a file that cannot be read
        needs_import = False
    window = MainWindow(make_context(opened, theme, "" if needs_import else dataset))
    if needs_import:
        window.painted.connect(lambda: window.import_file(resolved(dataset)))
    window.painted.connect(window.backstage.start)
    window.painted.connect(lambda: window.maker.give_way_to(window.windowHandle()))
    # Not before the newest runs are there, or the store cannot be read: both are Python's work, and would take the
    # interpreter from each other.
    feed = window.backstage.feed
    for signal in (feed.arrived, feed.first_read, feed.trouble):
        signal.connect(window.maker.start)
    window.maker.done.connect(garbage.Collector(window).start)
    return window
