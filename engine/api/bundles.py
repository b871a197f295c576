"""Runs that travel: one file with everything, to be taken in on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.records import RunRecord

if TYPE_CHECKING:
    from engine.api.runs import Runs


class Bundles:
    """Facade over ``engine.runs.bundle``. Reads and writes large files: never on the GUI thread."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def write(self, run_id: str, destination: Path, *, with_data: bool = True) -> Path:
        """Write a run that has ended, with its rows, weights, ranks, log and data.

        Raises ``UsageError`` for an unknown run, ``RunError`` when it has not ended, its data have changed, or the file
        cannot be written.
        """
        from engine.runs.bundle import write_bundle

        return write_bundle(self._runs.store, self._runs.get(run_id), Path(destination), with_data=with_data)

    def read(self, path: Path) -> RunRecord:
        """Take a bundle's run into this workspace. Raises ``RunError``; then nothing is left behind."""
        from engine.runs.bundle import read_bundle

        return read_bundle(self._runs.store, Path(path))
