"""Which settings a model has no use for, and which it refuses: said by the model's announcement, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import registry
from engine.config.stages import makes_views, pretrains_by_contrast
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.config.experiment import ExperimentConfig


_NO_VIEWS = "No effect while λ is 0: no views are made."
_NO_PRETRAINING = "No effect while there is no pre-training."
_OF_VIEWS = ("contrastive", "temperature", "representation", "similarity")
"""What of the loss is about views; the chosen contrastive loss brings more."""
_PRETRAINING = ("pretrain_epochs", "pretrain_learning_rate")
_WITHOUT_TRAINING = ("device", "seed")
"""Training options that a model has which does not train: where it ranks, and the seed of what evaluation draws."""


def why_unused(config: ExperimentConfig, path: str) -> str:
    """Why the setting at the dotted ``path`` changes nothing with this model; empty where it does, or may."""
    plugin = registry.entry("model", config.model.name)
    reasons: dict[str, str] = plugin.facts.get("unused", {})
    section, _, name = path.partition(".")
    if section == "train" and name and name not in _WITHOUT_TRAINING and not plugin.facts["trains"]:
        return f"{plugin.label} does not train."
    if section == "train" and name in _PRETRAINING and needs_no_views(config.model.name):
        return f"{plugin.facts['no_views']}"  # by which it would be pre-trained
    return reasons.get(path) or reasons.get(section, "")


def why_idle(config: ExperimentConfig, section: str) -> str:
    """Why the settings of a section, or the one at a dotted path, change nothing as long as another is as it is; empty
    where they do."""
    part, _, name = section.partition(".")
    if why_unused(config, section):
        return ""
    if section == "train.pretrain_learning_rate" and not config.train.pretrain_epochs:
        return _NO_PRETRAINING
    is_of_views = part in ("augment", "similarity") or (part == "loss" and name in _loss_fields_of_views())
    return _NO_VIEWS if is_of_views and not makes_views(config) else ""


def _loss_fields_of_views() -> set[str]:
    own = (name for entry in registry.entries("contrastive_loss") for name in entry.options.model_fields)
    return {*_OF_VIEWS, *own}


def needs_no_views(model: str) -> bool:
    """Whether the model trains, and makes no views: λ must then be 0."""
    facts = registry.entry("model", model).facts
    return bool(facts["trains"]) and not facts["views"]


def default_pretraining(before: str, model: str) -> int | None:
    """Epochs of pre-training that a change from the model ``before`` brings: as many as ``model`` announces with its
    own tasks, none where it cannot be pre-trained or ``before`` had its own; None leaves what is set."""
    facts = registry.entry("model", model).facts
    if facts.get("pretraining"):
        return int(facts["pretrain_epochs"])
    had_own = registry.entry("model", before).facts.get("pretraining")
    return 0 if had_own or needs_no_views(model) else None


def refuse_misfit(config: ExperimentConfig) -> None:
    """Raise ``ConfigurationError`` where settings ask of the model what it cannot do, rather than ignore them."""
    if not makes_views(config):
        return
    plugin = registry.entry("model", config.model.name)
    if needs_no_views(config.model.name) and pretrains_by_contrast(config):
        raise ConfigurationError(
            f"{plugin.facts['no_views']}", "Set train.pretrain_epochs to 0.", field="train.pretrain_epochs"
        )
    if needs_no_views(config.model.name):
        raise ConfigurationError(
            f"{plugin.facts['no_views']}", "Set λ (loss.contrastive_weight) to 0.", field="loss.contrastive_weight"
        )
    if plugin.facts["trains"] and config.loss.representation == "padded_concat" and not plugin.facts["padded"]:
        raise ConfigurationError(
            f"{plugin.facts['no_padding']}", "Choose another representation.", field="loss.representation"
        )
