"""Caser: convolutions over the last items (FACTS B4): options and announcement, without torch."""

from __future__ import annotations

from typing import Literal

from engine.registry import Options, register, setting


class CaserOptions(Options):
    """Options of Caser."""

    hidden_size: int = setting(
        50,
        ge=1,
        le=4096,
        help="Width of the embeddings.",
        source="Tang and Wang 2018",
        symbol="d",
        label="Embedding size",
    )
    window: int = setting(
        5, ge=1, le=1000, help="Items looked at.", source="Tang and Wang 2018", symbol="L", label="Window", unit="items"
    )
    targets: int = setting(
        3,
        ge=1,
        le=1000,
        help="Items after the window that it is trained to foretell.",
        source="Tang and Wang 2018",
        symbol="T",
        label="Targets",
        unit="items",
    )
    prefixes: bool = setting(
        False,
        help="Train on stretches that begin before a sequence's first item too, so that every item but the first "
        "is foretold; otherwise a short sequence gives one window.",
        source="Tang and Wang 2018 (without)",
        label="Windows of prefixes",
    )
    vertical: int = setting(
        4, ge=1, le=1024, help="Filters over the whole window, dimension by dimension.", source="Tang and Wang 2018",
        label="Vertical filters",
    )  # fmt: skip
    horizontal: int = setting(
        16, ge=1, le=1024, help="Filters for each number of neighbouring items, 1 … L.", source="Tang and Wang 2018",
        label="Horizontal filters",
    )  # fmt: skip
    activation: Literal["relu", "tanh"] = setting(
        "relu",
        help="After the horizontal filters and the dense layer.",
        source="Tang and Wang 2018",
        label="Activation",
        advanced=True,
        choices={"relu": "ReLU", "tanh": "tanh"},
    )
    dropout: float = setting(
        0.5, ge=0, lt=1, help="Dropout of the filters' answers.", source="Tang and Wang 2018", label="Dropout"
    )
    negatives: int = setting(
        3,
        ge=1,
        le=10_000,
        help="Random items, each told apart from the window's targets.",
        source="Tang and Wang 2018",
        label="Negatives",
    )


_WINDOWS = "Caser looks at windows of a few items, not at whole sequences: it has no views to compare."

register(
    "model",
    "caser",
    label="Caser",
    help="Convolutions over the user's last items, and a vector for the user.",
    options=CaserOptions,
    target="engine.models.caser.module:Caser",
    trains=True,
    task="own",
    negatives="negatives",
    views=False,
    knows_users=True,
    unused={
        "augment": _WINDOWS,
        "similarity": _WINDOWS,
        "loss": "Caser has several targets a window, and its own binary cross-entropy over them; k is model.negatives.",
    },
    no_views=_WINDOWS,
)
