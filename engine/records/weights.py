"""Records of stored weights: which runs have some, and with whose an answer was computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.records import RunRecord


@dataclass(frozen=True)
class StoredWeights:
    """A run that has weights on the disk. ``is_best``: those of its best validated epoch until now; False: those of
    its last checkpoint, before the first validation."""

    run: RunRecord
    path: Path
    is_best: bool


@dataclass(frozen=True)
class UsedWeights:
    """The weights that an answer was computed with."""

    source: str
    """Id of the run, or path of the file."""
    epoch: int | None
    """Epoch after which the weights were these, from 1; None where the file does not say."""
    is_best: bool | None
    """Whether they are of the best validated epoch until now; None where the file does not say."""
    run_status: str = ""
    """State of the run when they were read: unless it is finished, its best epoch may still change. Empty for a file.
    """

    def words(self) -> str:
        """``run 2napjg, epoch 3, the best until now (running)``."""
        parts = [f"run {self.source}" if self.run_status else self.source]
        if self.epoch is not None:
            parts.append(f"epoch {self.epoch}")
        if self.is_best is not None:
            so_far = "" if self.run_status in ("", "finished") else " until now"
            parts.append(f"the best{so_far}" if self.is_best else "before the first validation")
        return ", ".join(parts) + (f" ({self.run_status})" if self.run_status else "")


HEADS = ("model", "model_epoch", "model_is_best", "model_run_status")
"""Columns of a table that say with which weights its rows were computed."""


def weights_cells(used: UsedWeights | None) -> tuple[str, int | str, str, str]:
    """What stands under `HEADS`; empty without a model, and where nothing is known."""
    if used is None:
        return "", "", "", ""
    best = {True: "yes", False: "no", None: ""}[used.is_best]
    return used.source, "" if used.epoch is None else used.epoch, best, used.run_status
