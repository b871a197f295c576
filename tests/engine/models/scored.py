"""Every score of a model, as evaluation makes them."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.evaluation.scoring import Recommender, scores_in_parts


@torch.no_grad()
def scores_of(model: Recommender, *given: Tensor) -> Tensor:
    """items [A], offsets [S + 1], and users where the model knows them → [S, I + 2]."""
    return torch.cat(list(scores_in_parts(model.queries(*given), model.output_table())))
