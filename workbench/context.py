"""What every page is given: the engine's door, the open data set and configuration, ways to work off the GUI thread.

A page knows nothing of the main window and of no other page. It reads and changes the `Session`, asks the session to
open another page, and hands its work to `run_in_engine` (computation) or `run_in_thread` (waiting).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.api import Workspace
from engine.config import ExperimentConfig, preset, presets
from engine.errors import UsageError
from workbench.engine_process import EngineProcess, Errands, OnError, OnResult, Task
from workbench.notifications import Notifier
from workbench.paces import Paces
from workbench.run_book import RunBook
from workbench.run_control import RunControl
from workbench.settings import Settings
from workbench.theme import Theme

SAMPLE = "sample"
RECENT = 8


def resolved(path: str) -> str:
    """The same data set by its full name: without ``..``, ``~`` or links, and wherever the window was started from."""
    return path if path in ("", SAMPLE) else str(Path(path).expanduser().resolve())


class Session(QObject):
    """What is open: a configuration, its data set (``data.path``), and the preset it started from."""

    dataset_changed = Signal(str)
    config_changed = Signal(object)
    """Carries the new `ExperimentConfig`."""
    import_requested = Signal(str)
    """A file that has to be imported before it can be opened."""
    page_requested = Signal(str, object)
    """Page id and a dict of state for its ``open_state``."""

    def __init__(self, settings: Settings, dataset: str = "") -> None:
        super().__init__()
        self._settings = settings
        known = {item.name for item in presets()}
        wanted = settings.read("session/preset", str, SAMPLE)
        self.preset = wanted if wanted in known else next(iter(sorted(known)), "")
        base = preset(self.preset).config if self.preset else ExperimentConfig()
        path = resolved(dataset) or settings.read("session/dataset", str, SAMPLE)
        self.config: ExperimentConfig = base.replace({"data.path": path})
        if dataset:
            self._remember(path)

    @property
    def dataset(self) -> str:
        """Path of the open data set, or ``sample``."""
        return str(self.config.data.path)

    @property
    def dataset_name(self) -> str:
        """Short name for titles and the status bar."""
        return "Sample shop" if self.dataset == SAMPLE else Path(self.dataset).name

    @property
    def recent_datasets(self) -> list[str]:
        """Data sets opened lately, newest first."""
        stored = self._settings.read("recent/datasets", list, [])
        return [item for item in stored if isinstance(item, str)]

    def open_dataset(self, path: str) -> None:
        """Make ``path`` the open data set. Nothing is read here: each page loads what it shows."""
        path = resolved(path)
        self.set_config(self.config.replace({"data.path": path}))
        self._remember(path)

    def _remember(self, path: str) -> None:
        recent = [path, *(item for item in self.recent_datasets if item != path)]
        self._settings.write("recent/datasets", recent[:RECENT])

    def set_config(self, config: ExperimentConfig, preset: str | None = None) -> None:
        """Replace the configuration; ``preset`` names where it started from (None: unchanged)."""
        before, self.config = self.config, config
        if preset is not None:
            self.preset = preset
            self._settings.write("session/preset", preset)
        if config.data.path != before.data.path:
            self._settings.write("session/dataset", self.dataset)
            self.dataset_changed.emit(self.dataset)
        if config != before or preset is not None:
            self.config_changed.emit(config)

    def change(self, values: dict[str, Any]) -> None:
        """``{"augment.crop_rate": 0.3}``: change settings. Raises ``ConfigurationError`` at the field."""
        self.set_config(self.config.replace(values))

    def open_page(self, page: str, **state: Any) -> None:
        """Show another page, handing it ``state``."""
        self.page_requested.emit(page, state)


@dataclass
class Context:
    """Handed to every page."""

    workspace: Workspace
    settings: Settings
    notifier: Notifier
    theme: Theme
    session: Session
    engine: EngineProcess | Errands
    errands: Errands
    runs: RunBook
    """What the store says about all runs, kept up to date; signals on change."""
    control: RunControl
    """Submit, stop, resume, cancel; never waits."""
    paces: Paces
    """How long epochs of finished runs took."""

    def run_in_engine(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        on_result: OnResult,
        on_error: OnError | None = None,
        key: object = None,
        **keywords: Any,
    ) -> Task:
        """Compute in the warm engine process, e.g. ``run_in_engine(workspace.datasets.summary, path, on_result=…)``.

        The callbacks run on the GUI thread. Without ``on_error`` an error becomes a notification. ``key``: a newer task
        with the same key makes the older one's answer void. The returned task has ``cancel()``.
        """
        return self.engine.run(function, *arguments, on_result=on_result, on_error=on_error, key=key, **keywords)

    def forget(self, *keys: object) -> None:
        """Answers of tasks with these keys arrive no more: what asked for them shows something else now."""
        for key in keys:
            self.engine.forget(key)

    def run_in_thread(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
        key: object = None,
        **keywords: Any,
    ) -> Task:
        """Wait for the disk or the store in a thread; for short things that do not compute."""
        return self.errands.run(function, *arguments, on_result=on_result, on_error=on_error, key=key, **keywords)

    def open_file(self, path: str) -> None:
        """Open a file that the user has named: at once, or by way of the import dialog where it needs one."""
        path = resolved(path)

        def open_it(needs_import: bool) -> None:
            if needs_import:
                self.session.import_requested.emit(path)
            else:
                self.session.open_dataset(path)
                self.session.open_page("dataset")

        if path == SAMPLE:
            open_it(False)
        else:
            self.run_in_thread(self._needs_import, path, on_result=open_it, key="open-file")

    def _needs_import(self, path: str) -> bool:
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder.", "Open or drop a data file inside it.")
        return self.workspace.imports.needs_import(path)

    def open_dropped(self, paths: Sequence[str]) -> None:
        """Open the first of the files that were dropped, and tell where the others have gone."""
        if len(paths) > 1:
            others = ", ".join(Path(path).name for path in paths[1:4]) + (" …" if len(paths) > 4 else "")
            self.notifier.tell(
                f"{len(paths)} files were dropped; one is opened: {Path(paths[0]).name}.",
                hint=f"A data set is one file. Left alone: {others}. A file of item titles is chosen in the import.",
                level="warning",
            )
        self.open_file(paths[0])

    def close(self) -> None:
        """End the engine process and the errands."""
        self.engine.close()
        self.errands.close()


def make_context(
    workspace: Workspace, theme: Theme, dataset: str = "", engine: EngineProcess | Errands | None = None
) -> Context:
    """A context on a workspace. Tests pass `Errands` as ``engine``: the same interface, without a process."""
    settings, notifier, errands = Settings(), Notifier(), Errands()
    worker = engine or EngineProcess()
    worker.failed.connect(notifier.report)
    errands.failed.connect(notifier.report)
    return Context(
        workspace=workspace,
        settings=settings,
        notifier=notifier,
        theme=theme,
        session=Session(settings, dataset),
        engine=worker,
        errands=errands,
        runs=RunBook(),
        control=RunControl(workspace.runs, worker, errands, notifier),
        paces=Paces(workspace.runs, errands),
    )
