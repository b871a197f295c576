"""Sequences as one flat array of items and one of offsets: the ragged form of the whole engine.

Sequence ``i`` is ``items[offsets[i]:offsets[i + 1]]``, oldest first. Item 0 is padding, real items are 1…n (dense),
n + 1 is the mask token (FACTS F20).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sequences:
    """Ragged sequences: ``items`` int32 [A], ``offsets`` int64 [S + 1], non-decreasing from 0 to A."""

    items: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def from_lists(cls, rows: list[list[int]]) -> Sequences:
        """Build from lists: for tests and small inputs."""
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(np.array([item for row in rows for item in row], dtype=np.int32), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        return self.items[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Items per sequence, [S]."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Index of the sequence that each item belongs to, [A]."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    def cut(self, first: int = 0, last: int = 0) -> Sequences:
        """Each sequence without its first ``first`` and last ``last`` items; shorter ones become empty."""
        lengths = np.maximum(self.lengths - first - last, 0)
        return self._slices(self.offsets[:-1] + first, lengths)

    def head(self, lengths: NDArray[np.int64]) -> Sequences:
        """The first ``lengths[i]`` items of each sequence; ``lengths`` [S] is at most the sequences' own."""
        return self._slices(self.offsets[:-1], lengths)

    def tail(self, longest: int) -> Sequences:
        """The last ``longest`` items of each sequence."""
        lengths = np.minimum(self.lengths, longest)
        return self._slices(self.offsets[1:] - lengths, lengths)

    def take(self, rows: NDArray[np.integer]) -> Sequences:
        """The sequences at ``rows``, in that order."""
        return self._slices(self.offsets[:-1][rows], self.lengths[rows])

    def distinct(self) -> Sequences:
        """The items of each sequence, ascending and once each."""
        width = int(self.items.max(initial=0)) + 1
        owners, items = np.divmod(ascending(self.owners * width + self.items), width)
        return Sequences(items.astype(np.int32), np.searchsorted(owners, np.arange(len(self) + 1)))

    def _slices(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Sequences:
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        within = np.arange(offsets[-1], dtype=np.int64) - np.repeat(offsets[:-1], lengths)
        return Sequences(self.items[np.repeat(starts, lengths) + within], offsets)


def ascending(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct values in ascending order, [N] → [M].

    What ``np.unique`` gives; its hash table takes a hundred times as long on millions of integers.
    """
    values = np.sort(values)
    first = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return values[first]
