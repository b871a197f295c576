"""What a run will cost, before it starts."""

from __future__ import annotations

from engine.config import ExperimentConfig
from engine.records import CostEstimate


class Costs:
    """Facade over ``engine.training.cost``."""

    def estimate(self, config: ExperimentConfig) -> CostEstimate:
        """Rehearse a run with ``config`` for some seconds on the device it would use; nothing is kept.

        Raises ``DataError`` and ``UsageError`` for a file that cannot be used, ``ConfigurationError`` where there is no
        such device, ``OutOfMemoryError`` where even a batch does not fit.
        """
        from engine.data.dataset import load
        from engine.training.cost import rehearse

        return rehearse(config, load(config.data.path))
