"""What a run will cost, before it starts."""

from __future__ import annotations

from engine.config import ExperimentConfig
from engine.records import CostEstimate


class Costs:
    """Facade over ``engine.training.cost``."""

    def estimate(self, config: ExperimentConfig) -> CostEstimate:
        """Rehearse a run with ``config`` for some seconds on the device it would use; nothing is kept.

        Raises ``DataError`` and ``UsageError`` for a file that cannot be used, ``ConfigurationError`` where there is no
        such device or the data make a setting impossible, ``OutOfMemoryError`` where even a batch does not fit.
        """
        from engine.data.dataset import load
        from engine.data.fits import refuse_impossible
        from engine.training.cost import rehearse

        dataset = load(config.data.path)
        refuse_impossible(config, dataset)
        return rehearse(config, dataset)
