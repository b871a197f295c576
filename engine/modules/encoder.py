"""The Transformer encoder of SASRec and CoSeRec (§3.2, FACTS F6), post-LayerNorm.

Legend: M slots of a layout, d hidden size.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from engine.modules.attention import MultiHeadAttention
from engine.modules.dropout import Dropout
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
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(hidden_size, heads, dropout)
        self.attention_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.feed_forward = FeedForward(hidden_size, feed_forward * hidden_size, activation)
        self.output_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """x [M, d] → [M, d]."""
        x = self.attention_norm(self.dropout.add(x, self.attention(x, layout)))
        return self.output_norm(self.dropout.add(x, self.feed_forward(x)))


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
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            EncoderBlock(hidden_size, heads, feed_forward=feed_forward, dropout=dropout, activation=activation, eps=eps)
            for _ in range(layers)
        )

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """x [M, d] → [M, d]."""
        for block in self.blocks:
            x = block(x, layout)
        return x
