"""Records of the Augment page: the views of many users, and of many users under an encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.records.weights import UsedWeights


@dataclass(frozen=True, eq=False)
class AugmentationEffect:
    """What augmentation does to many users, two views each; partial counts add up with `plus`.

    The first axis is the branch of Eq. 12: 0 short, 1 long. Histograms of ``BINS`` = 21 cells hold shares in steps of
    5 %, the last one exactly 100 %; ``shifts`` [2, 101] counts views by (their length − the training input's), from
    −50 to 50, the ends with all beyond. ``operators`` and ``untouched`` [2, letters] count the views that each operator
    made, and those that it left as they were.
    """

    BINS: ClassVar[int] = 21
    SPAN: ClassVar[int] = 50

    source: str
    """Where correlated items came from: ``memory``, ``model`` or ``hybrid``."""
    letters: tuple[str, ...]
    users: NDArray[np.int64]
    shifts: NDArray[np.int64]
    kept: NDArray[np.int64]
    """Views by the share of the training input's items that they keep as they are, [2, 21]."""
    overlap: NDArray[np.int64]
    """Users by the Jaccard index of the two views' sets of items (mask and padding left out), [2, 21]."""
    operators: NDArray[np.int64]
    untouched: NDArray[np.int64]
    sums: NDArray[np.float64]
    """[2, 3]: the exact sums of shifts and shares kept over the views, and of Jaccard indices over the users."""
    looked_up: int
    """Substituted and inserted tokens."""
    stand_ins: int
    """Of these, random items for an item without a neighbour (FACTS F15)."""
    score_sum: float
    """Their normalised correlations, added up."""
    unmatched: int
    """Chosen items that were left as they were for want of a neighbour."""
    differing: int | None
    """Looked-up tokens that are another item than memory-based correlation gives in the same draw; None if unknown."""
    weights: UsedWeights | None = None
    """Whose item embeddings; None where correlated items are memory-based alone."""

    def plus(self, other: AugmentationEffect) -> AugmentationEffect:
        """Both together."""
        added = {
            name: getattr(self, name) + getattr(other, name)
            for name in (*_EFFECT_ARRAYS, "looked_up", "stand_ins", "score_sum", "unmatched")
        }
        unknown = self.differing is None or other.differing is None
        differing = None if unknown else (self.differing or 0) + (other.differing or 0)
        return replace(self, differing=differing, weights=_of_both(self.weights, other.weights), **added)

    @property
    def short_share(self) -> float:
        """Share of the users on the short branch, 0…1."""
        return float(self.users[0] / max(int(self.users.sum()), 1))

    def means(self) -> dict[str, float]:
        """Mean length shift, share kept and overlap over both branches, and the mean score of looked-up tokens."""
        users = max(int(self.users.sum()), 1)
        shift, kept, overlap = self.sums.sum(0).tolist()
        found = max(self.looked_up, 1)
        return {
            "length_shift": shift / (2 * users),
            "kept": kept / (2 * users),
            "overlap": overlap / users,
            "score": self.score_sum / found,
            "stand_in_share": self.stand_ins / found,
        }


def _of_both(first: UsedWeights | None, second: UsedWeights | None) -> UsedWeights | None:
    """What two parts were computed with: a run that trains may have written new weights between them."""
    if first is None or second is None or first == second:
        return first
    same = first.epoch == second.epoch
    epoch, is_best = (first.epoch, first.is_best) if same else (None, None)
    return UsedWeights(first.source, epoch, is_best, second.run_status)


_EFFECT_ARRAYS = ("users", "shifts", "kept", "overlap", "operators", "untouched", "sums")


@dataclass(frozen=True, eq=False)
class PairSimilarities:
    """How alike two views of one user are under an encoder, beside views of other users of its batch (Eq. 14).

    ``positives`` float [P] one a user; ``negatives`` float [Q] a fixed random sample; ``ranks`` float [2, P] the place
    of the partner among itself and the ``others`` = 2N − 2 views of other users, from 1, ties in the middle, seen from
    the first and from the second view; ``operators`` int [2, P] into ``letters``.
    """

    similarity: str
    representation: str
    letters: tuple[str, ...]
    others: int
    positives: NDArray[np.float32]
    negatives: NDArray[np.float32]
    ranks: NDArray[np.float64]
    operators: NDArray[np.int64]
    weights: UsedWeights | None = None
    """The encoder's."""

    def plus(self, other: PairSimilarities) -> PairSimilarities:
        """Both batches' users; ``others`` stays that of the first batch."""
        joined: dict[str, Any] = {
            name: np.concatenate((getattr(self, name), getattr(other, name)), axis=-1)
            for name in ("positives", "negatives", "ranks", "operators")
        }
        return replace(self, weights=_of_both(self.weights, other.weights), **joined)

    def summary(self) -> dict[str, float]:
        """Means, share of views whose partner is the nearest of all, median rank, and what chance would give."""
        return {
            "users": len(self.positives),
            "positive_mean": float(self.positives.mean()),
            "negative_mean": float(self.negatives.mean()),
            "first_share": float((self.ranks <= 1).mean()),
            "median_rank": float(np.median(self.ranks)),
            "chance": 1 / (self.others + 1),
        }

    def by_operators(self) -> tuple[tuple[str, str, int, float], ...]:
        """(letter, letter, users, share ranked first) of every unordered pair of operators that was drawn."""
        low, high = np.sort(self.operators, axis=0)
        first = (self.ranks <= 1).mean(0)
        rows = []
        for a, b in sorted(set(zip(low.tolist(), high.tolist(), strict=True))):
            chosen = (low == a) & (high == b)
            rows.append((self.letters[a], self.letters[b], int(chosen.sum()), float(first[chosen].mean())))
        return tuple(rows)
