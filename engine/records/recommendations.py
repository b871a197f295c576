"""Records of recommendations: what runs recommend to one user, what they look at, and which users they disagree on.

Ranks of these records count from 1, as people read them: 1 is the top of the list. With ``evaluate.ties = mean`` they
may be half numbers; infinity is a target that can never be listed (FACTS F3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class HistoryItem:
    """One item of a user's history: its place from 1, oldest first; ``is_target`` where the target stands in it too."""

    place: int
    item: str
    title: str
    is_target: bool


@dataclass(frozen=True)
class RecommendedItem:
    """One line of a list. ``lists`` counts the shown lists that it stands in, this one included."""

    place: int
    item: str
    title: str
    score: float
    is_target: bool
    lists: int


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """Softmaxes of one forward pass (§3.2): ``weights`` float32 [layers, heads, n, n], query × key, each row sums to 1.

    ``items`` [n] and ``titles`` [n] are the tokens that the model saw, oldest first; ``places`` [n] are their places in
    the history from 1, 0 for a token that is not of it (a mask, an item of the noise of §5.4).
    """

    items: tuple[str, ...]
    titles: tuple[str, ...]
    places: tuple[int, ...]
    weights: NDArray[np.float32]
    is_causal: bool
    """Whether no query sees a later key."""

    @property
    def layers(self) -> int:
        return int(self.weights.shape[0])

    @property
    def heads(self) -> int:
        return int(self.weights.shape[1])

    def chosen(self, layer: int | None = None, head: int | None = None) -> NDArray[np.float32]:
        """Weights [n, n] of one layer and head, counted from 0; None takes the mean over all of them."""
        layers = self.weights if layer is None else self.weights[layer : layer + 1]
        heads = layers if head is None else layers[:, head : head + 1]
        return np.asarray(heads.mean((0, 1)), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class RunRecommendation:
    """What one run's best weights recommend to a user, under the run's own rules of ranking."""

    run: str
    name: str
    model: str
    """The recommender, in words."""
    status: str
    epoch: int | None
    """Epoch of the weights, from 1; None where the model has nothing to train, or the file does not say."""
    items: tuple[RecommendedItem, ...]
    rank: float
    """Of the target."""
    stored_rank: float | None
    """The rank that the run itself has stored; None where it kept none."""
    target_score: float | None
    """None where the target is never ranked: it stands in the user's history, which is excluded."""
    candidates: int
    """Items that are ranked for this user."""
    seen_items: str
    """``evaluate.seen_items``: exclude, zero or keep (FACTS F3)."""
    ties: str
    """``evaluate.ties``."""
    inputs: int
    """Tokens of the history that the model looked at, the last ones; 0 for a model that looks at none."""
    has_attention: bool
    """Whether the model has attention weights at all."""
    attention: AttentionWeights | None
    """None where it has none, or nobody asked for them."""
    notes: tuple[str, ...]
    """What a reader must know of this list."""


@dataclass(frozen=True, eq=False)
class Recommendations:
    """One user under one to three runs of one data set."""

    dataset: str
    user: str
    row: int
    """Of the data set, from 0."""
    split: str
    """``valid`` or ``test``: whose target."""
    training_length: int
    """Of the training input ``items[:-3]``, which K compares (FACTS F4)."""
    history: tuple[HistoryItem, ...]
    target: HistoryItem
    top: int
    runs: tuple[RunRecommendation, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """``users`` whose targets stand among the first k of the runs ``right`` (their places from 0) and of no other."""

    right: tuple[int, ...]
    users: int


@dataclass(frozen=True, eq=False)
class FoundUsers:
    """Users by whether runs were right, F of them listed in the order that was asked for.

    ``ids`` are the users' ids in their own file; ``rows`` int64 [F] rows of the data set; ``lengths`` int64 [F] of the
    training inputs; ``ranks`` float64 [F, runs]; ``differences`` float64 [F], how many places the first of the two
    runs in ``between`` is better than the second: 0 where both never list the target.
    """

    split: str
    k: int
    runs: tuple[str, ...]
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    between: tuple[int, int]
    """Places of the two runs whose ranks are subtracted; of one run, (0, 0)."""
    order: str
    evaluated: int
    """Users whose targets were ranked."""
    in_range: int
    """Of them, those of the lengths that were asked for."""
    count: int
    """Users who match; the list may hold fewer."""
    outcomes: tuple[Outcome, ...]
    """Every combination of right and wrong, over the users in the range of lengths."""
    ids: tuple[str, ...]
    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    ranks: NDArray[np.float64]
    differences: NDArray[np.float64]
