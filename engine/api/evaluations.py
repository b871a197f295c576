"""Metrics without a run: popularity, and weights from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine.config import ExperimentConfig, parse
from engine.errors import UsageError

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
        import torch

        from engine.data.dataset import load
        from engine.data.splits import leave_one_out
        from engine.evaluation.protocol import evaluate
        from engine.models.weights import refuse_misfit
        from engine.training import setup
        from engine.training.checkpoint import read_weights
        from engine.training.device import memory_guard, resolve

        if not setup.trains(config):
            raise UsageError(f"'{config.model.name}' has no weights to read.", "Name the preset the weights are of.")
        weights = read_weights(Path(checkpoint).expanduser())
        dataset = load(path)
        if weights.fingerprint not in ("", dataset.fingerprint):
            raise UsageError(
                f"The weights in {checkpoint} were trained on other data than {dataset.path} holds.",
                "Name the data set of their run.",
            )
        users = leave_one_out(dataset)
        device = resolve(config.train.device)
        with memory_guard(config, device):
            model = setup.model(config, dataset, users, torch.Generator())
            if weights.is_published:
                model.load_published(weights.values)
            else:
                refuse_misfit(model.state_dict(), weights.values)
                model.load_state_dict(weights.values)
            model.to(device).eval()
            scorer = setup.scorer(config, dataset, users, split, model, device)
            return evaluate(scorer, users, split, dataset.item_count, config.evaluate, config.fidelity).metrics

    def stored_config(self, checkpoint: str) -> ExperimentConfig | None:
        """The configuration that a checkpoint of ours carries; None for a file of bare weights.

        Raises ``UsageError`` when the file cannot be read.
        """
        from engine.training.checkpoint import read_weights

        stored = read_weights(Path(checkpoint).expanduser()).config
        return parse(stored) if stored else None
