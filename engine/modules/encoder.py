"""The Transformer encoder of SASRec and CoSeRec (§3.2, FACTS F6), post-LayerNorm.

Legend: M slots of a layout, d hidden size.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from engine.modules.attention import MultiHeadAttention
from engine.modules.dropout import Dropout
from engine.modules.layout import Layout


class EncoderBlock(nn.Module):
    """x ← LayerNorm(x + dropout(attention(x))); x ← LayerNorm(x + dropout(W₂ · act(W₁ x)))."""

    def __init__(
        self, hidden_size: int, heads: int, *, feed_forward: int, dropout: float, activation: str, eps: float
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(hidden_size, heads, dropout)
        self.attention_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.widen = nn.Linear(hidden_size, feed_forward * hidden_size)
        self.narrow = nn.Linear(feed_forward * hidden_size, hidden_size)
        self.output_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.activation = {"gelu": F.gelu, "relu": F.relu}[activation]
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """x [M, d] → [M, d]."""
        x = self.attention_norm(self.dropout.add(x, self.attention(x, layout)))
        wide = self.activation(self.widen(x))  # [M, 4d]
        return self.output_norm(self.dropout.add(x, self.narrow(wide)))


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
        activation: str = "gelu",
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
