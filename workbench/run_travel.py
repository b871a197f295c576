"""Runs as bundles, from the window: the helper process writes and takes them in, dialogs that do not block ask."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.records import RunRecord
from workbench.context import Context
from workbench.widgets.save_dialog import ask_where

_DELETE = Qt.WidgetAttribute.WA_DeleteOnClose
KIND = "Bundles of a run (*.zip)"


class RunTravel(QObject):
    """``arrived`` with the id of a run that was taken in."""

    arrived = Signal(str)

    def __init__(self, context: Context, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._page = page

    def ask_where(self, record: RunRecord) -> QFileDialog:
        """Ask for a file, and write the run with its data into it."""
        name = f"run-{record.id}.zip"
        title = "Write the run as a bundle"
        return ask_where(self._page.window(), title, name, KIND, lambda file: self.write(record.id, file))

    def write(self, run_id: str, file: str) -> None:
        """Write the run to the file."""
        notifier = self._context.notifier
        notifier.tell(f"Writing run {run_id} to {Path(file).name} …")
        self._context.run_in_engine(
            self._context.workspace.bundles.write,
            run_id,
            Path(file),
            on_result=lambda path: notifier.tell(f"Wrote {path}.", level="good"),
        )

    def ask_which(self) -> QFileDialog:
        """Ask for a bundle, and take its run into the workspace."""
        dialog = QFileDialog(self._page.window(), "Take in a run", "", KIND)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(_DELETE)
        dialog.fileSelected.connect(self.read)
        dialog.open()
        return dialog

    def read(self, file: str) -> None:
        """Take the run of a bundle in."""
        self._context.run_in_engine(self._context.workspace.bundles.read, Path(file), on_result=self._arrived)

    def _arrived(self, record: RunRecord) -> None:
        self._context.notifier.tell(f"Took in run {record.id}, {self._context.runs.name(record)}.", level="good")
        self._context.control.changed.emit()
        self.arrived.emit(record.id)
