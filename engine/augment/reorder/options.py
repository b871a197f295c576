"""Reorder (R), Eq. 6: options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class ReorderOptions(Options):
    """Options of Reorder."""

    reorder_rate: float = setting(
        0.2,
        ge=0,
        le=1,
        help="Share of the sequence that is shuffled.",
        source="Eq. 6, the authors' code",
        symbol="ω",
        label="Reorder ratio",
    )


register(
    "operator",
    "reorder",
    label="Reorder",
    help="Shuffles one contiguous part of the sequence.",
    options=ReorderOptions,
    target="engine.augment.reorder.operator:Reorder",
    letter="R",
    rate="reorder_rate",
)
