"""A choice among the stored runs of the open data set that have weights."""

from __future__ import annotations

import os
from functools import cache

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox

from engine.paths import BEST_WEIGHTS
from engine.records import DatasetSummary, RunRecord
from workbench.context import SAMPLE, Context
from workbench.widgets.cards import label


@cache
def _place(path: str) -> str:
    """One spelling for every path to a file."""
    return path if path == SAMPLE else os.path.realpath(path)


def so_far(record: RunRecord) -> str:
    """What a list adds to a run that trains: its weights are those of its best epoch until now, and will change."""
    if record.status.is_end or record.best_epoch is None:
        return ""
    return f" · {record.status.value}, best so far: epoch {record.best_epoch + 1}"


class RunChoice(QComboBox):
    """``checkpoint`` is the best weights of the chosen run; empty where there is none."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._asked = ""
        self._fingerprint = ""
        """Of the open data set, once the engine has told it; a copy of the file has the same."""
        self.setAccessibleName("Trained run")
        self.setToolTip("A stored run of this data set whose best epoch's weights are kept")
        self.setMinimumWidth(180)
        self.caption = label("Run", "muted")
        self.caption.setBuddy(self)
        context.runs.records_changed.connect(self.fill)
        context.runs.loaded_changed.connect(self.fill)
        context.session.dataset_changed.connect(self._dataset_changed)
        self.fill()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def _dataset_changed(self, *_: object) -> None:
        self._asked = self._fingerprint = ""
        self._context.forget((id(self), "fingerprint"))
        self.fill()
        if self.isVisible():
            self._ask()

    def _ask(self) -> None:
        path = self._context.session.dataset
        if self._asked == path:
            return
        self._asked = path
        self._context.run_in_engine(
            self._context.workspace.datasets.summary,
            path,
            on_result=self._told,
            on_error=lambda _error: None,  # the page says it; the path still tells the runs
            key=(id(self), "fingerprint"),
        )

    def _told(self, summary: DatasetSummary) -> None:
        self._fingerprint = summary.fingerprint
        self.fill()

    def _is_of_this_data(self, record: RunRecord) -> bool:
        if self._fingerprint:
            return record.fingerprint == self._fingerprint
        path = str(record.config.get("data", {}).get("path", ""))
        return _place(path) == _place(self._context.session.dataset)

    @property
    def checkpoint(self) -> str:
        return str(self.currentData() or "")

    def fill(self, *_: object) -> None:
        """List the runs again; the chosen one stays chosen."""
        before = self.checkpoint
        with QSignalBlocker(self):
            self.clear()
            for record in self._context.runs.records:
                if record.best_epoch is not None and self._is_of_this_data(record):
                    self.addItem(
                        f"{record.name} · {record.id[:6]}{so_far(record)}", str(record.directory / BEST_WEIGHTS)
                    )
            if not self.count():
                self.addItem("no trained run of this data set", "")
            self.setCurrentIndex(max(self.findData(before), 0))
        self.setEnabled(bool(self.checkpoint))
        if self.checkpoint != before:  # a run in training tells of itself every second
            self.currentIndexChanged.emit(self.currentIndex())
