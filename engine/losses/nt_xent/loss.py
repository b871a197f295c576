"""NT-Xent: each view must find its partner among the other 2N − 1 views (Eq. 14, FACTS F8)."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


class NTXent:
    """Cross-entropy of the partner among all other views, mean over the 2N views."""

    def __init__(self, temperature: float = 1.0, similarity: Literal["dot", "cosine"] = "dot") -> None:
        self.temperature = temperature
        self.similarity = similarity

    def __call__(self, gram: Tensor) -> Tensor:
        """−mean log(exp(s(i, partner)/τ) / Σ_{j≠i} exp(s(i, j)/τ)).

        ``gram`` [2N, 2N] holds the dot products of the views' representations; views u and N + u are partners
        (Algorithm 1, line 12; the augmenter puts all first views before all second ones).
        """
        views = gram.shape[0]
        logits = self.similarities(gram).fill_diagonal_(-math.inf)
        partner = torch.arange(views, device=gram.device).roll(views // 2)
        return F.cross_entropy(logits, partner)

    def similarities(self, gram: Tensor) -> Tensor:
        """s(i, j)/τ of every two views, a tensor of its own: [2N, 2N] → [2N, 2N]."""
        similarity = gram
        if self.similarity == "cosine":
            norms = gram.diagonal().clamp(min=1e-12).sqrt()
            similarity = gram / (norms.unsqueeze(1) * norms)
        return similarity / self.temperature
