"""Caser (Tang and Wang 2018; FACTS B4): the last L items as an image of L × d numbers.

Legend: N windows, L items of a window, T targets, U training users, I items, d embedding size, V vertical filters, H
horizontal filters of each height.
"""

from __future__ import annotations

import math
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import registry
from engine.config import ExperimentConfig
from engine.models.caser.options import CaserOptions
from engine.models.contract import Batch, Negatives, Windows
from engine.models.output import with_bias, with_one
from engine.modules.dropout import Dropout
from engine.modules.ways import sent


class Caser(nn.Module):
    """z = act(W [vertical; horizontal] + b); the score of an item is its output vector · [z; user] + its bias."""

    def __init__(
        self, options: CaserOptions, item_count: int, users: int, generator: torch.Generator | None = None
    ) -> None:
        """Draw the initial weights with ``generator``, on the CPU: tables N(0, 1/width), filters and dense layer
        uniform in ±1/√inputs."""
        super().__init__()
        size = options.hidden_size
        self.max_length = options.window
        self.examples = Windows(options.window, options.targets, options.prefixes)
        self.negatives = options.negatives
        self.activation = torch.relu if options.activation == "relu" else torch.tanh
        self.user_embedding = nn.Embedding(users, size)
        self.item_embedding = nn.Embedding(item_count + 2, size, padding_idx=0)
        self.vertical = nn.Linear(options.window, options.vertical)
        self.horizontal = nn.ModuleList(
            nn.Conv1d(size, options.horizontal, height) for height in range(1, options.window + 1)
        )
        answers = options.vertical * size + options.horizontal * options.window
        self.dropout = Dropout(options.dropout)
        self.dense = nn.Linear(answers, size)
        self.output_embedding = nn.Embedding(item_count + 2, 2 * size)
        self.output_bias = nn.Parameter(torch.zeros(item_count + 2))
        self._initialise(generator)

    @classmethod
    def from_config(
        cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None, users: int = 0
    ) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "caser"), config.model)
        assert isinstance(options, CaserOptions)
        return cls(options, item_count, users, generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator | None) -> None:
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                module.weight.normal_(0, 1 / module.embedding_dim, generator=generator)
            elif isinstance(module, nn.Linear | nn.Conv1d):
                bound = 1 / math.sqrt(module.weight[0].numel())
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.uniform_(-bound, bound, generator=generator)
        self.item_embedding.weight[0].zero_()

    def windows(self, items: Tensor, offsets: Tensor) -> Tensor:
        """The last L items of each sequence, padding in front. items [A], offsets [N + 1] on the host → [N, L]."""
        place = offsets[1:].unsqueeze(1) - self.max_length + torch.arange(self.max_length)
        exists = sent(place >= offsets[:-1].unsqueeze(1), items.device)
        if not items.numel():
            return torch.zeros_like(exists, dtype=torch.int64)
        return items[sent(place.clamp(min=0), items.device)] * exists

    def encode(self, windows: Tensor, users: Tensor) -> Tensor:
        """What an item's output vector is multiplied with. windows int64 [N, L], users int64 [N] → [N, 2d]."""
        image = self.item_embedding(windows).transpose(1, 2)  # [N, d, L]
        vertical = self.vertical(image).transpose(1, 2).flatten(1)  # [N, V · d]
        horizontal = [self.activation(filters(image)).amax(-1) for filters in self.horizontal]  # [N, H] each
        answers = self.dropout(torch.cat((vertical, *horizontal), 1))
        return torch.cat((self.activation(self.dense(answers)), self.user_embedding(users)), 1)

    def loss(self, batch: Batch, negatives: Negatives, generator: torch.Generator) -> Tensor:
        """Mean of −log σ(score) over the targets that there are, plus mean of −log(1 − σ(score)) over the negatives."""
        rows = sent(batch.rows, batch.inputs.device)
        targets = batch.targets.view(len(rows), batch.after)  # [N, T], 0 where there is none
        others = negatives(rows.repeat_interleave(self.negatives), generator).view(len(rows), -1)
        candidates = torch.cat((targets, others), 1)  # [N, T + negatives]
        encoded = self.encode(self.windows(batch.inputs, batch.offsets), rows)  # [N, 2d]
        vectors = F.embedding(candidates, self.output_embedding.weight)  # [N, T + negatives, 2d]
        logits = (vectors @ encoded.unsqueeze(2)).squeeze(2) + self.output_bias[candidates]
        positive, negative = logits.split((batch.after, self.negatives), 1)
        exists = targets > 0
        return (F.softplus(-positive) * exists).sum() / exists.sum().clamp(min=1) + F.softplus(negative).mean()

    def queries(self, items: Tensor, offsets: Tensor, users: Tensor) -> Tensor:
        """What scores the items as the next one of the training users ``users``. [N, 2d + 1]"""
        return with_one(self.encode(self.windows(items, offsets), users))

    def output_table(self) -> Tensor:
        """Rows that score the items, with the biases as a last column. [I + 2, 2d + 1]"""
        return with_bias(self.output_embedding.weight, self.output_bias)
