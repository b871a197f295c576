"""Augmented views of a user's sequence, made by the code that trains on them."""

from __future__ import annotations

from engine.config import ExperimentConfig
from engine.records import AugmentationPreview


class Augmentations:
    """Facade over ``engine.augment``."""

    def preview(
        self, path: str, user: str, config: ExperimentConfig, operator: str = "policy", seed: int = 1, views: int = 2
    ) -> AugmentationPreview:
        """``views`` views of the user's training input. ``operator`` is ``policy`` (Eq. 12) or one operator's name.

        Raises ``UsageError`` for an unknown user or operator.
        """
        raise NotImplementedError
