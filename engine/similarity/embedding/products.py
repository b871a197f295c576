"""Model-based correlation, Eq. 10: the dot product of item embeddings, in blocks of rows with a running maximum.

Cor_e(i, j) = e_i · e_j
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

SCORES_AT_ONCE = 2**24
"""Products held at once: 64 MB of float32."""


@dataclass(frozen=True, eq=False)
class ModelNeighbours:
    """Top-k by Eq. 10, best first, equal scores by lower id, on the device of the item table.

    ``ids`` int64 [rows, k], 0 for none (and for the padding row, where that is a candidate and among the best);
    ``scores`` float [rows, k], raw, −inf for none; ``low`` and ``high`` [] over all pairs that count.
    """

    ids: Tensor
    scores: Tensor
    low: Tensor
    high: Tensor

    @property
    def normalised(self) -> Tensor:
        """Min-max normalised scores (Eq. 11), 0…1, [rows, k]; 0 for none and where all pairs score alike."""
        width = self.high - self.low
        scaled = ((self.scores - self.low) / width).clamp(0.0, 1.0)
        return torch.where((width > 0) & ~torch.isinf(self.scores), scaled, 0.0)


@torch.no_grad()
def embedding_neighbours(
    item_table: Tensor,
    k: int,
    candidates: Literal["items", "all_rows"] = "items",
    scores_at_once: int = SCORES_AT_ONCE,
) -> ModelNeighbours:
    """The ``k`` rows with the greatest product, for each row of ``item_table`` [items + 2, d]. Never the row itself.

    ``items``: items among items, and low and high over all pairs of two different ones. ``all_rows``: items and mask
    among all rows, low and high over self-products too, as the published code has it (FACTS F16).
    """
    table = item_table.detach()
    rows = table.shape[0]
    first, last = (1, rows - 1) if candidates == "items" else (0, rows)
    queries = torch.arange(1, last, device=table.device)
    ids = torch.zeros(rows, k, dtype=torch.int64, device=table.device)
    best = torch.full((rows, k), -torch.inf, dtype=table.dtype, device=table.device)
    low = torch.full((), torch.inf, dtype=table.dtype, device=table.device)
    high = -low
    width = last - first
    for block in queries.split(max(1, scores_at_once // max(width, 1))):
        scores = table[block] @ table[first:last].T  # [B, candidates]
        itself = (block - first).unsqueeze(1)
        if candidates == "all_rows":
            low, high = torch.minimum(low, scores.min()), torch.maximum(high, scores.max())
            scores.scatter_(1, itself, -torch.inf)
        else:
            low = torch.minimum(low, scores.scatter_(1, itself, torch.inf).min())
            high = torch.maximum(high, scores.scatter_(1, itself, -torch.inf).max())
        values, columns = _top(scores, min(k, width))
        best[block, : values.shape[1]] = values
        ids[block, : values.shape[1]] = torch.where(torch.isneginf(values), 0, columns + first)
    return ModelNeighbours(ids, best, low, high)


def _top(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The ``k`` greatest of each row and their columns, [B, k]; equal ones by lower column, on every device."""
    if k == 1:
        values, columns = scores.max(dim=1, keepdim=True)  # documented to give the first of equal ones
        return values, columns
    values, columns = scores.topk(k, dim=1)
    columns, order = columns.sort(dim=1)
    values, order = values.gather(1, order).sort(dim=1, descending=True, stable=True)
    columns = columns.gather(1, order)
    # Where equal scores straddle the cut, topk has taken any of them.
    torn = torch.nonzero((scores >= values[:, -1:]).sum(dim=1) > k).squeeze(1)
    if torn.numel():
        sorted_values, sorted_columns = scores[torn].sort(dim=1, descending=True, stable=True)
        values[torn], columns[torn] = sorted_values[:, :k], sorted_columns[:, :k]
    return values, columns
