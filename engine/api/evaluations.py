"""Metrics without a run: popularity, and weights from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.config import ExperimentConfig, parse

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
        from engine.data.splits import leave_one_out
        from engine.evaluation.protocol import evaluate
        from engine.evaluation.scoring import ModelScorer
        from engine.models.popularity.module import Popularity, popularity_counts

        config = ExperimentConfig().replace({"evaluate.ties": ties})
        dataset = load(path)
        users = leave_one_out(dataset)
        model = Popularity(popularity_counts(users, dataset.item_count, count_everything))
        inputs = users.valid_inputs if split == "valid" else users.test_inputs
        scorer = ModelScorer(model, inputs, longest=1)
        return evaluate(scorer, users, split, dataset.item_count, config.evaluate, config.fidelity).metrics

    def checkpoint(
        self, path: str, checkpoint: str, config: ExperimentConfig, split: Literal["valid", "test"] = "test"
    ) -> Metrics:
        """HR@k, NDCG@k and MRR of stored weights: ours, or named as the authors name theirs (FACTS F20).

        The rules of ranking, the device and the model's shape are ``config``'s. Raises ``UsageError`` when the file
        cannot be read, belongs to other data or does not fit the model, ``DataError`` for a bad data file.
        """
        from engine.data.dataset import load
        from engine.data.splits import leave_one_out
        from engine.evaluation.protocol import evaluate
        from engine.training import setup
        from engine.training.device import memory_guard, resolve
        from engine.training.stored import stored_model

        dataset = load(path)
        users = leave_one_out(dataset)
        device = resolve(config.train.device)
        with memory_guard(config, device):
            model = stored_model(config, dataset, users, Path(checkpoint).expanduser()).to(device)
            scorer = setup.scorer(config, dataset, users, split, model, device)
            return evaluate(scorer, users, split, dataset.item_count, config.evaluate, config.fidelity).metrics

    def stored_config(self, checkpoint: str) -> ExperimentConfig | None:
        """The configuration that a checkpoint of ours carries; None for a file of bare weights.

        Raises ``UsageError`` when the file cannot be read.
        """
        from engine.training.checkpoint import read_weights

        stored = read_weights(Path(checkpoint).expanduser()).config
        return parse(stored) if stored else None
