"""What the chosen plugins make of their section: which fields count, and what a protocol says of the negatives."""

from __future__ import annotations

from engine import registry
from engine.config.experiment import ExperimentConfig
from engine.config.fitting import CHOICES


def applies(config: ExperimentConfig, path: str) -> bool:
    """Whether the field ``path`` counts: one that another loss or similarity than the chosen one brings along does
    not."""
    section, _, name = path.partition(".")
    for kind, chooser in CHOICES:
        if chooser.startswith(f"{section}."):
            owners = [entry.name for entry in registry.entries(kind) if name in entry.options.model_fields]
            if owners:
                return config.value(chooser) in owners
    return True


def negatives_of(config: ExperimentConfig) -> int:
    """Negatives of each target: of the next-item loss, or of the model where that has a loss of its own; 0: none."""
    if path := negatives_field(config):
        return int(config.value(path))
    model = registry.entry("model", config.model.name).facts
    return int(model["negatives"]) if model["task"] == "own" else 0


def negatives_field(config: ExperimentConfig) -> str:
    """Dotted path of the setting that says how many negatives there are; empty where none does."""
    model = registry.entry("model", config.model.name).facts
    if model["task"] == "own":
        own = model["negatives"]
        return f"model.{own}" if isinstance(own, str) else ""
    field = registry.entry("next_item_loss", config.loss.next_item).facts["negatives"]
    return f"loss.{field}" if field else ""


def negatives_in_words(config: ExperimentConfig) -> str:
    """How many negatives the next-item loss draws, and what is never among them (FACTS F7); for protocol cards."""
    if not registry.entry("model", config.model.name).facts["trains"]:
        return "none: nothing is trained"
    k = negatives_of(config)
    if not k:
        return "none: every item is scored"
    avoided = {"training": "the user's training items", "whole": "the user's whole sequence, held-out targets included"}
    mask = "; the mask can be drawn" if config.fidelity.negatives_draw_mask else ""
    return f"{k:,} uniform, never {avoided[config.fidelity.negatives_exclude]}{mask}"
