"""What is in a data set: Table 1, lengths, popularity, and what the protocol makes of it (FACTS F1, F3, F4, F23)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.data.dataset import Dataset
from engine.data.sequences import ascending
from engine.data.splits import LeaveOneOut
from engine.records import DatasetSummary


@lru_cache(maxsize=4)
def summarise(dataset: Dataset) -> DatasetSummary:
    """The summary of a data set; its arrays are read-only."""
    sequences = dataset.sequences
    split = LeaveOneOut(sequences)
    lengths = sequences.lengths
    actions = len(sequences.items)
    test = split.test_inputs
    in_input = test.items == np.repeat(split.test_targets, test.lengths)
    known = np.zeros(dataset.rows, dtype=bool)
    known[split.correlation_sequences("training").items] = True
    return DatasetSummary(
        name=dataset.name,
        path=dataset.path,
        fingerprint=dataset.fingerprint,
        users=len(sequences),
        items=dataset.item_count,
        actions=actions,
        average_length=actions / len(sequences),
        sparsity=1 - actions / (len(sequences) * dataset.item_count),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        raw_lengths=_frozen(np.bincount(lengths)),
        training_lengths=_frozen(np.bincount(split.train_inputs.lengths)),
        popularity=_frozen(np.sort(np.bincount(sequences.items, minlength=dataset.item_count + 1)[1:])[::-1]),
        evaluated_users=len(split.users),
        too_short_users=len(split.too_short),
        users_with_repeats=int((sequences.distinct().lengths < lengths).sum()),
        repeated_targets=len(ascending(test.owners[in_input])),
        cold_targets=int((~known[split.test_targets]).sum()),
        has_titles=dataset.titles is not None,
    )


@lru_cache(maxsize=4)
def training_users(dataset: Dataset) -> NDArray[np.int64]:
    """Users whose training part (``items[:-2]``) contains an item, [item_count + 2]."""
    training = LeaveOneOut(dataset.sequences).correlation_sequences("training")
    return _frozen(np.bincount(training.distinct().items, minlength=dataset.rows))


def _frozen(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    made = counts.astype(np.int64)
    made.flags.writeable = False
    return made
