"""Leave-one-out (FACTS F1), the users of a training share and the noise of test inputs (FACTS F18)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from engine.data.sequences import Sequences, ascending
from engine.errors import DataError

if TYPE_CHECKING:
    from engine.data.dataset import Dataset

SHORTEST = 4
"""A user needs a test target, a validation target, a last training target and one item before it."""


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """The split of all users' ``sequences`` [U].

    E = ``len(users)`` users have at least 4 items and are evaluated; everything below with one row a user is aligned
    with ``users`` and holds, of a user's ``items``: ``train_inputs`` ``[:-3]``, ``train_targets`` ``[1:-2]``,
    ``valid_inputs`` ``[:-2]`` with target ``[-2]``, ``test_inputs`` ``[:-1]`` with target ``[-1]``.
    """

    sequences: Sequences

    @cached_property
    def users(self) -> NDArray[np.int64]:
        """Rows of ``sequences`` that are trained on and evaluated, [E]."""
        return np.flatnonzero(self.sequences.lengths >= SHORTEST)

    @cached_property
    def too_short(self) -> NDArray[np.int64]:
        """Rows with fewer than 4 items: they hold nothing out, and count in correlations only."""
        return np.flatnonzero(self.sequences.lengths < SHORTEST)

    @cached_property
    def whole(self) -> Sequences:
        """The evaluated users' whole sequences, held-out items included, [E]."""
        return self.sequences.take(self.users)

    @cached_property
    def train_inputs(self) -> Sequences:
        return self.whole.cut(last=3)

    @cached_property
    def train_targets(self) -> Sequences:
        return self.whole.cut(first=1, last=2)

    @cached_property
    def valid_inputs(self) -> Sequences:
        return self.whole.cut(last=2)

    @property
    def training_part(self) -> Sequences:
        """Everything that training sees of a user, inputs and targets: ``items[:-2]``."""
        return self.valid_inputs

    @cached_property
    def test_inputs(self) -> Sequences:
        return self.whole.cut(last=1)

    @cached_property
    def valid_targets(self) -> NDArray[np.int32]:
        """[E]"""
        return self.whole.items[self.whole.offsets[1:] - 2]

    @cached_property
    def test_targets(self) -> NDArray[np.int32]:
        """[E]"""
        return self.whole.items[self.whole.offsets[1:] - 1]

    def sample(self, count: int) -> LeaveOneOut:
        """A split of ``count`` evaluated users, drawn at random and always the same ones of the same data; 0 takes all.

        For validations that need not look at everybody: no run's seed moves the sample, so runs stay comparable.
        """
        rows = self.sampled_rows(count)
        return self if len(rows) == len(self.users) else LeaveOneOut(self.whole.take(rows))

    def sampled_rows(self, count: int) -> NDArray[np.int64]:
        """Which of ``users`` [E] the users of `sample` are, ascending."""
        if not 0 < count < len(self.users):
            return np.arange(len(self.users), dtype=np.int64)
        return training_rows(len(self.users), count / len(self.users), "random")

    def correlation_sequences(self, which: Literal["inputs", "training"]) -> Sequences:
        """What memory-based correlation counts (FACTS F15), over *all* users [U], aligned with ``sequences``.

        ``inputs`` is ``items[:-3]``, ``training`` is ``items[:-2]``; users that are too short hold nothing out and give
        their whole sequence.
        """
        held_out = {"inputs": 3, "training": 2}[which]
        lengths = self.sequences.lengths
        return self.sequences.head(np.where(lengths >= SHORTEST, lengths - held_out, lengths))


def leave_one_out(dataset: Dataset) -> LeaveOneOut:
    """The split of a data set that somebody can be trained on. Raises ``DataError`` when all users are too short."""
    split = LeaveOneOut(dataset.sequences)
    if not len(split.users):
        raise DataError(
            f"no user has at least {SHORTEST} items, so there is nobody to train on or to evaluate.",
            "Leave-one-out holds out each user's last two items and needs two before them.",
            path=dataset.path,
        )
    return split


def training_rows(count: int, fraction: float, which: Literal["first", "random"], seed: int = 0) -> NDArray[np.int64]:
    """Ascending rows of the evaluated users that a training share keeps (FACTS F18): ⌊fraction × count⌋, at least one.

    ``first`` takes the first users of the file, as the published code does. With the same seed, a smaller random share
    is part of a larger one, so that shares differ in size only.
    """
    kept = min(count, max(1, int(fraction * count + 1e-9)))
    if which == "first":
        return np.arange(kept, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).permutation(count)[:kept]).astype(np.int64)


def noisy_test_inputs(split: LeaveOneOut, item_count: int, rate: float, generator: np.random.Generator) -> Sequences:
    """Test inputs with random items that the user has never chosen mixed in (§5.4, FACTS F18).

    For a sequence of n items, target included, ⌊rate × n⌋ positions are drawn with replacement from 0…n − 1; before
    each *distinct* one a uniform unseen item is inserted. The target stays last, so a draw of n − 1 appends to the
    input. A user who has seen every item gets no noise.
    """
    whole = split.whole
    lengths = whole.lengths
    counts = (rate * lengths + 1e-9).astype(np.int64)
    owners = np.repeat(np.arange(len(whole)), counts)
    positions = ascending(whole.offsets[:-1][owners] + generator.integers(0, lengths[owners]))  # of the flat items
    owners = np.searchsorted(whole.offsets, positions, side="right") - 1
    items = unseen_items(whole, owners, item_count, generator)
    positions, items = positions[items > 0], items[items > 0]

    noisy = np.insert(whole.items, positions, items)
    added = np.searchsorted(positions, whole.offsets, side="left")  # insertions before each sequence's first item
    return Sequences(noisy.astype(np.int32), whole.offsets + added).cut(last=1)


def unseen_items(
    sequences: Sequences, owners: NDArray[np.int64], item_count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """For each of ``owners`` [N], a uniform item of 1…item_count that sequence does not contain; 0 where it has all.

    Drawn without rejection: the r-th unseen item is r plus the number of seen items below it.
    """
    seen = sequences.distinct()
    starts = seen.offsets[:-1]
    # Of a user's sorted seen items s_0 < s_1 < …, s_j lies below the r-th unseen item (r from 0) when s_j - 1 - j <= r.
    place = np.arange(len(seen.items)) - starts[seen.owners]
    gaps = seen.owners * (item_count + 1) + seen.items - 1 - place
    left = item_count - seen.lengths[owners]
    draws = generator.integers(0, np.maximum(left, 1))
    below = np.searchsorted(gaps, owners * (item_count + 1) + draws, side="right") - starts[owners]
    return np.where(left > 0, draws + below + 1, 0)
