"""Does anything held out reach training? Counted on the split itself, not argued about.

The split is made a second time over *positions* in place of items: every place of every user's sequence is its own
number. What training reads then names the places it reads, and a held-out place (the last two, FACTS F1) among them is
a leak, whatever item stands there. An item that a user has chosen before may well be the target again: that is no leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.data.sequences import Sequences
from engine.data.splits import SHORTEST, LeaveOneOut


@dataclass(frozen=True)
class LeakCounts:
    """How many of ``pairs`` (input, target) hold a held-out place; the same of the places that correlations count; of
    ``users`` how many have a held-out target among the items that their negatives are drawn without."""

    pairs: int
    leaking_pairs: int
    counted: int
    leaking_counted: int
    users: int
    guarded_users: int


def held_out(sequences: Sequences) -> np.ndarray:
    """Which places of the flat items are a validation or a test target, bool [items]."""
    found = np.zeros(len(sequences.items), dtype=bool)
    ends = sequences.offsets[1:][sequences.lengths >= SHORTEST]
    found[ends - 1] = True
    found[ends - 2] = True
    return found


def count_leaks(
    sequences: Sequences, counts: Literal["inputs", "training"], excluded: Literal["training", "whole"]
) -> LeakCounts:
    """Count what the split gives to training: pairs, what correlations count, what negatives avoid."""
    places = Sequences(np.arange(len(sequences.items), dtype=sequences.items.dtype), sequences.offsets)
    split, is_held = LeaveOneOut(places), held_out(sequences)
    inputs, targets = split.train_inputs.items, split.train_targets.items
    leaking = is_held[inputs] | is_held[targets]
    counted = split.correlation_sequences(counts).items
    kept_away = split.whole if excluded == "whole" else split.training_part
    # Of each user, whether a held-out place is among those that the negatives avoid.
    guarded = np.zeros(len(split.users), dtype=bool)
    guarded[kept_away.owners[is_held[kept_away.items]]] = True
    return LeakCounts(
        pairs=len(leaking),
        leaking_pairs=int(leaking.sum()),
        counted=len(counted),
        leaking_counted=int(is_held[counted].sum()),
        users=len(split.users),
        guarded_users=int(guarded.sum()),
    )
