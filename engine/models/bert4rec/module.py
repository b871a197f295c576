"""BERT4Rec (Sun et al. 2019; FACTS B6): the Transformer's blocks without causality, and an output head.

Legend: S sequences with T kept tokens in M slots of a layout, d hidden size, I items; I + 1 is the mask.
"""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import registry
from engine.config import ExperimentConfig
from engine.models.bert4rec.options import Bert4RecOptions
from engine.models.output import with_bias, with_one
from engine.modules.dropout import Dropout
from engine.modules.encoder import Encoder
from engine.modules.kernels.norm import embedded_norm
from engine.modules.layout import Layout, packed_layout
from engine.modules.linear import linear, reduced_type
from engine.modules.ways import sent

_EPS = 1e-12


class Bert4Rec(nn.Module):
    """Embeddings and blocks as SASRec's (post-LayerNorm, GELU); scores are LayerNorm(GELU(W h + b)) · Eᵀ + bias."""

    def __init__(
        self,
        options: Bert4RecOptions,
        item_count: int,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw the initial weights with ``generator``, on the CPU: N(0, deviation²), biases 0. ``dtype``: of the
        blocks' products, None for the weights' own."""
        super().__init__()
        size = options.hidden_size
        self.max_length = options.max_length
        self.mask_item = item_count + 1
        self.mask_rate, self.last_only = options.mask_rate, options.last_only
        self.item_embedding = nn.Embedding(item_count + 2, size, padding_idx=0)
        self.position_embedding = nn.Embedding(options.max_length, size)
        self.embedding_norm = nn.LayerNorm(size, eps=_EPS)
        self.dropout = Dropout(options.dropout)
        self.encoder = Encoder(
            size, layers=options.layers, heads=options.heads, dropout=options.dropout, eps=_EPS, dtype=dtype
        )
        self.head = nn.Linear(size, size)
        self.head_norm = nn.LayerNorm(size, eps=_EPS)
        self.output_bias = nn.Parameter(torch.zeros(item_count + 2))
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear | nn.Embedding):
                    module.weight.normal_(0, options.initializer_range, generator=generator)
                if isinstance(module, nn.Linear):
                    module.bias.zero_()
            self.item_embedding.weight[0].zero_()

    @classmethod
    def from_config(cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "bert4rec"), config.model)
        assert isinstance(options, Bert4RecOptions)
        return cls(options, item_count, generator, reduced_type(config.train.precision))

    def packed(self, offsets: Tensor, items: Tensor) -> Layout:
        """The packed layout of these sequences, every token seeing all of its sequence. ``offsets`` on the host."""
        return packed_layout(offsets, self.max_length, is_bidirectional=True, device=items.device)

    def encode_slots(self, items: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """Hidden states in the layout's order, or of those ``slots`` int64 [K] alone. items [A] → [M, d] or [K, d];
        slots that are not real are undefined."""
        rows = items[layout.token].where(layout.is_real, 0)
        tables = (self.item_embedding, rows, self.position_embedding, layout.position)
        x = embedded_norm(*tables, self.embedding_norm, self.dropout)  # [M, d]
        return self.encoder(x, layout, slots)

    def outputs(self, hidden: Tensor) -> Tensor:
        """The output head, and a 1 for the bias. [T, d] → [T, d + 1]"""
        return with_one(self.head_norm(F.gelu(linear(self.head, hidden))))

    def output_table(self) -> Tensor:
        """The item table with the biases as a last column, [I + 2, d + 1]."""
        return with_bias(self.item_embedding.weight, self.output_bias)

    def queries(self, items: Tensor, offsets: Tensor) -> Tensor:
        """What scores the items in the place of a mask appended to each sequence. [S, d + 1]"""
        masked, ends = self.with_mask(items, offsets)
        layout = self.packed(ends, masked)
        return self.outputs(self.encode_slots(masked, layout, layout.last_slots()))

    def with_mask(self, items: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """The sequences, each followed by the mask, and their offsets. items [A] → [A + S]."""
        ends = offsets + torch.arange(len(offsets))
        is_item = torch.ones(int(ends[-1]), dtype=torch.bool)
        is_item[ends[1:] - 1] = False
        masked = items.new_full((len(is_item),), self.mask_item)
        masked[sent(is_item.nonzero().squeeze(1), items.device)] = items
        return masked, ends
