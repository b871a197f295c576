"""Mask (M), Eq. 5: options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class MaskOptions(Options):
    """Options of Mask."""

    mask_rate: float = setting(
        0.7,
        ge=0,
        le=1,
        help="Share of the items that are masked.",
        source="Eq. 5, the authors' code",
        symbol="μ",
        label="Mask ratio",
    )


register(
    "operator",
    "mask",
    label="Mask",
    help="Replaces random items by the mask token.",
    options=MaskOptions,
    target="engine.augment.mask.operator:Mask",
    letter="M",
    rate="mask_rate",
)
