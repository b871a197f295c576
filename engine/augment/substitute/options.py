"""Substitute (S), Eq. 7: options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class SubstituteOptions(Options):
    """Options of Substitute."""

    substitute_rate: float = setting(
        0.1,
        ge=0,
        le=1,
        help="Share of the items that are substituted.",
        source="Eq. 7, the authors' code",
        symbol="α",
        label="Substitute ratio",
    )


register(
    "operator",
    "substitute",
    label="Substitute",
    help="Replaces random items by correlated ones.",
    options=SubstituteOptions,
    target="engine.augment.substitute.operator:Substitute",
    letter="S",
    looks_up=True,
    rate="substitute_rate",
)
