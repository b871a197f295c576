"""Runs as files, from the window: bundles, lists and embeddings. The helper process reads and writes, dialogs that do
not block ask where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.records import RunRecord
from workbench.context import Context
from workbench.widgets.save_dialog import ask_where

_DELETE = Qt.WidgetAttribute.WA_DeleteOnClose
KIND = "Bundles of a run (*.zip)"
LISTS, VECTORS = "CSV (*.csv);;Parquet (*.parquet)", "NumPy (*.npz);;CSV (*.csv);;Parquet (*.parquet)"


class RunTravel(QObject):
    """``selected`` gives the runs that are meant; ``arrived`` with the id of one that was taken in."""

    arrived = Signal(str)

    def __init__(self, context: Context, page: QWidget, selected: Callable[[], Sequence[RunRecord]]) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._selected = selected

    def can_write(self) -> bool:
        """Whether one run that has ended is selected."""
        chosen = self._selected()
        return len(chosen) == 1 and chosen[0].status.is_end

    def write_bundle(self) -> QFileDialog | None:
        """Ask for a file, and write the selected run with its data into it."""
        return self._ask("Write the run as a bundle", "run-{}.zip", KIND, self._context.workspace.bundles.write)

    def write_lists(self) -> QFileDialog | None:
        """Ask for a file, and write what the selected run recommends to every user."""
        write = self._context.workspace.recommendations.write_all
        return self._ask("Write the top 20 of every user", "lists-{}.csv", LISTS, write)

    def write_embeddings(self) -> QFileDialog | None:
        """Ask for a file, and write the selected run's item embeddings."""
        write = self._context.workspace.recommendations.write_embeddings
        return self._ask("Write the item embeddings", "items-{}.npz", VECTORS, write)

    def _ask(self, title: str, name: str, kinds: str, write: Callable[..., Any]) -> QFileDialog | None:
        if not self.can_write():
            return None
        run_id = self._selected()[0].id
        return ask_where(
            self._page.window(), title, name.format(run_id), kinds, lambda file: self._write(write, run_id, file)
        )

    def _write(self, write: Callable[..., Any], run_id: str, file: str) -> None:
        notifier = self._context.notifier
        notifier.tell(f"Writing {Path(file).name} of run {run_id} …")
        self._context.run_in_engine(
            write, run_id, Path(file), on_result=lambda _: notifier.tell(f"Wrote {file}.", level="good")
        )

    def take_in(self) -> QFileDialog:
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
