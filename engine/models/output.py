"""What scores the items: hidden states, and the table that they are multiplied with.

With a bias for each item, a hidden state's last number is 1 and the bias the table's last column: so neither losses nor
rankings have to know of biases.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.modules.layout import Layout
from engine.modules.ways import sent


class SlotEncoder(Protocol):
    """A sequence model that can encode some slots alone."""

    item_embedding: nn.Embedding

    def packed(self, offsets: Tensor, items: Tensor) -> Layout: ...

    def encode_slots(self, items: Tensor, layout: Layout, slots: Tensor | None = None) -> Tensor: ...


def last_states(model: SlotEncoder, items: Tensor, offsets: Tensor) -> Tensor:
    """Hidden state of each sequence's last token, [S, d]; empty sequences give 0. items [A], offsets [S + 1] on the
    host."""
    layout = model.packed(offsets, items)
    if not layout.slots:
        return model.item_embedding.weight.new_zeros(len(layout.lengths), model.item_embedding.embedding_dim)
    hidden = model.encode_slots(items, layout, layout.last_slots())
    return hidden * sent(layout.lengths > 0, hidden.device).unsqueeze(1)


def with_bias(table: Tensor, bias: Tensor) -> Tensor:
    """table [I + 2, d], bias [I + 2] → [I + 2, d + 1]."""
    return torch.cat((table, bias.unsqueeze(1)), 1)


def with_one(hidden: Tensor) -> Tensor:
    """hidden [T, d] → [T, d + 1]."""
    return F.pad(hidden, (0, 1), value=1.0)
