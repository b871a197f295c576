"""Full cross-entropy over all items: announcement, without torch."""

from __future__ import annotations

from engine.registry import register

register(
    "next_item_loss",
    "cross_entropy",
    label="Cross-entropy over all items",
    help="Scores the next item against every item, without negatives (full softmax; beyond the paper).",
    target="engine.losses.cross_entropy.loss:CrossEntropy",
)
