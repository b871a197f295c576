"""Stored runs that have weights of a data set, and the file that a run or a path means. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.paths import BEST_WEIGHTS, CHECKPOINT
from engine.records import StoredWeights, UsedWeights

if TYPE_CHECKING:
    from engine.api.runs import Runs


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights that is meant. ``source`` is the id of its run or its path, ``status`` that run's state."""

    path: Path
    source: str
    status: str = ""

    def used(self, epoch: int | None, is_best: bool | None) -> UsedWeights:
        """What an answer says of them. ``epoch`` counts from 1."""
        return UsedWeights(self.source, epoch, is_best, self.status)


def weights_in(directory: Path) -> Path | None:
    """The weights of a run: its best epoch's, or those of its last checkpoint; None where it has none yet."""
    return next((path for path in (directory / BEST_WEIGHTS, directory / CHECKPOINT) if path.is_file()), None)


def with_weights(runs: Runs, path: str) -> tuple[StoredWeights, ...]:
    """Runs of the data in ``path`` (by fingerprint: of a copy too) that have weights, newest first.

    Raises ``DataError`` and ``UsageError`` for a file that cannot be read, ``StoreError``.
    """
    from engine.data.dataset import load

    fingerprint = load(path).fingerprint
    found = []
    for record in runs.all():
        file = weights_in(record.directory) if record.fingerprint == fingerprint else None
        if file is not None:
            # A last checkpoint holds the best epoch's weights too, once there is one.
            found.append(StoredWeights(record, file, file.name == BEST_WEIGHTS or record.best_epoch is not None))
    return tuple(found)


def meant(runs: Runs | None, run: str, checkpoint: str) -> WeightsFile | None:
    """The file of weights of ``run`` or at ``checkpoint``; None where neither is named.

    Raises ``UsageError`` where both are, for an unknown run, and for one that has no weights yet.
    """
    if run and checkpoint:
        raise UsageError("A run and a file of weights are two models.", "Name one of them.")
    if checkpoint:
        return WeightsFile(Path(checkpoint).expanduser().absolute(), checkpoint)
    if not run:
        return None
    if runs is None:
        raise UsageError("There is no workspace to look for a run in.", "Name a file of weights.")
    record = runs.get(run)
    found = weights_in(record.directory)
    if found is None:
        raise UsageError(f"Run {record.id} has no weights yet.", "Let it finish an epoch, or choose another run.")
    return WeightsFile(found, record.id, record.status.value)
