"""SASRec in its original form: Kang and McAuley, *Self-Attentive Sequential Recommendation* (ICDM 2018; FACTS B5).

Where the paper and its authors' code (github.com/kang205/SASRec, commit 641c378: ``model.py``, ``modules.py``,
``main.py``) differ, this is the code, which is what others have run:

- The paper's sub-layers are x + dropout(g(LayerNorm(x))). In the code queries are LayerNorm(x), keys and values x as
  it is, and both residuals add the normalised rows.
- Dropout is on the sum of embeddings, on attention's probabilities, after the ReLU and after the second layer;
  attention's output has none, and no linear layer over the heads.
- Item embeddings are multiplied by √d as inputs, not where they score; β₂ is .98. The paper has neither.
- Weights are TensorFlow's default, Glorot's uniform in ±√(6 / (rows + columns)), tables included; biases are 0.
  LayerNorm's ε is 1e-8, and the L2 of embeddings 0.

The preset ``sasrec-paper`` ends after 20 epochs without a better validation, as the paper does (§IV-B), and after 201,
as the code does. Not taken over: users drawn with replacement instead of visited once an epoch, and ranking among 100
random items (FACTS F2). Padding is zero after every block and takes no part, so only real tokens are computed; an item
of id 0 inside a sequence (FACTS F10) is zero too, and hidden as a key.

Legend: S sequences with T kept tokens in M slots of a layout, d hidden size, I items. The item table has I + 2 rows:
0 is padding, I + 1 the mask token.
"""

from __future__ import annotations

import math
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import registry
from engine.config import ExperimentConfig
from engine.models.output import last_states
from engine.models.sasrec_original.options import OriginalSasRecOptions
from engine.modules.attention import PackedAttention
from engine.modules.dropout import Dropout
from engine.modules.layout import Layout, hidden_keys, packed_layout
from engine.modules.linear import linear, reduced_type


class Block(nn.Module):
    """q ← LayerNorm(x); x ← q + attention(q, x, x); y ← LayerNorm(x); x ← y + dropout(W₂ · dropout(ReLU(W₁ y)))."""

    def __init__(self, options: OriginalSasRecOptions, dtype: torch.dtype | None) -> None:
        """``dtype``: what the products are computed in, None for the rows' own type."""
        super().__init__()
        size = options.hidden_size
        self.dtype = dtype
        self.query_norm = nn.LayerNorm(size, eps=options.layer_norm_eps)
        self.query = nn.Linear(size, size)
        self.key_value = nn.Linear(size, 2 * size)
        self.attend = PackedAttention(options.heads, options.dropout)
        self.feed_norm = nn.LayerNorm(size, eps=options.layer_norm_eps)
        self.first = nn.Linear(size, size)
        self.second = nn.Linear(size, size)
        self.dropout = Dropout(options.dropout)

    def forward(self, x: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """x [M, d] → [M, d], or [K, d] of those ``slots`` int64 [K] alone."""
        dtype = self.dtype or x.dtype
        queries = self.query_norm(x)  # [M, d]
        projected = (linear(self.query, queries.to(dtype)), linear(self.key_value, x.to(dtype)))  # [M, d], [M, 2d]
        attended = self.attend(torch.cat(projected, 1), layout).to(x.dtype)
        x = queries + attended if slots is None else queries[slots] + attended[slots]
        x = self.feed_norm(x)
        inner = self.dropout(F.relu(linear(self.first, x.to(dtype))))
        return self.dropout.add(x, linear(self.second, inner).to(x.dtype))


class OriginalSasRec(nn.Module):
    """Embeddings, blocks and a last LayerNorm; the item table embeds inputs and scores candidates."""

    def __init__(
        self,
        options: OriginalSasRecOptions,
        item_count: int,
        *,
        hide_padding_items: bool = False,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Draw the initial weights with ``generator``, on the CPU.

        ``hide_padding_items``: items of id 0 inside a sequence are zero and hidden (FACTS F10); otherwise there are
        none. ``dtype``: of the blocks' products, None for the weights' own.
        """
        super().__init__()
        self.max_length = options.max_length
        self.hide_padding_items = hide_padding_items
        self.item_embedding = nn.Embedding(item_count + 2, options.hidden_size, padding_idx=0)
        self.position_embedding = nn.Embedding(options.max_length, options.hidden_size)
        self.dropout = Dropout(options.dropout)
        self.blocks = nn.ModuleList(Block(options, dtype) for _ in range(options.layers))
        self.output_norm = nn.LayerNorm(options.hidden_size, eps=options.layer_norm_eps)
        self._initialise(generator)

    @classmethod
    def from_config(cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "sasrec_original"), config.model)
        assert isinstance(options, OriginalSasRecOptions)
        return cls(
            options,
            item_count,
            hide_padding_items=config.fidelity.mask_token == "padding",
            generator=generator,
            dtype=reduced_type(config.train.precision),
        )

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator | None) -> None:
        """Glorot's uniform for every matrix, keys and values each their own; 0 for every bias and for padding."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                for square in module.weight.split(module.in_features):
                    nn.init.xavier_uniform_(square, generator=generator)
                module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                nn.init.xavier_uniform_(module.weight, generator=generator)
        self.item_embedding.weight[0].zero_()

    def packed(self, offsets: Tensor, items: Tensor) -> Layout:
        """The packed layout of these sequences: real tokens only. ``offsets`` [S + 1] lie on the host. items [A]"""
        hidden = hidden_keys(items) if self.hide_padding_items else None
        return packed_layout(offsets, self.max_length, hidden_items=hidden, device=items.device)

    def encode_slots(self, items: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """Hidden states in the layout's own order, or of those ``slots`` int64 [K] alone. items [A] → [M, d] or [K, d];
        slots that are not real are undefined."""
        ids = items[layout.token] if items.numel() else torch.zeros_like(layout.token)  # [M]
        scaled = self.item_embedding(ids) * math.sqrt(self.item_embedding.embedding_dim)
        kept = (ids != 0).unsqueeze(1) if self.hide_padding_items else None  # [M, 1]
        x = _zeroed(self.dropout(scaled + self.position_embedding(layout.position)), kept)  # [M, d]
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            wanted = slots if number == last else None
            x = _zeroed(block(x, layout, wanted), kept if wanted is None or kept is None else kept[wanted])
        normalised: Tensor = self.output_norm(x)
        return normalised

    def outputs(self, hidden: Tensor) -> Tensor:
        """Hidden states as they are multiplied with the item table, [T, d]."""
        return hidden

    def output_table(self) -> Tensor:
        """The item table itself, not scaled, [I + 2, d]."""
        return self.item_embedding.weight

    def queries(self, items: Tensor, offsets: Tensor) -> Tensor:
        """What scores the items as each sequence's next one: its last hidden state. items [A], offsets [S + 1] on the
        host → [S, d]; empty sequences give 0."""
        return self.outputs(last_states(self, items, offsets))


def _zeroed(x: Tensor, kept: Tensor | None) -> Tensor:
    """x [K, d] with zeros where ``kept`` bool [K, 1] is False."""
    return x if kept is None else x * kept
