"""What the views of many users look like: counts over batches that `Augmenter` makes, the code that trains on them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from engine.augment.views import AugmentedBatch, Augmenter, NeighbourTable
from engine.config import ExperimentConfig
from engine.data.sequences import Sequences
from engine.records import AugmentationEffect, TokenKind
from engine.registry import entries

_BATCH = 4096
"""Users at once: what is held does not grow with the data set."""
Ints = NDArray[np.int64]


def effect(
    config: ExperimentConfig,
    inputs: Sequences,
    item_count: int,
    neighbours: NeighbourTable,
    seed: int,
    source: str = "memory",
    baseline: NeighbourTable | None = None,
) -> AugmentationEffect:
    """Two views of each of the training inputs ``inputs``, counted.

    ``baseline`` is the table that ``differing`` compares with: the same draws look up in it too. There is nothing to
    compare where missing neighbours shorten the views. ``inputs`` may hold no sequence at all.
    """
    counter = _Counter(config, item_count, neighbours, source)
    for first in range(0, max(len(inputs), 1), _BATCH):
        rows = np.arange(first, min(first + _BATCH, len(inputs)))
        batch = inputs.take(rows)
        items = torch.from_numpy(batch.items.astype(np.int64))
        offsets = torch.from_numpy(batch.offsets)
        drawn = np.random.SeedSequence([seed, first]).generate_state(1, np.uint64)[0] >> np.uint64(1)

        def views(table: NeighbourTable, items=items, offsets=offsets, drawn=drawn) -> AugmentedBatch:  # type: ignore[no-untyped-def]
            generator = torch.Generator().manual_seed(int(drawn))
            return counter.augmenter.views(items, offsets, table, generator)

        if len(rows):
            made = views(neighbours)
            counter.add(made, batch, None if baseline is None else views(baseline))
    return counter.result()


class _Counter:
    """Adds batches up."""

    def __init__(self, config: ExperimentConfig, item_count: int, neighbours: NeighbourTable, source: str) -> None:
        self.augmenter = Augmenter(config, item_count)
        self._item_count = item_count
        self._has_neighbour = (neighbours.ids[:, 0] > 0).cpu().numpy()
        self._source = source
        self._letters = tuple(str(found.facts["letter"]) for found in entries("operator"))
        self._letter_of_slot = np.array([self._letters.index(slot.letter) for slot in self.augmenter.slots])
        bins, span, letters = AugmentationEffect.BINS, AugmentationEffect.SPAN, len(self._letters)
        self._users = np.zeros(2, dtype=np.int64)
        self._shifts = np.zeros((2, 2 * span + 1), dtype=np.int64)
        self._kept = np.zeros((2, bins), dtype=np.int64)
        self._overlap = np.zeros((2, bins), dtype=np.int64)
        self._operators = np.zeros((2, letters), dtype=np.int64)
        self._untouched = np.zeros((2, letters), dtype=np.int64)
        self._sums = np.zeros((2, 3))
        self._looked_up = self._stand_ins = self._unmatched = 0
        self._score_sum = 0.0
        self._differing: int | None = 0

    def add(self, made: AugmentedBatch, batch: Sequences, other: AugmentedBatch | None) -> None:
        """Count the views ``made`` of ``batch``; ``other`` is the same draw with the table to compare with."""
        is_long = (~self.augmenter.policy.is_short(torch.from_numpy(batch.lengths))).numpy().astype(np.int64)  # [B]
        branch = np.tile(is_long, 2)  # [2B], like the views
        before = np.tile(batch.lengths, 2)
        offsets, sources, kinds = made.offsets.numpy(), made.sources.numpy(), made.kinds.numpy()
        lengths = np.diff(offsets)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        self._users += np.bincount(is_long, minlength=2)
        self._count(self._shifts, branch, np.clip(lengths - before, -self._span, self._span) + self._span)
        kept = _distinct(owners, sources, kinds == TokenKind.KEPT, len(lengths)) / before
        self._count(self._kept, branch, _cell(kept))
        overlap = self._jaccard(made.items.numpy(), owners, len(batch))
        self._count(self._overlap, is_long, _cell(overlap))
        for column, (values, of) in enumerate(((lengths - before, branch), (kept, branch), (overlap, is_long))):
            self._sums[:, column] += np.bincount(of, weights=values, minlength=2)
        letters = self._letter_of_slot[made.operators.numpy()]
        self._count(self._operators, branch, letters)
        same = self._is_untouched(lengths, before, sources, kinds, owners)
        self._count(self._untouched, branch[same], letters[same])
        self._count_looked_up(made, batch, other)

    def _count_looked_up(self, made: AugmentedBatch, batch: Sequences, other: AugmentedBatch | None) -> None:
        changed = made.changed.numpy()
        self._looked_up += len(changed)
        self._stand_ins += int((~self._has_neighbour[batch.items[made.sources.numpy()[changed]]]).sum())
        self._score_sum += float(made.scores.sum(dtype=torch.float64))
        self._unmatched += int(made.unmatched.sum())
        if other is None or self._differing is None or not torch.equal(made.sources, other.sources):
            self._differing = None
        else:
            self._differing += int((made.items[made.changed] != other.items[made.changed]).sum())

    @property
    def _span(self) -> int:
        return AugmentationEffect.SPAN

    @staticmethod
    def _count(table: Ints, branch: Ints, cells: Ints) -> None:
        width = table.shape[1]
        table += np.bincount(branch * width + cells, minlength=table.size).reshape(table.shape)

    def _jaccard(self, items: Ints, owners: Ints, users: int) -> NDArray[np.float64]:
        """Items in both views / items in either, of each user: [B]; 1 where neither has an item."""
        real = (items > 0) & (items <= self._item_count)
        width = self._item_count + 2
        keys = np.unique(owners[real] * width + items[real])
        split = np.searchsorted(keys, users * width)
        first, second = keys[:split], keys[split:] - users * width
        both = np.bincount(np.intersect1d(first, second, assume_unique=True) // width, minlength=users)
        each = np.bincount(np.concatenate((first, second)) // width, minlength=users)
        either = each - both
        return np.where(either > 0, both / np.maximum(either, 1), 1.0)

    def _is_untouched(self, lengths: Ints, before: Ints, sources: Ints, kinds: Ints, owners: Ints) -> NDArray[np.bool_]:
        """Views that are their training input, cut to the longest that the model takes: bool [V]."""
        changed = kinds != TokenKind.KEPT
        changed[1:] |= (owners[1:] == owners[:-1]) & (sources[1:] != sources[:-1] + 1)
        counts = np.bincount(owners[changed], minlength=len(lengths))
        return (counts == 0) & (lengths == np.minimum(before, self.augmenter.max_length))

    def result(self) -> AugmentationEffect:
        return AugmentationEffect(
            source=self._source,
            letters=self._letters,
            users=self._users,
            shifts=self._shifts,
            kept=self._kept,
            overlap=self._overlap,
            operators=self._operators,
            untouched=self._untouched,
            sums=self._sums,
            looked_up=self._looked_up,
            stand_ins=self._stand_ins,
            score_sum=self._score_sum,
            unmatched=self._unmatched,
            differing=self._differing,
        )


def _cell(share: NDArray[np.float64]) -> Ints:
    """The cell of a share 0…1 among 20 of 5 % and one for exactly 1."""
    return np.floor(share * (AugmentationEffect.BINS - 1) + 1e-9).astype(np.int64)


def _distinct(owners: Ints, sources: Ints, chosen: NDArray[np.bool_], views: int) -> Ints:
    """How many of its own tokens each view has of the ``chosen`` ones, [V]: a repeated one counts once."""
    width = int(sources.max(initial=0)) + 1
    return np.bincount(np.unique(owners[chosen] * width + sources[chosen]) // width, minlength=views)
