"""Whether stored weights fit a model: said by name and shape before anything is copied."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from engine.errors import UsageError


def refuse_misfit(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Hold the weights of a file, ``given``, to those that a model has, ``expected``.

    Raises ``UsageError`` that lists missing and unknown names, or names the first shape that does not fit.
    """
    missing, unknown = sorted(set(expected) - set(given)), sorted(set(given) - set(expected))
    if missing or unknown:
        parts = [f"{word}: {', '.join(names)}" for word, names in (("missing", missing), ("unknown", unknown)) if names]
        raise UsageError(
            f"The weights do not fit this model; {'; '.join(parts)}.",
            "Check model.layers, and that the file holds the weights of a CoSeRec or SASRec.",
        )
    for name, value in expected.items():
        if given[name].shape != value.shape:
            raise UsageError(
                f"The weights do not fit this model: {name} is {_shape(given[name])} in the file, "
                f"{_shape(value)} here.",
                "Check the data set, model.hidden_size and model.max_length.",
            )


def _shape(value: Tensor) -> str:
    return " × ".join(str(size) for size in value.shape)
