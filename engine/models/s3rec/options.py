"""S3-Rec without attributes (FACTS B7): options and announcement, without torch."""

from __future__ import annotations

from typing import Literal

from engine.models.transformer.options import TransformerOptions
from engine.registry import register, setting


class S3RecOptions(TransformerOptions):
    """Options of SASRec's encoder, and of the tasks that pre-train it."""

    mask_rate: float = setting(
        0.2,
        ge=0,
        le=1,
        help="Pre-training: chance of each item to be masked; the last one always is.",
        source="Zhou et al. 2020",
        label="Mask rate",
    )
    segment_weight: float = setting(
        0.0,
        ge=0,
        le=100,
        help="Pre-training: weight of segment prediction beside masked items; 0.5 in S3-Rec's source, 0 without.",
        source="Zhou et al. 2020 (an option of S3-Rec; the m of Table 2 stands for masked items)",
        label="Segment weight",
    )
    masked_item_loss: Literal["pairwise", "next_item"] = setting(
        "pairwise",
        help="Pre-training: what a masked item's score is compared with.",
        source="Zhou et al. 2020, S3-Rec's equations",
        label="Masked-item loss",
        advanced=True,
        choices={
            "pairwise": "one negative, both scores squashed: S3-Rec's own",
            "next_item": "as the next-item loss says",
        },
    )
    pretrain_prefixes: bool = setting(
        False,
        help="Pre-training: an epoch visits every beginning of every sequence, as S3-Rec's own code does, and not only "
        "whole sequences. An epoch is as many times longer.",
        source="S3-Rec's published code",
        label="Pre-train on beginnings",
        advanced=True,
    )


register(
    "model",
    "s3rec",
    label="S3-Rec",
    help="SASRec's encoder, pre-trained in both directions on masked items and segments, then trained on next items.",
    options=S3RecOptions,
    target="engine.models.s3rec.module:S3Rec",
    trains=True,
    task="next_item",
    views=True,
    padded=True,
    hides=True,
    captures=True,
    pretraining="masked_items",
    pretrain_epochs=100,
    read_by_pretraining=("mask_rate", "segment_weight", "masked_item_loss", "pretrain_prefixes"),
)
