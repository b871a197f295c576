"""Item embeddings of stored weights, and their neighbours by Eq. 10. Imports torch: only for what runs in the engine.

Both are kept in memory by the file's time of change and size, so that walking from item to item computes nothing anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from torch import Tensor

from engine.data.dataset import Dataset
from engine.errors import UsageError
from engine.similarity.embedding.products import ModelNeighbours, embedding_neighbours
from engine.training.checkpoint import read_weights

NAMES = ("item_embedding.weight", "item_embeddings.weight")
"""What the item table is called: in our files, and in the authors' (FACTS F20)."""


@dataclass(frozen=True, eq=False)
class ItemTable:
    """``values`` float [items + 2, d]; ``config`` the run's configuration as JSON, empty for bare weights; ``epoch``
    that of the weights, from 1; ``is_best`` whether it is the best one until now."""

    values: Tensor
    config: str
    fingerprint: str
    epoch: int | None
    is_best: bool | None


def item_table(path: Path, dataset: Dataset) -> ItemTable:
    """The item embeddings that a file holds, for this data set.

    Raises ``UsageError`` when it cannot be read, holds no item embeddings or is of other data.
    """
    found = _read(path, _stamp(path))
    if found.fingerprint not in ("", dataset.fingerprint):
        raise UsageError(
            f"The weights in {path} were trained on other data than {dataset.path} holds.",
            "Choose a run of this data set.",
        )
    if len(found.values) != dataset.rows:
        raise UsageError(
            f"The weights in {path} are of {len(found.values) - 2:,} items, and {dataset.name} has "
            f"{dataset.item_count:,}.",
            "Choose weights that were trained on this data set.",
        )
    return found


def model_neighbours(table: ItemTable, candidates: Literal["items", "all_rows"], k: int) -> ModelNeighbours:
    """The ``k`` best of every item by Eq. 10, as the trainer computes them."""
    return _neighbours(table, candidates, k)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0  # reading it says what is wrong
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _read(path: Path, _stamp: tuple[int, int]) -> ItemTable:
    weights = read_weights(path)
    values = next((weights.values[name] for name in NAMES if name in weights.values), None)
    if values is None or values.dim() != 2:
        raise UsageError(
            f"{path} holds no item embeddings.", "Choose a run of a model that has them, such as SASRec or CoSeRec."
        )
    return ItemTable(
        values.detach().float(), weights.config, weights.fingerprint, weights.epoch_from_1, weights.is_best
    )


@lru_cache(maxsize=4)
def _neighbours(table: ItemTable, candidates: Literal["items", "all_rows"], k: int) -> ModelNeighbours:
    return embedding_neighbours(table.values, k, candidates)
