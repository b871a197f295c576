"""What each token counts in a batch's next-item loss (FACTS F7)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def weights_or(weights: Tensor | None, hidden: Tensor, lengths: Tensor, mean: Literal["tokens", "users"]) -> Tensor:
    """``weights`` [T] where they are given, else `token_weights` of that ``mean``."""
    return token_weights(hidden, lengths if mean == "users" else None) if weights is None else weights


def token_weights(hidden: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Weights [T] that sum to 1: alike for all tokens of ``hidden`` [T, d], or, with the ``lengths`` [N] of the users'
    tokens, the mean over users of each user's own mean (Algorithm 1, line 15)."""
    tokens = hidden.shape[0]
    if lengths is None:
        return hidden.new_full((tokens,), 1 / max(tokens, 1))
    return torch.repeat_interleave(1 / (lengths.to(hidden.dtype) * len(lengths)), lengths, output_size=tokens)
