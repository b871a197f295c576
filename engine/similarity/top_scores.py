"""Every item's best score under a similarity, and the histograms of them that a page draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.records import TopScores

BINS = 40


@dataclass(frozen=True, eq=False)
class Best:
    """One value an item, [items]; ``has`` says which items have a neighbour. ``low`` and ``high`` over all pairs."""

    raw: NDArray[np.float32]
    normalised: NDArray[np.float32]
    has: NDArray[np.bool_]
    low: float
    high: float


def top_scores(name: str, label: str, best: Best) -> TopScores:
    """Histograms of ``BINS`` bins: the raw scores from least to greatest, the normalised from 0 to 1.

    Items without a neighbour are counted apart.
    """
    raw, normalised = best.raw[best.has].astype(np.float64), best.normalised[best.has].astype(np.float64)
    span = (float(raw.min()), float(raw.max())) if len(raw) else (0.0, 1.0)
    counts, edges = np.histogram(raw, bins=BINS, range=span)
    normalised_counts, normalised_edges = np.histogram(normalised, bins=BINS, range=(0.0, 1.0))
    return TopScores(
        similarity=name,
        label=label,
        items=len(best.has),
        without=int((~best.has).sum()),
        low=best.low,
        high=best.high,
        median=float(np.median(raw)) if len(raw) else None,
        normalised_median=float(np.median(normalised)) if len(raw) else None,
        edges=edges,
        counts=counts.astype(np.int64),
        normalised_edges=normalised_edges,
        normalised_counts=normalised_counts.astype(np.int64),
    )
