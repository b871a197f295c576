"""The dialog of every export."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from workbench.widgets.save_dialog import ask_where

KINDS = "Figure as PDF (*.pdf);;Table as LaTeX (*.tex)"


def test_a_name_without_a_suffix_gets_that_of_the_chosen_kind(qtbot: QtBot, tmp_path: Path) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    chosen: list[str] = []
    dialog = ask_where(parent, "Export", "bars.pdf", KINDS, chosen.append)
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    assert dialog.defaultSuffix() == "pdf"
    dialog.filterSelected.emit(dialog.nameFilters()[1])
    assert dialog.defaultSuffix() == "tex"
    name = dialog.findChild(QLineEdit)
    assert name is not None
    name.setText(str(tmp_path / "table"))
    with qtbot.waitSignal(dialog.fileSelected):
        dialog.accept()
    assert chosen == [str(tmp_path / "table.tex")]
    again = ask_where(parent, "Export", "curves.svg", KINDS, chosen.append)
    assert again.directory().path() == str(tmp_path), "one goes on where one wrote last"
    assert again.selectedFiles() == [str(tmp_path / "curves.svg")]
