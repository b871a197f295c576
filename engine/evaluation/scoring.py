"""A model as a scorer of evaluated users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data.sequences import Sequences


class Recommender(Protocol):
    """What can be evaluated."""

    @property
    def scores(self) -> Callable[..., Tensor]:
        """items int64 [A] on the model's device, offsets int64 [B + 1] on the host → scores [B, item_count + 2]; a
        model that knows its users takes their numbers, int64 [B] on its device, as a third argument."""
        ...

    def eval(self) -> object: ...

    def train(self, mode: bool = True) -> object: ...


class ModelScorer:
    """Scores of a model for rows of ``inputs`` [E], of which it looks at the last ``longest`` items each."""

    def __init__(
        self,
        model: Recommender,
        inputs: Sequences,
        longest: int,
        device: torch.device | str = "cpu",
        users: NDArray[np.int64] | None = None,
    ) -> None:
        """``users`` [E]: which training user each row is, for a model that knows them."""
        self._model = model
        recent = inputs.tail(longest)
        self._recent = recent
        self._items = torch.from_numpy(recent.items.astype(np.int64)).to(device)
        self._users = None if users is None else torch.from_numpy(users).to(device)

    def __call__(self, rows: NDArray[np.int64]) -> Tensor:
        """Users (rows of ``inputs``, ascending and without gaps) → scores [B, item_count + 2]."""
        begin, end = int(rows[0]), int(rows[-1]) + 1
        offsets = self._recent.offsets[begin : end + 1]
        items = self._items[int(offsets[0]) : int(offsets[-1])]
        self._model.eval()
        with torch.no_grad():
            known = () if self._users is None else (self._users[begin:end],)
            return self._model.scores(items, torch.from_numpy(offsets - offsets[0]), *known)
