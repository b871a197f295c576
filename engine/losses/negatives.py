"""Uniform negatives that a user's own items are never among (Eq. 3: v_j ∉ s_u; FACTS F7): one a request, several, or
some that a whole batch shares."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.errors import DataError


class NegativeSampler:
    """One uniform item per request, exactly uniform over the items that the user's set does not hold.

    The k-th allowed item of a user is found directly, without drawing again: with the user's excluded items sorted,
    e_0 < e_1 < …, the k-th allowed one (from 0) is k plus the number of i with e_i − i ≤ k. The values e_i − i of all
    users form one sorted array, so that a batch is a single binary search, and no step waits for a rejected draw.
    """

    def __init__(
        self, excluded: Sequences, item_count: int, *, draw_mask: bool = False, device: torch.device | str = "cpu"
    ) -> None:
        """``excluded``: what is never drawn for a user, row by row. ``draw_mask``: item I + 1 can be drawn too.

        Raises ``DataError`` when a user's items leave nothing to draw.
        """
        candidates = item_count + int(draw_mask)
        self._stride = candidates + 1
        held = excluded.distinct()
        users, begins, counts = held.owners, held.offsets[:-1], held.lengths
        if counts.max(initial=0) >= candidates:
            raise DataError(
                f"user number {int(counts.argmax()) + 1} has all {item_count:,} items: no negative can be drawn.",
                "Leave that user out, or use a data set with more items.",
            )
        place = np.arange(len(users)) - begins[users]  # i
        shifted = users * self._stride + held.items - 1 - place  # u · stride + (e_i − i)
        self._shifted = torch.from_numpy(shifted).to(device)
        self._held = torch.from_numpy(users * self._stride + held.items).to(device)
        self._candidates = candidates
        self._begins = torch.from_numpy(begins).to(device)
        self._allowed = torch.from_numpy(candidates - counts).to(device)

    @classmethod
    def from_config(cls, config: ExperimentConfig, split: LeaveOneOut, item_count: int, device: torch.device) -> Self:
        """The sampler whose two switches stand as ``config.fidelity`` says (FACTS F7)."""
        fidelity = config.fidelity
        excluded = split.whole if fidelity.negatives_exclude == "whole" else split.training_part
        return cls(excluded, item_count, draw_mask=fidelity.negatives_draw_mask, device=device)

    def several(self, users: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        """``count`` negatives for each of ``users`` (int64 [T]), drawn one by one, so that an item may come twice
        → item ids int64 [T, count]."""
        return self(users.unsqueeze(1).expand(-1, count), generator)

    def shared(self, users: Tensor, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """``count`` items for all of ``users`` (int64 [T]) together → item ids int64 [count], uniform over all items,
        and bool [T, count]: whether the item is a negative of that user, not one of the user's own."""
        items = torch.randint(1, self._candidates + 1, (count,), generator=generator, device=users.device)
        wanted = users.unsqueeze(1) * self._stride + items
        place = torch.searchsorted(self._held, wanted).clamp_(max=max(len(self._held) - 1, 0))
        is_held = self._held[place] == wanted if len(self._held) else torch.zeros_like(wanted, dtype=torch.bool)
        return items, ~is_held

    def __call__(self, users: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One negative for each of ``users`` (int64, rows of ``excluded``) → item ids int64 of the same shape."""
        allowed = self._allowed[users]
        uniform = torch.rand(users.shape, generator=generator, device=users.device, dtype=_wide(users.device))
        kth = torch.minimum((uniform * allowed).long(), allowed - 1)
        before = torch.searchsorted(self._shifted, users * self._stride + kth, right=True) - self._begins[users]
        return kth + before + 1


def _wide(device: torch.device) -> torch.dtype:
    """The widest float of the device: Apple's GPUs have no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
