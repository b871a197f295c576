"""The Transformer encoder of SASRec and CoSeRec (§3.2, FACTS F6), post-LayerNorm.

Legend: M slots of a layout, d hidden size.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from engine.modules.attention import MultiHeadAttention
from engine.modules.dropout import Dropout
from engine.modules.kernels.norm import joined_norm
from engine.modules.layout import Layout
from engine.modules.linear import FeedForward


class EncoderBlock(nn.Module):
    """x ← LayerNorm(x + dropout(attention(x))); x ← LayerNorm(x + dropout(W₂ · act(W₁ x)))."""

    def __init__(
        self,
        hidden_size: int,
        heads: int,
        *,
        feed_forward: int,
        dropout: float,
        activation: Literal["gelu", "relu"],
        eps: float,
        dtype: torch.dtype | None,
    ) -> None:
        """``dtype``: what the products are computed in, None for the rows' own type. The rows between them, norms and
        sums stay what they are."""
        super().__init__()
        self.dtype = dtype
        self.attention = MultiHeadAttention(hidden_size, heads, dropout)
        self.attention_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.feed_forward = FeedForward(hidden_size, feed_forward * hidden_size, activation)
        self.output_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """x [M, d] → [M, d], or [K, d] of those ``slots`` int64 [K] alone."""
        dtype = self.dtype or x.dtype
        attended = self.attention(x.to(dtype), layout, slots).to(x.dtype)
        x = joined_norm(x if slots is None else x[slots], attended, self.attention_norm, self.dropout)
        return joined_norm(x, self.feed_forward(x.to(dtype)).to(x.dtype), self.output_norm, self.dropout)


class Encoder(nn.Module):
    """A stack of blocks."""

    def __init__(
        self,
        hidden_size: int,
        *,
        layers: int,
        heads: int,
        feed_forward: int = 4,
        dropout: float = 0.5,
        activation: Literal["gelu", "relu"] = "gelu",
        eps: float = 1e-12,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            EncoderBlock(
                hidden_size,
                heads,
                feed_forward=feed_forward,
                dropout=dropout,
                activation=activation,
                eps=eps,
                dtype=dtype,
            )
            for _ in range(layers)
        )

    def forward(self, x: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor:
        """x [M, d] → [M, d], or [K, d] where only those ``slots`` int64 [K] are asked for: then the last block spares
        the others all that comes after attention."""
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            x = block(x, layout, slots if number == last else None)
        return x
