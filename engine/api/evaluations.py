"""Metrics without a run: popularity, and weights from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from engine.config import ExperimentConfig, parse
from engine.errors import DataError, UsageError

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
        """HR@k, NDCG@k and MRR of stored weights: ours, or named as the authors name theirs (FACTS F20).

        The rules of ranking, the device and the model's shape are ``config``'s. Raises ``UsageError`` when the file
        cannot be read or does not fit the model on this data set, ``DataError`` for a bad data file.
        """
        import torch

        from engine.data.dataset import load
        from engine.data.splits import LeaveOneOut
        from engine.evaluation.protocol import evaluate
        from engine.training import setup
        from engine.training.checkpoint import read_weights
        from engine.training.device import memory_guard, resolve

        if not setup.trains(config):
            raise UsageError(f"'{config.model.name}' has no weights to read.", "Name the preset the weights are of.")
        weights, is_published = read_weights(Path(checkpoint).expanduser())
        dataset = load(path)
        users = LeaveOneOut(dataset.sequences)
        device = resolve(config.train.device)
        with memory_guard(config, device):
            model = setup.model(config, dataset, users, torch.Generator())
            _fill(model, weights, is_published, checkpoint)
            model.to(device).eval()
            scorer = setup.scorer(config, dataset, users, split, model, device)
            return evaluate(scorer, users, split, dataset.item_count, config.evaluate, config.fidelity).metrics

    def stored_config(self, checkpoint: str) -> ExperimentConfig | None:
        """The configuration that a checkpoint of ours carries; None for a file of bare weights.

        Raises ``UsageError`` when the file cannot be read.
        """
        from engine.training.checkpoint import read, read_weights

        place = Path(checkpoint).expanduser()
        _, is_published = read_weights(place)
        return None if is_published else parse(str(read(place)["config"]))


def _fill(model: Any, weights: Mapping[str, Any], is_published: bool, checkpoint: str) -> None:
    if is_published:
        model.load_published(weights)
        return
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        first = next((line.strip() for line in str(error).splitlines()[1:]), str(error))
        raise UsageError(
            f"The weights in {checkpoint} do not fit: {first}", "Check the data set and the model's settings."
        ) from None
