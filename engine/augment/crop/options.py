"""Crop (C), Eq. 4: options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class CropOptions(Options):
    """Options of Crop."""

    crop_rate: float = setting(
        0.2,
        ge=0,
        le=1,
        help="Share of the sequence that is kept.",
        source="Eq. 4, the authors' code",
        symbol="η",
        label="Crop ratio",
    )


register(
    "operator",
    "crop",
    label="Crop",
    help="Keeps one contiguous part of the sequence.",
    options=CropOptions,
    target="engine.augment.crop.operator:Crop",
    letter="C",
    rate="crop_rate",
)
