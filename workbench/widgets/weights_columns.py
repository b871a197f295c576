"""Columns of an exported table that say with which run's weights, of which epoch, its rows were computed."""

from __future__ import annotations

from collections.abc import Sequence

from engine.records import UsedWeights
from engine.records.weights import HEADS, weights_cells
from workbench.widgets.tables import Columns


def weights_columns(used: Sequence[UsedWeights | None]) -> Columns:
    """A cell a row; no columns where no row has weights."""
    if not any(used):
        return []
    cells = [weights_cells(of) for of in used]
    return [(name, [row[place] for row in cells]) for place, name in enumerate(HEADS)]


def with_weights(columns: Columns, used: UsedWeights | None) -> Columns:
    """A table whose rows were all computed with the same weights."""
    rows = max((len(values) for _, values in columns), default=0)
    return [*columns, *weights_columns([used] * rows)]
