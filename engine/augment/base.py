"""What every augmentation operator is: options in, a `Plan` out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Generator, Tensor

from engine.augment import ragged
from engine.augment.plan import Plan
from engine.config import FidelityOptions
from engine.registry import Options


class Operator(ABC):
    """One operator with its ratio.

    ``options`` is the plugin's own section; ``rate_field`` names the field of it that holds the ratio, and ``rate``
    overrides that field (FACTS F12 gives Reorder the mask ratio).
    """

    label: ClassVar[str]
    rate_field: ClassVar[str]
    at_least_one: ClassVar[bool] = False
    """Whether the published code touches one item where ratio × n rounds down to 0 (FACTS F9)."""

    def __init__(self, options: Options, fidelity: FidelityOptions, rate: float | None = None) -> None:
        self.fidelity = fidelity
        self.rate = float(getattr(options, self.rate_field) if rate is None else rate)

    @abstractmethod
    def plan(self, offsets: Tensor, generator: Generator) -> Plan:
        """What becomes of the sequences of ``offsets`` int64 [S + 1], from 0, on the host like ``generator``."""

    def counts(self, lengths: Tensor) -> Tensor:
        """How many items of a sequence of each of ``lengths`` [S] the operator picks: int64 [S] (FACTS F9)."""
        if self.fidelity.counts == "ceiling":
            return ragged.ceiling(self.rate, lengths)
        counts = ragged.floor(self.rate, lengths)
        return counts.clamp(min=1).minimum(lengths) if self.at_least_one else counts

    def starts(self, lengths: Tensor, counts: Tensor, generator: Generator) -> Tensor:
        """Where a run of ``counts`` [S] items begins, int64 [S], uniform over 0 … n−c (Eq. 4, 6).

        ``start_positions = never_last`` is the published code's 0 … n−c−1 with c the floored count, also where one
        item is kept instead of none (FACTS F11).
        """
        if self.fidelity.start_positions == "every":
            choices = lengths - counts + 1
        else:
            choices = lengths - ragged.floor(self.rate, lengths)
        return ragged.uniform_below(choices.clamp(min=1), generator)

    def note(self, length: int) -> str:
        """Why a sequence of ``length`` items is left as it is, or an empty text when it is not."""
        if self._count(length):
            return ""
        return f"{self.label} has ratio 0." if self.rate == 0 else f"{self._product(length)} rounds down to 0."

    def _count(self, length: int) -> int:
        if self.fidelity.counts == "ceiling":
            return ragged.ceiling_of(self.rate, length)
        count = int(self.rate * length)
        return min(max(count, 1), length) if self.at_least_one else count

    def _product(self, length: int) -> str:
        return f"{self.label} of {self.rate:g} × {length} item{'' if length == 1 else 's'}"
