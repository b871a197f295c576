"""Which settings change nothing with a model and its losses, and which are refused: said by the announcements, with the
reason."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from engine import registry
from engine.config.sections import TrainOptions
from engine.config.stages import makes_views, pretrains_by_contrast
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.config.experiment import ExperimentConfig

LOSSES: tuple[tuple[registry.Kind, str], ...] = (
    ("next_item_loss", "next_item"),
    ("contrastive_loss", "contrastive"),
)
"""Kinds of losses, and the setting that chooses one."""
_PRETRAINING = ("train.pretrain_epochs", "train.pretrain_learning_rate")
NO_PRETRAINING = "No effect while there is no pre-training."
_NO_VIEWS = "No effect while λ is 0: no views are made."
_WITHOUT_TRAINING = ("device", "seed")
"""Training options that a model has which does not train: where it ranks, and the seed of what evaluation draws."""
_OF_VIEWS = (
    "augment",
    "similarity",
    *(f"loss.{name}" for name in ("contrastive", "temperature", "representation", "similarity")),
    *(f"fidelity.{name}" for name in ("counts", "mask_token", "start_positions", "operator_pairs", "augment_input")),
    *(f"fidelity.{name}" for name in ("short_reorder_rate", "long_reorder_rate", "insert_side", "missing_neighbour")),
    *(f"fidelity.{name}" for name in ("correlation_items", "hybrid_switch", "hybrid_candidates")),
    "fidelity.train_subset_after_switch",
)
"""Sections and settings that only views and their contrast read."""


def why_unused(config: ExperimentConfig, path: str) -> str:
    """Why the setting at the dotted ``path`` changes nothing with this model; empty where it does, or may."""
    reasons = _unused(config.model.name)
    return reasons.get(path) or reasons.get(path.partition(".")[0], "")


@cache
def _unused(model: str) -> Mapping[str, str]:
    """Whole sections, and dotted paths of single settings, that the model has no use for, each with its reason."""
    plugin = registry.entry("model", model)
    found: dict[str, str] = {}
    if not plugin.facts["trains"]:
        trained = (f"train.{name}" for name in TrainOptions.model_fields if name not in _WITHOUT_TRAINING)
        found |= dict.fromkeys(trained, f"{plugin.label} does not train.")
    if needs_no_views(model):  # by which it would be pre-trained
        found |= dict.fromkeys(_PRETRAINING, str(plugin.facts["no_views"]))
    return found | plugin.facts.get("unused", {})


@cache
def _of_pretraining(model: str) -> frozenset[str]:
    """Dotted paths of what only pre-training reads: its rate, and the settings that the model announces as such."""
    own = registry.entry("model", model).facts.get("read_by_pretraining", ())
    return frozenset({"train.pretrain_learning_rate", *(f"model.{name}" for name in own)})


def why_idle(config: ExperimentConfig, section: str) -> str:
    """Why the settings of a section, or the one at a dotted path, change nothing as long as another is as it is; empty
    where they do."""
    part = section.partition(".")[0]
    if why_unused(config, section):
        return ""
    if not config.train.pretrain_epochs and section in _of_pretraining(config.model.name):
        return NO_PRETRAINING
    return _NO_VIEWS if {part, section} & {*_OF_VIEWS} and not makes_views(config) else ""


def why_without_effect(config: ExperimentConfig, path: str) -> str:
    """Why the setting at the dotted ``path`` changes nothing as the others stand: the model has no use for it, no views
    are made, nothing is pre-trained, or it is another loss's; empty where it does, or may."""
    chosen = tuple(str(getattr(config.loss, name)) for _, name in LOSSES)
    found = without_effect(config.model.name, makes_views(config), chosen, bool(config.train.pretrain_epochs))
    return found.get(path.partition(".")[0]) or found.get(path, "")


@cache
def without_effect(model: str, has_views: bool, losses: tuple[str, ...], is_pretrained: bool) -> Mapping[str, str]:
    """Whole sections, and dotted paths of single settings, that change nothing, each with its reason.

    ``losses``: the chosen ones, in the order of `LOSSES`. Raises ``ConfigurationError`` for an unknown plugin.

    >>> sorted(without_effect("caser", False, ("bce", "nt_xent"), False))[:2]
    ['augment', 'fidelity.augment_input']
    >>> without_effect("s3rec", False, ("bce", "nt_xent"), False)["model.mask_rate"]
    'No effect while there is no pre-training.'
    """
    unused = _unused(model)
    found: dict[str, str] = {}
    if not has_views or not registry.entry("model", model).facts["views"]:
        found = dict.fromkeys(_OF_VIEWS, unused.get("augment") or _NO_VIEWS)
    if not is_pretrained:
        found |= dict.fromkeys(_of_pretraining(model), NO_PRETRAINING)
    for (kind, chooser), name in zip(LOSSES, losses, strict=True):
        own = registry.entry(kind, name).options.model_fields
        others = (field for entry in registry.entries(kind) for field in entry.options.model_fields if field not in own)
        found |= dict.fromkeys((f"loss.{field}" for field in others), f"No effect while loss.{chooser} is {name}.")
    return found | dict(unused)


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


def shows_hidden(config: ExperimentConfig) -> bool:
    """Whether masked items are to be hidden from attention, and the model that sees them does not hide them."""
    facts = registry.entry("model", config.model.name).facts
    return bool(
        config.fidelity.mask_token == "padding" and makes_views(config) and facts["views"] and not facts["hides"]
    )


def refuse_shown(before: ExperimentConfig, config: ExperimentConfig) -> None:
    """Raise ``ConfigurationError`` where a change makes `shows_hidden` true.

    Only a change: runs were stored before this was refused, and are still read, resumed and trained with other seeds.
    """
    if shows_hidden(config) and not shows_hidden(before):
        reason = registry.entry("model", config.model.name).facts["no_hiding"]
        raise ConfigurationError(f"{reason}", "Set fidelity.mask_token to mask.", field="fidelity.mask_token")
