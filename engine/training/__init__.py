"""Training: `train` is the entry point. Importing this package imports no torch; calling it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.config import ExperimentConfig
from engine.records import TrainingResult
from engine.training.listening import Listener

if TYPE_CHECKING:
    from engine.data.dataset import Dataset

__all__ = ["train"]


def train(
    config: ExperimentConfig, dataset: Dataset, *, listener: Listener, directory: Path, resume: bool = False
) -> TrainingResult:
    """Train as ``config`` says and test the best epoch's weights. See `engine.training.trainer`.

    Writes ``directory/checkpoint.pt`` before the first epoch and at every epoch's end, and ``directory/best.pt``. With
    ``resume``, continues from the last finished epoch of the checkpoint there, if there is one; on the CPU, bit for
    bit.

    Raises ``ConfigurationError`` (no such device), ``DataError`` (nothing to train on), ``OutOfMemoryError``,
    ``RunError`` (diverged; a checkpoint of another run; a full disk).
    """
    from engine.training.trainer import Trainer

    return Trainer(config, dataset, listener=listener, directory=directory).run(resume=resume)
