"""Binary cross-entropy with k negatives a position (Eq. 3): options and announcement, without torch."""

from __future__ import annotations

from typing import Literal

from engine.registry import Options, register, setting


class BinaryCrossEntropyOptions(Options):
    """Its negatives."""

    bce_negatives: int = setting(
        1,
        ge=1,
        le=10_000,
        help="Uniform negatives of each position, drawn one by one.",
        source="Eq. 3 (one), Tang and Wang 2018 (three)",
        symbol="k",
        label="Negatives (BCE)",
    )
    bce_negatives_count: Literal["mean", "sum"] = setting(
        "mean",
        help="Whether a position's negatives together weigh as much as its next item, or each as much.",
        source="Tang and Wang 2018; the same where there is one negative",
        label="Negatives weigh",
        advanced=True,
        choices={"mean": "together as much as the next item", "sum": "each as much as the next item"},
    )


register(
    "next_item_loss",
    "bce",
    label="Binary cross-entropy",
    help="Scores the next item against uniform negatives, each on its own (Eq. 3).",
    options=BinaryCrossEntropyOptions,
    target="engine.losses.bce.loss:BinaryCrossEntropy",
    negatives="bce_negatives",
)
