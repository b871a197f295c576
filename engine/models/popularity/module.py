"""PopRec: every user gets the items ranked by how often all users chose them (FACTS B1, F21)."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut


def popularity_counts(split: LeaveOneOut, item_count: int, everything: bool = False) -> NDArray[np.float64]:
    """Actions per item, float64 [item_count + 2]; an item that a user chose twice counts twice.

    Counted are the training parts (``items[:-2]``, and the whole sequence of users too short to hold anything out), or,
    with ``everything``, the held-out items too, as the paper's PopRec column does (FACTS F21).
    """
    counted = split.sequences if everything else split.correlation_sequences("training")
    return np.bincount(counted.items, minlength=item_count + 2).astype(np.float64)


class Popularity(nn.Module):
    """Scores of an item: its count, the same for every user. Has nothing to train."""

    counts: Tensor

    def __init__(self, counts: NDArray[np.float64]) -> None:
        super().__init__()
        # float32, because not every device has float64: counts are exact, and ties are ties, up to 2²⁴ actions an item.
        self.register_buffer("counts", torch.from_numpy(counts.astype(np.float32)))

    @classmethod
    def from_config(cls, config: ExperimentConfig, item_count: int, split: LeaveOneOut) -> Self:
        """Count as ``model.count_everything`` says."""
        return cls(popularity_counts(split, item_count, bool(getattr(config.model, "count_everything", False))))

    def queries(self, items: Tensor, offsets: Tensor) -> Tensor:  # noqa: ARG002 - the same whatever a user has chosen
        """A 1 for each user: an item's score is its count. [B, 1]"""
        return self.counts.new_ones(offsets.numel() - 1, 1)

    def output_table(self) -> Tensor:
        """The counts, [item_count + 2, 1]."""
        return self.counts.unsqueeze(1)
