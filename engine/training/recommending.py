"""What a trained model ranks for one user, by the very computation that its run was evaluated with; and what it sees.

The whole batch of users that evaluation scored together is scored again, because products of other shapes round
otherwise: so the rank is the stored one, and a list never contradicts a metric. That takes one batch of
``evaluate.batch_size`` users (at most 512 MB of scores), whatever the size of the data set.

Legend: n tokens that the model looks at, H heads, I items.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import registry
from engine.config import ExperimentConfig
from engine.data.dataset import Dataset
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.evaluation.protocol import Which, model_inputs
from engine.evaluation.ranking import ranked
from engine.evaluation.scoring import ModelScorer
from engine.modules.attention import has_attention, watched
from engine.modules.layout import Layout


@dataclass(frozen=True, eq=False)
class UserRanking:
    """``scores`` float32 [I + 2] under the rules of ranking, −∞ for what is no candidate. ``rank`` of the target from
    0, infinite for a certain miss. ``tokens`` int64 [n]: what the model looked at."""

    scores: NDArray[np.float32]
    rank: float
    tokens: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class UserList:
    """Evaluated user ``row``'s best ``items`` int64 [k], dense ids, best first, with ``scores`` float32 [k]."""

    row: int
    items: NDArray[np.int64]
    scores: NDArray[np.float32]
    target: int


_NOTHING: NDArray[np.int64] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Softmaxes:
    """``weights`` float32 [layers, H, n, n], query × key, over ``tokens`` int64 [n], a mask at their end included."""

    tokens: NDArray[np.int64]
    weights: NDArray[np.float32]
    is_causal: bool


@dataclass(frozen=True, eq=False)
class OneUser:
    """A model of ``config``, on the host and in evaluation mode, for one evaluated user after another."""

    model: Any
    config: ExperimentConfig
    dataset: Dataset
    split: LeaveOneOut

    @cached_property
    def _noisy(self) -> Sequences:
        """Test inputs with the noise of §5.4, drawn once for all users as evaluation draws it."""
        return self._all_inputs("test")

    def _all_inputs(self, which: Which) -> Sequences:
        config = self.config
        return model_inputs(self.split, which, self.dataset.item_count, config.evaluate, config.train.seed)

    def _inputs(self, which: Which) -> Sequences:
        is_noisy = which == "test" and self.config.evaluate.noise_rate
        return self._noisy if is_noisy else self._all_inputs(which)

    def _scorer(self, which: Which, rows: NDArray[np.int64]) -> ModelScorer:
        """Of the users ``rows`` [B] of ``split.users``, who are its rows 0 … B − 1."""
        knows_users = registry.entry("model", self.config.model.name).facts["knows_users"]
        longest = getattr(self.model, "max_length", 1)
        return ModelScorer(self.model, self._inputs(which).take(rows), longest, "cpu", rows if knows_users else None)

    def tokens(self, which: Which, row: int) -> NDArray[np.int64]:
        """Dense ids that the model looks at, oldest first; none where it looks at no history."""
        longest = getattr(self.model, "max_length", 0) - hasattr(self.model, "with_mask")  # whose mask takes a place
        return self._inputs(which)[row][-longest:].astype(np.int64) if longest > 0 else np.empty(0, dtype=np.int64)

    def _batch(self, which: Which, row: int) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """The users that are encoded together with ``row``, [b], and their scores, some at a time: those of the run's
        own evaluation, so that no digit differs."""
        size = self.config.evaluate.batch_size
        begin = row // size * size
        left = np.arange(begin, min(begin + size, len(self.split.users)), dtype=np.int64)
        for scores in self._scorer(which, left)(left - begin):
            rows, left = left[: len(scores)], left[len(scores) :]
            yield rows, scores

    def ranking(self, which: Which, row: int) -> UserRanking:
        """Scores and the target's rank for evaluated user ``row``. Raises ``RunError`` where a score is no number."""
        rows, scores = next((rows, scores) for rows, scores in self._batch(which, row) if row in rows)
        scores, ranks = self._ranked(which, rows, scores)
        place = row - int(rows[0])
        own = scores[place].float().numpy().copy()  # not a view: the batch's scores are let go
        return UserRanking(own, float(ranks[place]), self.tokens(which, row))

    def lists(self, which: Which, top: int) -> Iterator[UserList]:
        """The ``top`` best items of every evaluated user, in their order. Raises ``RunError`` as `ranking`."""
        targets = self._targets(which)
        for begin in range(0, len(self.split.users), self.config.evaluate.batch_size):
            for rows, found in self._batch(which, begin):
                scores, ranks = self._ranked(which, rows, found)
                for row, own, rank in zip(rows.tolist(), scores.float().numpy(), ranks.tolist(), strict=True):
                    target = int(targets[row])
                    items = best(UserRanking(own, rank, _NOTHING), target, top)
                    yield UserList(row, items, own[items], target)

    def _targets(self, which: Which) -> NDArray[np.int32]:
        return self.split.valid_targets if which == "valid" else self.split.test_targets

    def _ranked(self, which: Which, rows: NDArray[np.int64], scores: Tensor) -> tuple[Tensor, NDArray[np.float64]]:
        config, split = self.config, self.split
        histories = split.valid_inputs if which == "valid" else split.test_inputs
        return ranked(
            scores,
            histories.take(rows),
            self._targets(which)[rows],
            config.evaluate.seen_items,
            config.evaluate.ties,
            rank_special_tokens=config.fidelity.rank_special_tokens,
        )

    @property
    def has_attention(self) -> bool:
        """Whether the model has attention weights to show."""
        return has_attention(self.model)

    def softmaxes(self, which: Which, row: int) -> Softmaxes | None:
        """Attention of every layer and head while the model scores this user; None for a model without attention."""
        kept: list[Tensor] = []
        causal: list[bool] = []

        def keep(layout: Layout, blocks: list[Tensor]) -> None:
            count, group = int(layout.lengths[0]), layout.groups[0]
            first = int(layout.first[0]) - group.start
            kept.append(blocks[0][:, 0, first : first + count, first : first + count])
            causal.append(group.is_causal)

        with watched(self.model, keep) as layers:
            if not layers:
                return None
            self._scorer(which, np.array([row], dtype=np.int64)).queries(np.zeros(1, dtype=np.int64))
        tokens = torch.from_numpy(self.tokens(which, row))
        if hasattr(self.model, "with_mask"):  # the question that a bidirectional model answers stands at the end
            tokens, _ = self.model.with_mask(tokens, torch.tensor([0, len(tokens)]))
        weights = torch.stack(kept)
        return Softmaxes(tokens[-weights.shape[-1] :].numpy(), weights.float().numpy(), all(causal))


def best(found: UserRanking, target: int, top: int) -> NDArray[np.int64]:
    """The ``top`` best candidates, int64, best first, equals by id; but the target stands where its rank says."""
    scores = np.where(np.isnan(found.scores), math.inf, found.scores)  # as ranking has it: no number is above all
    # All that could be among them, by id: the target may take one's place.
    least = np.partition(scores, -top - 1)[-top - 1] if top + 1 < len(scores) else -math.inf
    near = np.flatnonzero((scores >= least) & (scores > -math.inf))
    order = near[np.argsort(-scores[near], kind="stable")]
    if math.isfinite(found.rank):
        others, place = order[order != target], math.floor(found.rank)
        order = np.insert(others, place, target) if place <= len(others) else others
    return order[:top].astype(np.int64)
