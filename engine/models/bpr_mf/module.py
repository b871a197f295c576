"""BPR-MF (Rendle et al. 2009; FACTS B2): the score of an item is the dot product of its vector and the user's.

Legend: U training users, I items, N actions of a batch, B users, d embedding size.
"""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import registry
from engine.config import ExperimentConfig
from engine.models.bpr_mf.options import BprMfOptions
from engine.models.contract import Batch, Interactions, Negatives
from engine.modules.ways import sent


class BprMf(nn.Module):
    """Two tables. A user who was not trained on keeps the vector that was drawn at the start."""

    examples = Interactions()

    def __init__(
        self, options: BprMfOptions, item_count: int, users: int, generator: torch.Generator | None = None
    ) -> None:
        """Draw the initial weights with ``generator``, on the CPU (Xavier, FACTS B2)."""
        super().__init__()
        self.embedding_decay = options.embedding_decay
        self.user_embedding = nn.Embedding(users, options.hidden_size)
        self.item_embedding = nn.Embedding(item_count + 2, options.hidden_size)
        with torch.no_grad():
            for table in (self.user_embedding, self.item_embedding):
                nn.init.xavier_uniform_(table.weight, generator=generator)

    @classmethod
    def from_config(
        cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None, users: int = 0
    ) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "bpr_mf"), config.model)
        assert isinstance(options, BprMfOptions)
        return cls(options, item_count, users, generator)

    def loss(self, batch: Batch, negatives: Negatives, generator: torch.Generator) -> Tensor:
        """Mean of −log σ(u·i − u·j) over the actions, one negative j each, and L2 of u, i and j."""
        rows = sent(batch.rows, batch.targets.device)
        items = torch.stack((batch.targets, negatives(rows, generator)))  # [2, N]
        users = F.embedding(rows, self.user_embedding.weight)  # [N, d]
        chosen = F.embedding(items, self.item_embedding.weight)  # [2, N, d]
        positive, negative = (chosen * users).sum(-1)  # [N] each
        decay = (users.square().sum() + chosen.square().sum()) / max(len(rows), 1)
        return F.softplus(negative - positive).mean() + self.embedding_decay * decay

    def queries(self, items: Tensor, offsets: Tensor, users: Tensor) -> Tensor:  # noqa: ARG002 - a user is a number
        """Vectors of the training users ``users`` int64 [B]. [B, d]"""
        return self.user_embedding.weight[users]

    def output_table(self) -> Tensor:
        """Vectors of the items, [I + 2, d]."""
        return self.item_embedding.weight
