"""Which operator makes which view: Eq. 12 and Algorithm 1, lines 7–12.

A *slot* is one operator with the ratio that it has in one branch. Most operators need one slot; Reorder needs two where
a set gives it the mask's ratio (FACTS F12).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from engine.augment.base import Operator
from engine.augment.ragged import uniform_below
from engine.config import ExperimentConfig
from engine.registry import Entry, entries, options_of


@dataclass(frozen=True, eq=False)
class Slot:
    """An operator ready to plan, and the plugin it is."""

    entry: Entry
    operator: Operator

    @property
    def letter(self) -> str:
        """The operator's letter in ``augment.short_operators`` and ``augment.long_operators``."""
        return str(self.entry.facts["letter"])


class Policy:
    """Draws slots for the views of a batch.

    ``slots`` are all registered operators, those in no set too; ``short`` and ``long`` are the indices into them from
    which Eq. 12 draws. Of a user whose training input has at most K items, operators come from ``short``.
    """

    def __init__(self, config: ExperimentConfig) -> None:
        augment, fidelity = config.augment, config.fidelity
        slots = [
            Slot(found, found.load()(options_of(found, augment), fidelity, rate=None)) for found in entries("operator")
        ]
        by_letter = {slot.letter: index for index, slot in enumerate(slots)}
        at_mask_rate = by_letter
        if "mask_rate" in (fidelity.short_reorder_rate, fidelity.long_reorder_rate):
            found = slots[by_letter["R"]].entry
            rate = float(getattr(augment, "mask_rate"))  # noqa: B009 - the section's fields come from the plugins
            at_mask_rate = by_letter | {"R": len(slots)}
            slots.append(Slot(found, found.load()(options_of(found, augment), fidelity, rate=rate)))
        short = at_mask_rate if fidelity.short_reorder_rate == "mask_rate" else by_letter
        long = at_mask_rate if fidelity.long_reorder_rate == "mask_rate" else by_letter
        self.slots = tuple(slots)
        self.short_length = augment.short_length
        self.short = torch.tensor([short[letter] for letter in augment.short_operators])
        self.long = torch.tensor([long[letter] for letter in augment.long_operators])
        self._sizes = torch.tensor([len(self.long), len(self.short)])
        self._sets = torch.nn.utils.rnn.pad_sequence([self.long, self.short], batch_first=True)  # [2, largest]
        self._is_distinct = fidelity.operator_pairs == "distinct"

    def is_short(self, lengths: Tensor) -> Tensor:
        """Whether training inputs of these (untruncated) ``lengths`` [B] are short (Eq. 12, FACTS F4): bool [B]."""
        return lengths <= self.short_length

    def draw(self, lengths: Tensor, generator: Generator) -> Tensor:
        """Two slots a user, each uniform over the user's set: int64 [2, B], first views then second views.

        Independent of each other, or two different ones where ``operator_pairs = distinct`` and the set has two.
        """
        branch = self.is_short(lengths).to(torch.int64)
        sizes = self._sizes[branch]
        if self._is_distinct:
            first = uniform_below(sizes, generator)
            step = 1 + uniform_below((sizes - 1).clamp(min=1), generator)
            picks = torch.stack((first, (first + step) % sizes))
        else:
            picks = uniform_below(sizes.expand(2, -1), generator)
        return self._sets[branch.expand(2, -1), picks]

    def slot_named(self, name: str, length: int) -> int:
        """The slot of the operator called ``name`` for a user of this length, also where it is in no set.

        Raises ``KeyError`` when no operator has the name.
        """
        branch = self.short if length <= self.short_length else self.long
        indices = [*branch.tolist(), *range(len(self.slots))]
        for index in indices:
            if self.slots[index].entry.name == name:
                return index
        raise KeyError(name)
