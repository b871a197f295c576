"""A model as a scorer of evaluated users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data.sequences import Sequences
from engine.modules.linear import arranged, even_rows, held_at_once, times_transposed


class Recommender(Protocol):
    """What can be evaluated: the score of an item is its row of the output table times the user's query."""

    @property
    def queries(self) -> Callable[..., Tensor]:
        """items int64 [A] on the model's device, offsets int64 [B + 1] on the host → [B, d]; a model that knows its
        users takes their numbers, int64 [B] on its device, as a third argument."""
        ...

    def output_table(self) -> Tensor:
        """Rows that score padding, the items and the mask, [item_count + 2, d]."""
        ...

    def eval(self) -> object: ...

    def train(self, mode: bool = True) -> object: ...


def users_at_once(users: int, candidates: int, device: torch.device) -> int:
    """How many of ``users`` encoded together are scored at a time against so many ``candidates``."""
    return even_rows(users, held_at_once(device, 2**27) // candidates)


def scores_in_parts(queries: Tensor, table: Tensor) -> Iterator[Tensor]:
    """queries [B, d] · table [C, d]ᵀ, some users at a time: [b, C] in their order, each the caller's to write into."""
    size = users_at_once(len(queries), len(table), queries.device)
    candidates = arranged(table, size)
    for part in queries.split(size):
        yield times_transposed(part, candidates)


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

    @torch.no_grad()
    def queries(self, rows: NDArray[np.int64]) -> Tensor:
        """Users (rows of ``inputs``, ascending and without gaps) → their queries [B, d]."""
        begin, end = int(rows[0]), int(rows[-1]) + 1
        offsets = self._recent.offsets[begin : end + 1]
        items = self._items[int(offsets[0]) : int(offsets[-1])]
        self._model.eval()
        known = () if self._users is None else (self._users[begin:end],)
        return self._model.queries(items, torch.from_numpy(offsets - offsets[0]), *known)

    def __call__(self, rows: NDArray[np.int64]) -> Iterator[Tensor]:
        """The same users → their scores [b, item_count + 2], some users at a time."""
        return scores_in_parts(self.queries(rows), self._model.output_table().detach())
