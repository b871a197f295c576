"""An output table with a bias for each item, as one table: a hidden state's last number is then 1.

Losses and rankings multiply hidden states with a table; so none of them has to know of biases.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def with_bias(table: Tensor, bias: Tensor) -> Tensor:
    """table [I + 2, d], bias [I + 2] → [I + 2, d + 1]."""
    return torch.cat((table, bias.unsqueeze(1)), 1)


def with_one(hidden: Tensor) -> Tensor:
    """hidden [T, d] → [T, d + 1]."""
    return F.pad(hidden, (0, 1), value=1.0)
