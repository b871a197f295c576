"""What each preset measured: files made from stored runs, read again, and as a table for a README."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import paths
from engine.errors import UsageError

if TYPE_CHECKING:
    from engine.api.runs import Runs
    from engine.reports.measured import MeasuredPreset


@dataclass(frozen=True)
class ResultsWritten:
    """Files that were written, and the runs that are in none, each with the reason."""

    files: tuple[Path, ...]
    runs: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def bundled() -> Path:
    """The folder of the results that come with the program."""
    return paths.resource("results")


@dataclass(frozen=True)
class ResultsFound:
    """What presets measured, and the runs that are no preset's results, each with the reason."""

    results: tuple[MeasuredPreset, ...]
    runs: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


class Results:
    """Facade over ``engine.runs.measured``. Imports no torch."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def write(self, folder: Path, run_ids: Sequence[str] = ()) -> ResultsWritten:
        """Write what the presets of the workspace's runs measured, or of these runs, into ``folder``.

        Files that are there keep the seeds that the workspace does not have. Raises as `of_runs` does, and
        ``UsageError`` for a file there that is no such one.
        """
        from engine.runs.measured import write

        found = self.of_runs(run_ids)
        return ResultsWritten(write(found.results, folder), found.runs, found.left_out)

    def of_runs(self, run_ids: Sequence[str] = ()) -> ResultsFound:
        """What the presets of the workspace's runs measured, or of these runs.

        A run counts if it has finished with its preset's settings, not ended by a time. Raises ``UsageError`` where
        none does.
        """
        from engine.reports.measured import in_order
        from engine.runs.measured import measured, why_not

        records = [self._runs.get(run_id) for run_id in run_ids] if run_ids else list(self._runs.all())
        reasons = [(record, why_not(record)) for record in records]
        kept = [record for record, reason in reasons if not reason]
        if not kept:
            reason = f"{reasons[0][0].id}: {reasons[0][1]}" if reasons else "there is none"
            raise UsageError(
                f"No run counts as a preset's result ({reason}).", "Train one: `coserec train --preset …`."
            )
        left_out = tuple((record.id, reason) for record, reason in reasons if reason)
        found = in_order(measured(kept, self._runs.epochs))
        return ResultsFound(found, tuple(record.id for record in kept), left_out)

    def read(self, folder: Path | None = None) -> tuple[MeasuredPreset, ...]:
        """All results of a folder (None: the bundled ones). Raises ``UsageError`` for a file that is wrong."""
        from engine.reports.measured import read

        place = folder or bundled()
        if folder is not None and not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", "`coserec results --out DIR` makes one.")
        return read(place)

    def markdown(self, found: Sequence[MeasuredPreset]) -> str:
        """A table a data set."""
        from engine.reports.measured import markdown

        return markdown(found)
