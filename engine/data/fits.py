"""Whether a configuration can train on a data set at all: said before a run starts, not after it has failed."""

from __future__ import annotations

from engine import registry
from engine.config import ExperimentConfig, negatives_field, negatives_of
from engine.data.dataset import Dataset
from engine.data.splits import leave_one_out
from engine.errors import ConfigurationError, DataError


def refuse_impossible(config: ExperimentConfig, dataset: Dataset) -> None:
    """Raise ``DataError`` for data that leave nobody to train on, or a user without a negative; ``ConfigurationError``,
    at its field, for as many negatives as there are items."""
    split = leave_one_out(dataset)
    facts = registry.entry("model", config.model.name).facts
    k = negatives_of(config) if facts["trains"] else 0
    if not k:
        return
    items = dataset.item_count
    if k >= items:
        other = "cross_entropy scores all items" if facts.get("task") != "own" else "the model cannot score all items"
        raise ConfigurationError(
            f"{k:,} negatives cannot be drawn from the {items:,} items of {dataset.name}.",
            f"Choose fewer than {items:,}; {other}.",
            field=negatives_field(config),
        )
    held = (split.whole if config.fidelity.negatives_exclude == "whole" else split.training_part).distinct()
    counts = held.lengths
    if counts.max(initial=0) >= items + int(config.fidelity.negatives_draw_mask):
        user = split.users[int(counts.argmax())] + 1
        raise DataError(
            f"user number {int(user):,} has all {items:,} items: no negative can be drawn for that user.",
            "Leave that user out, use a data set with more items, or a loss without negatives (cross_entropy).",
            path=dataset.path,
        )
