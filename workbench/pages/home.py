"""Home: three steps for newcomers, what was open lately, a place to drop a file, and runs that ended badly."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QProcess, QTimer, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.records import ImportResult, RunStatus
from workbench.context import SAMPLE
from workbench.pages import Page, PageWidget
from workbench.theme import HUGE, TIGHT, WIDE, set_role
from workbench.widgets.cards import Card, clear, label, scrolled
from workbench.widgets.home_parts import STATUS, DropZone, RecentRow, RunRow, StepCard, ask_for_file

WORKSPACES = "recent/workspaces"
DATASETS = "recent/datasets"
FORGOTTEN = "recent/forgotten"
"""Imported data sets that somebody took off the list."""
SHOWN = 5
"""Rows of each list; the rest stands on the page that it belongs to."""


def missing(paths: Iterable[str]) -> set[str]:
    """Those of the paths that lead nowhere. Touches the disk: not on the GUI thread."""
    return {path for path in paths if path != SAMPLE and not Path(path).exists()}


class HomePage(PageWidget):
    """Rebuilt from the settings and the run book whenever it is shown or they change."""

    def make(self) -> Iterator[None]:
        context = self.context
        yield
        self.sample_button = QPushButton("Open sample")
        self.dataset_rows: list[RecentRow] = []
        self._imported: list[str] = []
        """Paths of the workspace's imported data sets: a command may have made them."""
        self.workspace_rows: list[RecentRow] = []
        self.run_rows: list[RunRow] = []
        self.drop = DropZone(context.theme)
        self.datasets = Card("Recent data sets")
        self.workspaces = Card("Workspaces", "A workspace is a folder with runs and their store.")
        self.runs = Card("Runs that ended before they were done")
        self._rows_of_runs: tuple[object, ...] | None = None
        self._arrange()
        self.sample_button.clicked.connect(lambda: self.open_dataset(SAMPLE))
        self.drop.dropped.connect(context.open_dropped)
        self.drop.asked.connect(self._ask_for_file)
        context.session.dataset_changed.connect(self._dataset_changed)
        for signal in (context.runs.records_changed, context.runs.loaded_changed, context.runs.trouble_changed):
            signal.connect(self._show_runs)
        self._remember_workspace()
        self._show_datasets()
        self._show_workspaces()
        self._show_runs()

    def _arrange(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(HUGE, WIDE + TIGHT, HUGE, HUGE)
        column.setSpacing(WIDE)
        texts = QVBoxLayout()
        texts.setSpacing(TIGHT // 2)
        texts.addWidget(label("CoSeRec Workbench", "page-title"))
        texts.addWidget(
            label(
                "Contrastive sequential recommendation: look at data, augment it, train, compare.",
                "muted",
            )
        )
        column.addLayout(texts)
        steps = QHBoxLayout()
        steps.setSpacing(WIDE)
        for card in self._steps():
            steps.addWidget(card, 1)
        column.addLayout(steps)
        column.addWidget(self.drop)
        grid = QGridLayout()
        grid.setSpacing(WIDE)
        grid.addWidget(self.runs, 0, 0, 1, 2)
        grid.addWidget(self.datasets, 1, 0)
        grid.addWidget(self.workspaces, 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(content))

    def _steps(self) -> list[StepCard]:
        session = self.context.session
        set_role(self.sample_button, "primary")
        self.sample_button.setToolTip("Open the bundled sample shop")

        def to_page(page: str, text: str) -> QPushButton:
            button = QPushButton(text)
            self.context.theme.follow_icon(button, page, "muted")
            button.clicked.connect(lambda: session.open_page(page))
            return button

        return [
            StepCard(
                1,
                "Open data",
                "The sample shop has 2,048 users with readable item titles, and trains on a CPU in under a minute. "
                "Your own file opens below.",
                [self.sample_button],
            ),
            StepCard(
                2,
                "Look at it",
                "How long the sequences are, which items go together, and what the operators make of one user.",
                [to_page("dataset", "Dataset"), to_page("neighbours", "Neighbours"), to_page("augment", "Augment")],
            ),
            StepCard(
                3,
                "Train and watch",
                "Pick a preset, press Queue, and watch the curves; test metrics stand beside the run when it is done.",
                [to_page("train", "Train"), to_page("runs", "Runs")],
            ),
        ]

    # --- data sets

    def page_shown(self) -> None:
        self._show_datasets()
        self._show_workspaces()
        self._show_runs()

    @Slot(str)
    def open_dataset(self, path: str) -> None:
        """Open a data set and look at it."""
        self.context.session.open_dataset(path)
        self._show_datasets()
        self.context.session.open_page("dataset")

    def _ask_for_file(self) -> None:
        dataset = self.context.session.dataset
        start = "" if dataset == SAMPLE else str(Path(dataset).parent)
        ask_for_file(self, start, self.context.open_file, self.context.workspace.datasets.suffixes)

    @Slot(str)
    def _dataset_changed(self, _path: str) -> None:
        # The page of the data set comes into sight now; this one is put right when it is shown again.
        QTimer.singleShot(0, self, self._show_datasets_in_sight)

    @Slot()
    def _show_datasets_in_sight(self) -> None:
        if self.isVisible():
            self._show_datasets()

    @Slot()
    def _show_datasets(self, *_: object) -> None:
        self._list_datasets()
        imports = self.context.workspace.imports
        self.context.run_in_thread(imports.all, on_result=self._take_imports, key=(id(self), "imports"))

    def _take_imports(self, found: Sequence[ImportResult]) -> None:
        paths = [item.path for item in found]
        if paths != self._imported:
            self._imported = paths
            self._list_datasets()

    def _list_datasets(self) -> None:
        """What was opened lately, and behind it what was imported and not opened yet."""
        clear(self.datasets.body)
        self.dataset_rows = []
        opened = self.context.session.recent_datasets
        passed_over = {*opened, *self.context.settings.read(FORGOTTEN, list, [])}
        paths = [*opened, *(path for path in self._imported if path not in passed_over)]
        for path in paths[:SHOWN]:
            name = "Sample shop" if path == SAMPLE else Path(path).name
            where = "bundled with the workbench" if path == SAMPLE else str(Path(path).parent)
            is_open = path == self.context.session.dataset
            note = "open" if is_open else "" if path in opened else "imported"
            row = RecentRow(self.context.theme, path, name, where, icon="dataset", note=note)
            row.opened.connect(self.open_dataset)
            row.forgotten.connect(self._forget_dataset)
            self.datasets.body.addWidget(row)
            self.dataset_rows.append(row)
        if not paths:
            self.datasets.body.addWidget(label("What you open stands here the next time.", "muted", wrap=True))
        self.datasets.body.addStretch(1)
        self._look_for([row.path for row in self.dataset_rows], "datasets")

    @Slot(str)
    def _forget_dataset(self, path: str) -> None:
        kept = [item for item in self.context.session.recent_datasets if item != path]
        self.context.settings.write(DATASETS, kept)
        if path in self._imported:
            self.context.settings.write(FORGOTTEN, [*self.context.settings.read(FORGOTTEN, list, []), path])
        self._show_datasets()

    def _look_for(self, paths: list[str], what: str) -> None:
        self.context.run_in_thread(missing, paths, on_result=self._mark_missing, key=(id(self), what))

    def _mark_missing(self, gone: set[str]) -> None:
        for row in (*self.dataset_rows, *self.workspace_rows):
            if row.path in gone:
                row.set_missing(True)

    # --- workspaces

    def _recent_workspaces(self) -> list[str]:
        return [item for item in self.context.settings.read(WORKSPACES, list, []) if isinstance(item, str)]

    def _remember_workspace(self) -> None:
        current = str(self.context.workspace.directory)
        recent = [current, *(item for item in self._recent_workspaces() if item != current)]
        self.context.settings.write(WORKSPACES, recent[:SHOWN])

    @Slot()
    def _show_workspaces(self) -> None:
        clear(self.workspaces.body)
        self.workspace_rows = []
        current = str(self.context.workspace.directory)
        for path in self._recent_workspaces():
            is_open = path == current
            row = RecentRow(
                self.context.theme,
                path,
                Path(path).name or path,
                str(Path(path).parent),
                icon="folder",
                note="open" if is_open else "",
            )
            row.button.setEnabled(not is_open)
            row.forget.setVisible(not is_open)
            row.button.setToolTip(path if is_open else f"Open {path} in a second window")
            row.opened.connect(self.open_workspace)
            row.forgotten.connect(self._forget_workspace)
            self.workspaces.body.addWidget(row)
            self.workspace_rows.append(row)
        self.workspaces.body.addStretch(1)
        # The open one is made when its first run is stored: that it is not there yet is nothing to worry about.
        self._look_for([row.path for row in self.workspace_rows if row.path != current], "workspaces")

    @Slot(str)
    def open_workspace(self, path: str) -> None:
        """Another workspace opens in a window of its own: this one may be training."""
        if Path(path) == self.context.workspace.directory:
            self.context.notifier.tell(f"{Path(path).name} is open in this window.")
            return
        root = str(Path(__file__).resolve().parents[2])
        started, _ = QProcess.startDetached(sys.executable, ["-m", "main", "--workspace", path], root)
        if started:
            self.context.notifier.tell(f"{Path(path).name} opens in a second window.")
        else:
            self.context.notifier.tell(
                "The second window could not be started.",
                level="error",
                hint=f"Start it from a terminal: coserec-workbench --workspace {path}",
            )

    @Slot(str)
    def _forget_workspace(self, path: str) -> None:
        self.context.settings.write(WORKSPACES, [item for item in self._recent_workspaces() if item != path])
        self._show_workspaces()

    # --- runs

    @Slot()
    def _show_runs(self, *_: object) -> None:
        book = self.context.runs
        records = book.with_status(*STATUS)
        key = (book.is_loaded, str(book.trouble), tuple((r.id, r.attempt, r.status, r.message) for r in records))
        if key == self._rows_of_runs:
            # The live feed speaks several times a second; rows that say the same stay, and keep their focus.
            return
        self._rows_of_runs = key
        clear(self.runs.body)
        self.run_rows = []
        self.runs.setVisible(bool(records) or book.trouble is not None)
        if book.trouble is not None:
            self.runs.body.addWidget(label(f"The store cannot be read: {book.trouble}", "note-bad", wrap=True))
        for record in records[:SHOWN]:
            row = RunRow(self.context.theme, record)
            row.resume_asked.connect(self._resume)
            row.shown.connect(lambda run_id: self.context.session.open_page("runs", run=run_id))
            self.runs.body.addWidget(row)
            self.run_rows.append(row)
        if len(records) > SHOWN:
            more = QPushButton(f"{len(records) - SHOWN:,} more in Runs")
            set_role(more, "link")
            more.clicked.connect(lambda: self.context.session.open_page("runs"))
            self.runs.body.addWidget(more)

    @Slot(str)
    def _resume(self, run_id: str) -> None:
        record = self.context.runs.get(run_id)
        if record is not None and record.status is not RunStatus.QUEUED:
            self.context.control.resume([record])


PAGE = Page(
    id="home",
    title="Home",
    icon="home",
    order=1,
    build=HomePage,
    tip="Open data, go on where you were",
)
