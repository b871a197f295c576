"""What the options of every model with attention heads have in common, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from engine.registry import Options


class HeadedOptions(Options):
    """Options with a ``hidden_size`` that its ``heads`` share evenly."""

    if TYPE_CHECKING:  # declared by each model, with its own default, source and place in the form
        hidden_size: int
        heads: int

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError(f"heads: {self.heads} heads do not divide the hidden size {self.hidden_size}")
        return self
