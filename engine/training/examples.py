"""What an epoch visits, on the training device: whole sequences, single interactions or windows. Batches are gathers.

Legend: U users, E examples, N examples of a batch, T tokens.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.augment.ragged import ranges
from engine.data.splits import LeaveOneOut
from engine.models.contract import Batch, Examples, Interactions, UserSequences, Windows
from engine.modules.ways import sent


class ExampleSource(Protocol):
    """All examples of a split; a batch is asked for by their numbers."""

    def of_users(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the examples that belong to the users ``rows`` [U], in their order."""
        ...

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """The batch of the examples ``chosen`` [N], in that order."""
        ...


def examples_of(kind: Examples, split: LeaveOneOut, device: torch.device | str) -> ExampleSource:
    """The examples of that kind."""
    if isinstance(kind, UserSequences):
        return TrainingData(split, device)
    return InteractionData(split, device) if isinstance(kind, Interactions) else WindowData(kind, split, device)


class TrainingData:
    """All users' training parts, ``items`` int64 [A], and the same ``on_host``. An example is a user."""

    def __init__(self, split: LeaveOneOut, device: torch.device | str = "cpu") -> None:
        part = split.training_part  # inputs and the last target: targets are the inputs shifted by one
        self.on_host = torch.from_numpy(part.items.astype(np.int64))
        self.items = self.on_host.to(device)
        self._starts = torch.from_numpy(part.offsets[:-1])
        self._lengths = torch.from_numpy(part.lengths - 1)

    def of_users(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The users themselves."""
        return rows

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """The batch of the users ``chosen`` [N], in that order."""
        users, places, offsets = self.places(chosen)
        there = sent(places, self.items.device)
        inputs = self.items[there]
        on_host = inputs if self.items is self.on_host else self.on_host[places]
        return Batch(users, offsets, inputs, self.items[there + 1], on_host=on_host)

    def places(self, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """The batch's users [N], where its inputs lie among all ``items`` [T] (the target of each is the next one),
        and offsets [N + 1]; all int64, on the host."""
        users = torch.from_numpy(chosen)
        places, offsets = ranges(self._starts[users], self._lengths[users])
        return users, places, offsets


class InteractionData:
    """Every action of the training parts ``items[:-2]``. An example is its place in the flat items."""

    def __init__(self, split: LeaveOneOut, device: torch.device | str = "cpu") -> None:
        part = split.training_part
        self._offsets, self._lengths = part.offsets[:-1], part.lengths
        self._users = torch.from_numpy(part.owners.astype(np.int64))
        self._items = torch.from_numpy(part.items.astype(np.int64)).to(device)

    def of_users(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of all their actions."""
        return _all_of(self._offsets[rows], self._lengths[rows])

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """The batch of the actions ``chosen`` [N], in that order."""
        places = torch.from_numpy(chosen)
        items = self._items[sent(places, self._items.device)]
        return Batch(self._users[places], torch.arange(len(chosen) + 1), items, items, after=1)


class WindowData:
    """Windows over the training parts ``items[:-2]``. An example is a window, users' windows from first to last."""

    def __init__(self, kind: Windows, split: LeaveOneOut, device: torch.device | str = "cpu") -> None:
        part = split.training_part
        self._kind = kind
        lengths = part.lengths.astype(np.int64)
        # A window ends behind item e of its sequence: n ≥ e ≥ the first that is whole (or has one input), at least n.
        shortest = kind.targets + (1 if kind.prefixes else kind.inputs)
        self._counts = np.maximum(lengths - shortest, 0) + 1
        self._firsts = np.cumsum(self._counts) - self._counts
        owners = np.repeat(np.arange(len(lengths)), self._counts)
        within = np.arange(len(owners)) - self._firsts[owners]
        starts = part.offsets[:-1].astype(np.int64)[owners]
        ends = starts + np.minimum(lengths, shortest)[owners] + within
        self._users = torch.from_numpy(owners)
        self._starts, self._ends = torch.from_numpy(starts), torch.from_numpy(ends)
        self._items = torch.from_numpy(part.items.astype(np.int64)).to(device)

    def of_users(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of all their windows."""
        return _all_of(self._firsts[rows], self._counts[rows])

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """The batch of the windows ``chosen`` [N], in that order."""
        places = torch.from_numpy(chosen)
        starts, ends = self._starts[places], self._ends[places]
        split = torch.maximum(ends - self._kind.targets, starts)  # where the targets begin
        begin = torch.maximum(split - self._kind.inputs, starts)
        positions, offsets = ranges(begin, split - begin)
        wanted = ends.unsqueeze(1) - self._kind.targets + torch.arange(self._kind.targets)  # [N, targets]
        exists = (wanted >= starts.unsqueeze(1)).view(-1)
        targets = self._gather(wanted.view(-1).clamp(min=0)) * sent(exists, self._items.device)
        return Batch(self._users[places], offsets, self._gather(positions), targets, after=self._kind.targets)

    def _gather(self, positions: Tensor) -> Tensor:
        return self._items[sent(positions, self._items.device)]


def _all_of(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """start, start + 1, … of each, one after the other."""
    ends = np.cumsum(counts)
    return np.repeat(starts - (ends - counts), counts) + np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
