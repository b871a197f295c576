"""What training would do to one user's sequence: the arrays of `Augmenter`, explained. Made by it, not like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from engine.augment.base import Operator
from engine.augment.views import AugmentedBatch, Augmenter, NeighbourTable
from engine.config import ExperimentConfig
from engine.errors import UsageError
from engine.records import TokenKind
from engine.registry import Entry, entries

POLICY = "policy"
"""The ``operator`` that means: draw operators as Eq. 12 says."""


@dataclass(frozen=True, eq=False)
class ViewArrays:
    """One view of n items, as m tokens.

    ``items`` int64 [m]; ``sources`` int64 [m], positions in the original; ``kinds`` uint8 [m] (`TokenKind`);
    ``scores`` float64 [m], NaN but for substituted and inserted tokens; ``dropped`` int64, original positions that are
    in the view no more; ``reordered`` the half-open range of view positions that Reorder shuffled; ``note`` says why
    the operator changed nothing, or which chosen items it had to leave.
    """

    operator: Entry
    items: NDArray[np.int64]
    sources: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    scores: NDArray[np.float64]
    dropped: NDArray[np.int64]
    reordered: tuple[int, int] | None
    note: str


@dataclass(frozen=True, eq=False)
class PreviewArrays:
    """The views of one user, and the branch of Eq. 12 that the user is in."""

    branch: Literal["short", "long"]
    short_length: int
    views: tuple[ViewArrays, ...]


def preview(
    config: ExperimentConfig,
    items: NDArray[np.integer],
    item_count: int,
    neighbours: NeighbourTable,
    operator: str = POLICY,
    seed: int = 1,
    views: int = 2,
) -> PreviewArrays:
    """``views`` views of one training input ``items`` [n], n ≥ 1, on the CPU.

    With ``operator = "policy"`` and two views, what `Augmenter.views` gives for a batch of this user alone and a
    generator of this seed. Raises ``UsageError`` for an unknown operator, an empty sequence or no view.
    """
    if not len(items):
        raise UsageError("This user has no training input to augment.", "Pick a user with at least 4 items.")
    if views < 1:
        raise UsageError(f"{views} views cannot be made.", "Ask for at least 1.")
    augmenter = Augmenter(config, item_count)
    policy = augmenter.policy
    length = torch.tensor([len(items)])
    generator = torch.Generator().manual_seed(seed)
    if operator == POLICY:
        pairs = policy.draw(length.repeat((views + 1) // 2), generator)
        slots = pairs.T.flatten()[:views]
    else:
        slots = torch.full((views,), _slot(augmenter, operator, len(items)))
    original = torch.from_numpy(np.array(items, dtype=np.int64))  # copied: torch refuses to share a read-only array
    offsets = torch.tensor([0, len(items)])
    users = torch.zeros(views, dtype=torch.int64)
    batch = augmenter.apply(slots, users, original, offsets, neighbours, generator)
    return PreviewArrays(
        branch="short" if bool(policy.is_short(length)) else "long",
        short_length=policy.short_length,
        views=tuple(view_of(augmenter, batch, index, len(items)) for index in range(views)),
    )


def _slot(augmenter: Augmenter, operator: str, length: int) -> int:
    try:
        return augmenter.policy.slot_named(operator, length)
    except KeyError:
        known = ", ".join([POLICY, *(found.name for found in entries("operator"))])
        raise UsageError(f"There is no operator called '{operator}'.", f"Known: {known}.") from None


def view_of(augmenter: Augmenter, batch: AugmentedBatch, index: int, length: int, begin: int = 0) -> ViewArrays:
    """View ``index`` of the batch, of a user whose ``length`` items begin at ``begin`` of the batch's flat items."""
    first, last = batch.offsets[index : index + 2].tolist()
    kinds = batch.kinds[first:last].numpy()
    sources = batch.sources[first:last].numpy() - begin
    all_scores = np.full(len(batch.kinds), np.nan)
    all_scores[batch.changed.numpy()] = batch.scores.numpy()
    present = np.zeros(length, dtype=bool)
    present[sources[kinds != TokenKind.INSERTED]] = True
    start, stop = (0, 0) if batch.reordered is None else batch.reordered[index].tolist()
    slot = augmenter.slots[int(batch.operators[index])]
    seen = min(length, augmenter.max_length) if augmenter.sees_tail else length
    # What the longest input keeps anyway; a crop that keeps an end of the sequence is shorter than that.
    whole = min(length, augmenter.max_length)
    is_untouched = not kinds.any() and np.array_equal(sources, np.arange(length - whole, length))
    return ViewArrays(
        operator=slot.entry,
        items=batch.items[first:last].numpy(),
        sources=sources,
        kinds=kinds,
        scores=all_scores[first:last],
        dropped=np.flatnonzero(~present),
        reordered=(start, stop) if stop > start else None,
        note=_note(slot.operator, seen, int(batch.unmatched[index]), is_untouched),
    )


def _note(operator: Operator, length: int, unmatched: int, is_untouched: bool) -> str:
    if because := operator.note(length):
        return because
    if unmatched:
        some = "1 chosen item has" if unmatched == 1 else f"{unmatched} chosen items have"
        return f"{some} no neighbour and {'stays' if unmatched == 1 else 'stay'} as before."
    return "The draw happens to leave these items as they were." if is_untouched else ""
