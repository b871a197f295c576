"""Asking for a file to write, without blocking the window: one dialog for every export."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QFileInfo, Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_where(parent: QWidget, title: str, name: str, kinds: str, then: Callable[[str], object]) -> QFileDialog:
    """Offer ``name``, and call ``then`` with the chosen path.

    ``kinds`` are Qt's filters, ``Table as CSV (*.csv);;Figure as PDF (*.pdf)``; a path without a suffix gets that of
    the chosen kind.
    """
    dialog = QFileDialog(parent, title, "", kinds)  # no folder: Qt goes on from the one that was chosen last
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    dialog.setDefaultSuffix(_suffix(kinds.partition(";;")[0]))
    dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(_suffix(kind)))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    # A folder that was typed, too, is the one to go on from.
    dialog.fileSelected.connect(lambda path: dialog.setDirectory(QFileInfo(path).path()))
    dialog.fileSelected.connect(then)
    dialog.open()
    return dialog


def _suffix(kind: str) -> str:
    """``Figure as PDF (*.pdf)`` → ``pdf``."""
    return kind.partition("*.")[2].rstrip(")")
