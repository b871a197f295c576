"""Metrics without a run: popularity, and weights from a file."""

from __future__ import annotations

from typing import Literal

from engine.config import ExperimentConfig
from engine.errors import DataError

Metrics = dict[str, float]


class Evaluations:
    """Facade over ``engine.evaluation``."""

    def popularity(
        self, path: str, *, count_everything: bool = False, split: Literal["valid", "test"] = "test", ties: str = "id"
    ) -> Metrics:
        """PopRec's HR@k, NDCG@k and MRR, ranking all items but those in the user's input (FACTS B1, F21).

        Counts the training parts or, with ``count_everything``, the held-out items too, as the paper does. ``ties`` is
        a value of ``evaluate.ties``. Raises ``DataError``, ``UsageError``, and ``ConfigurationError`` for other ties.
        """
        from engine.data.dataset import load
        from engine.data.splits import LeaveOneOut
        from engine.evaluation.protocol import evaluate
        from engine.evaluation.scoring import ModelScorer
        from engine.models.popularity.module import Popularity, popularity_counts

        config = ExperimentConfig().replace({"evaluate.ties": ties})
        dataset = load(path)
        users = LeaveOneOut(dataset.sequences)
        if not len(users.users):
            raise DataError(
                "no user has at least 4 items, so there is nobody to evaluate.",
                "Leave-one-out holds out each user's last two items.",
                path=dataset.path,
            )
        model = Popularity(popularity_counts(users, dataset.item_count, count_everything))
        inputs = users.valid_inputs if split == "valid" else users.test_inputs
        scorer = ModelScorer(model, inputs, longest=1)
        return evaluate(scorer, users, split, dataset.item_count, config.evaluate, config.fidelity).metrics

    def checkpoint(
        self, path: str, checkpoint: str, config: ExperimentConfig, split: Literal["valid", "test"] = "test"
    ) -> Metrics:
        """Metrics of stored weights, ours or named as in FACTS F20. Raises ``UsageError`` when they do not fit."""
        raise NotImplementedError
