"""The correlations of one training: which similarity speaks in which epoch (Algorithm 1, lines 2–5)."""

from __future__ import annotations

from typing import Literal, Protocol

from torch import Tensor

from engine import registry
from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.errors import UsageError
from engine.similarity.table import NeighbourTable

Phase = Literal["memory", "model", "hybrid"]


class Correlations(Protocol):
    """What a similarity offers to the trainer. Making it computes what depends on no parameter, once."""

    def __init__(self, config: ExperimentConfig, split: LeaveOneOut, item_count: int) -> None: ...

    def name_at(self, epoch: int) -> Phase:
        """What correlates items in this zero-based epoch."""
        ...

    def at_epoch(self, epoch: int, item_table: Tensor | None) -> NeighbourTable:
        """The table of this zero-based epoch, on the device of ``item_table``.

        ``item_table`` float [items + 2, d] are the item embeddings at the epoch's start (FACTS F16); None is enough
        where ``name_at`` says memory, and gives a table on the host. Raises ``UsageError`` where it is not enough.
        """
        ...


def correlations(config: ExperimentConfig, split: LeaveOneOut, item_count: int) -> Correlations:
    """The similarity that ``config.similarity.name`` names, ready for its first epoch."""
    made: Correlations = registry.entry("similarity", config.similarity.name).load()(config, split, item_count)
    return made


def embeddings_needed() -> UsageError:
    """What to say when model-based correlation is asked for before there is a model."""
    return UsageError(
        "Model-based correlation needs a trained model's item embeddings.",
        "Choose the memory-based similarity (item_cf), or train first.",
    )
