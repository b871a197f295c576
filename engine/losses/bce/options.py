"""Binary cross-entropy with one negative a position (Eq. 3): announcement, without torch."""

from __future__ import annotations

from engine.registry import register

register(
    "next_item_loss",
    "bce",
    label="Binary cross-entropy, one negative",
    help="Scores the next item against one uniform negative per position (Eq. 3, FACTS F7).",
    target="engine.losses.bce.loss:BinaryCrossEntropy",
)
