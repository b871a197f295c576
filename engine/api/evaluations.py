"""Metrics without a run: popularity, and weights from a file."""

from __future__ import annotations

from typing import Literal

from engine.config import ExperimentConfig

Metrics = dict[str, float]


class Evaluations:
    """Facade over ``engine.evaluation``."""

    def popularity(
        self, path: str, *, count_everything: bool = False, split: Literal["valid", "test"] = "test", ties: str = "id"
    ) -> Metrics:
        """PopRec's HR@k and NDCG@k (FACTS B1, F21)."""
        raise NotImplementedError

    def checkpoint(
        self, path: str, checkpoint: str, config: ExperimentConfig, split: Literal["valid", "test"] = "test"
    ) -> Metrics:
        """Metrics of stored weights, ours or named as in FACTS F20. Raises ``UsageError`` when they do not fit."""
        raise NotImplementedError
