"""Every user and every item of a data set as columns: what a table of a hundred thousand rows sorts and filters by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.data.dataset import Dataset
from engine.data.sequences import Sequences, ascending
from engine.data.splits import SHORTEST, LeaveOneOut
from engine.data.summary import training_users
from engine.records import ItemTable, TargetCounts, TextColumn, UserTable

_FEED = 10


def text_column(texts: Sequence[str]) -> TextColumn:
    """``texts`` as one column; a line break inside a text becomes a space."""
    clean = [" ".join(text.splitlines()) if not text.isprintable() else text for text in texts]
    joined = "".join(f"{text}\n" for text in clean)
    data, offsets = _packed(joined)
    folded, folded_offsets = _packed(joined.casefold())
    if np.array_equal(folded, data):
        folded, folded_offsets = data, offsets
    return TextColumn(data, offsets, folded, folded_offsets, _ranks(clean))


def _packed(joined: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    data = np.frombuffer(joined.encode(errors="replace"), dtype=np.uint8)
    return data, np.concatenate([[0], np.flatnonzero(data == _FEED) + 1])


def _ranks(texts: list[str]) -> NDArray[np.int32]:
    """Place of each text in the order of `TextColumn`; equal texts share theirs."""
    if all(text.isdecimal() for text in texts):
        keys: list[tuple[int, int, str]] = [(0, int(text), "") for text in texts]
    else:
        keys = [(int(not text), 0, text.casefold()) for text in texts]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array([places[key] for key in keys], dtype=np.int32)


def user_table(dataset: Dataset) -> UserTable:
    """A row a user, in file order."""
    sequences = dataset.sequences
    split = LeaveOneOut(sequences)
    lengths = sequences.lengths
    is_trained = training_users(dataset) > 0
    first, last = _times_of(sequences.owners, len(sequences), dataset.times)

    def of_users(evaluated: NDArray[np.bool_]) -> NDArray[np.bool_]:
        whole = np.zeros(len(sequences), dtype=bool)
        whole[split.users] = evaluated
        return whole

    return UserTable(
        users=text_column(dataset.user_ids.tolist()),
        lengths=lengths.astype(np.int32),
        training_lengths=np.maximum(lengths - 3, 0).astype(np.int32),
        repeats=(lengths - sequences.distinct().lengths).astype(np.int32),
        is_evaluated=lengths >= SHORTEST,
        valid_repeated=of_users(_contains(split.valid_inputs, split.valid_targets)),
        test_repeated=of_users(_contains(split.test_inputs, split.test_targets)),
        valid_cold=of_users(~is_trained[split.valid_targets]),
        test_cold=of_users(~is_trained[split.test_targets]),
        first_times=first,
        last_times=last,
    )


def item_table(dataset: Dataset) -> ItemTable:
    """A row an item, by dense id."""
    sequences = dataset.sequences
    split = LeaveOneOut(sequences)
    rows = dataset.item_count

    def counted(items: NDArray[np.integer]) -> NDArray[np.int32]:
        return np.bincount(items, minlength=dataset.rows)[1 : rows + 1].astype(np.int32)

    first, last = _times_of(sequences.items - 1, rows, dataset.times)
    actions = counted(sequences.items)
    return ItemTable(
        items=text_column(dataset.item_ids[1:].tolist()),
        titles=None if dataset.titles is None else text_column(dataset.titles[1:].tolist()),
        users=counted(sequences.distinct().items),
        actions=actions,
        by_actions=np.argsort(-actions, kind="stable").astype(np.int32),
        training_users=training_users(dataset)[1 : rows + 1].astype(np.int32),
        valid_targets=counted(split.valid_targets),
        test_targets=counted(split.test_targets),
        first_times=first,
        last_times=last,
    )


def target_counts(users: UserTable) -> tuple[TargetCounts, ...]:
    """Repeated and cold targets of validation and test (FACTS F3)."""
    evaluated = int(users.is_evaluated.sum())
    return tuple(
        TargetCounts(split, evaluated, int(repeated.sum()), int(cold.sum()), int((repeated & cold).sum()))
        for split, repeated, cold in (
            ("valid", users.valid_repeated, users.valid_cold),
            ("test", users.test_repeated, users.test_cold),
        )
    )


def _contains(inputs: Sequences, targets: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each of ``inputs`` [E] has its target [E] in it."""
    found = np.zeros(len(inputs), dtype=bool)
    owners = inputs.owners
    found[ascending(owners[inputs.items == targets[owners]])] = True
    return found


def _times_of(
    owners: NDArray[np.integer], count: int, times: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Earliest and latest of ``times`` [A] of each of ``count`` owners."""
    if times is None:
        return None, None
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, owners, times)
    np.maximum.at(last, owners, times)
    return first, last
