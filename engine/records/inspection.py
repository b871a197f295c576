"""Records of the Dataset page: tables by columns, what the split holds out, times, a user's sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TextColumn:
    """R texts in one array of UTF-8 bytes, so that a hundred thousand travel, and are searched, as one.

    Row i is ``data[offsets[i]:offsets[i + 1] - 1]``, a line feed after each. ``folded`` and ``folded_offsets`` are the
    same without letter case; ``ranks`` int32 [R] order the rows: numbers by value, texts by alphabet, empty ones last.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    folded: NDArray[np.uint8]
    folded_offsets: NDArray[np.int64]
    ranks: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ranks)

    def __getitem__(self, row: int) -> str:
        if not 0 <= row < len(self):
            raise IndexError(row)
        return bytes(self.data[self.offsets[row] : self.offsets[row + 1] - 1]).decode()

    def __iter__(self) -> Iterator[str]:
        return iter(bytes(self.data).decode().split("\n")[: len(self)])


@dataclass(frozen=True, eq=False)
class UserTable:
    """All users in file order, a column an array [U]. Users too short for the split hold nothing out."""

    users: TextColumn
    lengths: NDArray[np.int32]
    training_lengths: NDArray[np.int32]
    """Of the training input ``items[:-3]``, which K compares (FACTS F4)."""
    repeats: NDArray[np.int32]
    """Actions on an item that the user had before."""
    is_evaluated: NDArray[np.bool_]
    valid_repeated: NDArray[np.bool_]
    """The validation target stands in the history before it (FACTS F3); ``test_repeated`` likewise."""
    test_repeated: NDArray[np.bool_]
    valid_cold: NDArray[np.bool_]
    """No training part contains the validation target; ``test_cold`` likewise."""
    test_cold: NDArray[np.bool_]
    first_times: NDArray[np.int64] | None
    """Seconds since 1970 (UTC); None where the data set tells no times."""
    last_times: NDArray[np.int64] | None

    def columns(self, k: int) -> dict[str, NDArray[Any] | TextColumn]:
        """What a filter or an order calls each column; ``short`` is of Eq. 12 with this K."""
        found: dict[str, NDArray[Any] | TextColumn] = {
            "user": self.users,
            "length": self.lengths,
            "input": self.training_lengths,
            "short": self.short(k),
            "repeats": self.repeats,
            "valid_repeated": self.valid_repeated,
            "test_repeated": self.test_repeated,
            "valid_cold": self.valid_cold,
            "test_cold": self.test_cold,
        }
        return found | _times(self.first_times, self.last_times)

    def short(self, k: int) -> NDArray[np.bool_]:
        """Which users Eq. 12 calls short: evaluated, with a training input of at most ``k`` items, [U]."""
        return self.is_evaluated & (self.training_lengths <= k)


@dataclass(frozen=True, eq=False)
class ItemTable:
    """All items by dense id, a column an array [n]."""

    items: TextColumn
    titles: TextColumn | None
    users: NDArray[np.int32]
    actions: NDArray[np.int32]
    by_actions: NDArray[np.int32]
    """Rows by their actions, the most first and equal ones by id: the ranks of popularity."""
    training_users: NDArray[np.int32]
    """Users whose training part ``items[:-2]`` has it; 0: it is only ever held out, a cold item."""
    valid_targets: NDArray[np.int32]
    test_targets: NDArray[np.int32]
    first_times: NDArray[np.int64] | None
    last_times: NDArray[np.int64] | None

    def columns(self) -> dict[str, NDArray[Any] | TextColumn]:
        """What a filter or an order calls each column."""
        titles = {} if self.titles is None else {"title": self.titles}
        counts = {
            "users": self.users,
            "actions": self.actions,
            "training_users": self.training_users,
            "valid_targets": self.valid_targets,
            "test_targets": self.test_targets,
        }
        return {"item": self.items} | titles | counts | _times(self.first_times, self.last_times)


def _times(first: NDArray[np.int64] | None, last: NDArray[np.int64] | None) -> dict[str, NDArray[np.int64]]:
    return {} if first is None or last is None else {"first": first, "last": last}


@dataclass(frozen=True)
class TargetCounts:
    """What becomes of a split's targets: ``repeated`` ones are in their own history, ``cold`` ones in no training."""

    split: str
    """``valid`` or ``test``."""
    targets: int
    repeated: int
    cold: int
    repeated_and_cold: int

    @property
    def highest(self) -> float:
        """The most that HR@k and NDCG@k can be where seen items are excluded: each repeated target is a miss."""
        return 1 - self.repeated / self.targets if self.targets else 0.0


@dataclass(frozen=True, eq=False)
class Timeline:
    """Actions a bin of calendar time (UTC), [B]; ``starts`` are seconds since 1970, ``unit`` names the bins' width."""

    unit: str
    starts: NDArray[np.int64]
    actions: NDArray[np.int64]
    valid_targets: NDArray[np.int64]
    test_targets: NDArray[np.int64]
    users: NDArray[np.int64]
    """Users with an action in the bin."""
    first: int
    last: int
    unordered_users: int
    """Users whose sequence is not in the order of its times."""
    training_after: float
    """Share of the training part that is later than half of the test targets: leave-one-out looks ahead."""


@dataclass(frozen=True)
class PaperTable:
    """The paper's Table 1 for a data set with these numbers, as printed, and where it errs (FACTS F23)."""

    name: str
    average_length: str
    sparsity: str
    faults: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class DatasetDetails:
    """What the tables of the Dataset page show."""

    fingerprint: str
    users: UserTable
    items: ItemTable
    targets: tuple[TargetCounts, ...]
    """Validation, test."""
    timeline: Timeline | None
    paper: PaperTable | None


@dataclass(frozen=True)
class PlacedItem:
    """One action of a user's sequence, and what the split makes of it (FACTS F1)."""

    item: str
    title: str
    time: int | None
    """Seconds since 1970 (UTC)."""
    part: str
    """``training``, ``valid`` (the validation target) or ``test`` (the test target)."""
    is_input: bool
    """In the training input ``items[:-3]``."""
    is_target: bool
    """In the training targets ``items[1:-2]``."""
    is_repeat: bool
    """The user had the item before."""
    is_cold: bool
    """No training part contains it."""
    training_users: int


@dataclass(frozen=True)
class UserSequence:
    """A user's whole sequence, oldest first."""

    user: str
    row: int
    """Of the `UserTable`."""
    places: tuple[PlacedItem, ...]
    is_evaluated: bool
    training_length: int
