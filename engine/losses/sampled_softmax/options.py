"""Sampled softmax with k negatives: options and announcement, without torch."""

from __future__ import annotations

from typing import Literal

from engine.registry import Options, register, setting


class SampledSoftmaxOptions(Options):
    """Its negatives."""

    softmax_negatives: int = setting(
        256,
        ge=1,
        le=1_000_000,
        help="Uniform negatives that the next item is told apart from.",
        source="beyond the paper (256)",
        symbol="k",
        label="Negatives (softmax)",
    )
    softmax_sharing: Literal["position", "batch"] = setting(
        "batch",
        help="Whether every position draws its own negatives, or all of a batch share them; then those among a user's "
        "own items are left out for that user.",
        source="engine",
        label="Negatives drawn",
        choices={"position": "for each position", "batch": "once for the batch"},
    )
    softmax_partition: Literal["sampled", "all"] = setting(
        "sampled",
        help="Whether the negatives count as themselves, or as a sample that stands for all items: each score is then "
        "raised by log of the items one negative stands for, and the sum estimates the full softmax's.",
        source="engine",
        label="Negatives stand for",
        advanced=True,
        choices={"sampled": "themselves", "all": "all items"},
    )


register(
    "next_item_loss",
    "sampled_softmax",
    label="Sampled softmax",
    help="Cross-entropy of the next item among itself and k negatives (beyond the paper).",
    options=SampledSoftmaxOptions,
    target="engine.losses.sampled_softmax.loss:SampledSoftmax",
    negatives="softmax_negatives",
)
