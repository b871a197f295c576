"""Which settings change nothing with a model and its losses, and which are refused: said by the announcements, with the
reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from engine import registry
from engine.config.sections import TrainOptions
from engine.config.stages import makes_views, pretrains_by_contrast
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Any

    from engine.config.experiment import ExperimentConfig

CHOICES: tuple[tuple[registry.Kind, str], ...] = (
    ("next_item_loss", "loss.next_item"),
    ("contrastive_loss", "loss.contrastive"),
    ("similarity", "similarity.name"),
)
"""Kinds of which one is chosen, and the setting that chooses it; the options of the others change nothing."""
LETTERS = ("augment.short_operators", "augment.long_operators")
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
    return found | plugin.facts["unused"]


@cache
def _of_pretraining(model: str) -> frozenset[str]:
    """Dotted paths of what only pre-training reads: its rate, and the settings that the model announces as such."""
    own = registry.entry("model", model).facts["read_by_pretraining"]
    return frozenset({"train.pretrain_learning_rate", *(f"model.{name}" for name in own)})


def why_idle(config: ExperimentConfig, section: str) -> str:
    """Why the settings of a section, or the one at a dotted path, change nothing as long as another is as it is; empty
    where they do."""
    part = section.partition(".")[0]
    if why_unused(config, section):
        return ""
    if not config.train.pretrain_epochs and section in _of_pretraining(config.model.name):
        return NO_PRETRAINING
    if {part, section} & {*_OF_VIEWS} and not makes_views(config):
        return _NO_VIEWS
    return not_chosen(config).get(section, "")


class Chosen(NamedTuple):
    """Names of the chosen plugins in the order of `CHOICES`, and the letters of the operators in either set."""

    plugins: tuple[str, ...]
    letters: str


def chosen_by(value: Callable[[str], Any]) -> Chosen:
    """What is chosen; ``value`` gives a setting by its dotted path."""
    letters = "".join(str(value(path)) for path in LETTERS)
    return Chosen(tuple(str(value(path)) for _, path in CHOICES), "".join(sorted(set(letters))))


@cache
def _not_chosen(chosen: Chosen) -> Mapping[str, str]:
    """Dotted paths of what only plugins read that are not chosen. Raises ``ConfigurationError`` for an unknown one."""
    found: dict[str, str] = {}
    for (kind, chooser), name in zip(CHOICES, chosen.plugins, strict=True):
        own, section = _read_by(registry.entry(kind, name)), chooser.partition(".")[0]
        others = {field for entry in registry.entries(kind) for field in _read_by(entry)} - own
        found |= dict.fromkeys((f"{section}.{field}" for field in others), f"No effect while {chooser} is {name}.")
    for entry in registry.entries("operator"):
        if entry.facts["letter"] not in chosen.letters:
            reason = f"No effect while {entry.label} ({entry.facts['letter']}) is in neither set of operators."
            found |= dict.fromkeys((f"augment.{field}" for field in entry.options.model_fields), reason)
    return found


def not_chosen(config: ExperimentConfig) -> Mapping[str, str]:
    """Dotted paths of what only losses, similarities and operators read that are not chosen, each with its reason."""
    return _not_chosen(chosen_by(config.value))


def _read_by(entry: registry.Entry) -> set[str]:
    return {*entry.options.model_fields, *entry.facts.get("reads", ())}


def why_without_effect(config: ExperimentConfig, path: str) -> str:
    """Why the setting at the dotted ``path`` changes nothing as the others stand: the model has no use for it, no views
    are made, nothing is pre-trained, or it is that of a loss, a similarity or an operator which is not chosen; empty
    where it does, or may."""
    chosen, is_pretrained = chosen_by(config.value), bool(config.train.pretrain_epochs)
    found = without_effect(config.model.name, makes_views(config), chosen, is_pretrained)
    return found.get(path.partition(".")[0]) or found.get(path, "")


@cache
def without_effect(model: str, has_views: bool, chosen: Chosen, is_pretrained: bool) -> Mapping[str, str]:
    """Whole sections, and dotted paths of single settings, that change nothing, each with its reason.

    Raises ``ConfigurationError`` for an unknown plugin.

    >>> chosen = Chosen(("bce", "nt_xent", "item_cf"), "CM")
    >>> sorted(without_effect("caser", False, chosen, False))[:2]
    ['augment', 'augment.insert_rate']
    >>> without_effect("s3rec", True, chosen, False)["model.mask_rate"]
    'No effect while there is no pre-training.'
    >>> without_effect("s3rec", True, chosen, False)["similarity.hybrid_after_epoch"]
    'No effect while similarity.name is item_cf.'
    """
    unused = _unused(model)
    found = dict(_not_chosen(chosen))
    if not has_views or not registry.entry("model", model).facts["views"]:
        found |= dict.fromkeys(_OF_VIEWS, unused.get("augment") or _NO_VIEWS)
    if not is_pretrained:
        found |= dict.fromkeys(_of_pretraining(model), NO_PRETRAINING)
    return found | dict(unused)


def needs_no_views(model: str) -> bool:
    """Whether the model trains, and makes no views: λ must then be 0."""
    facts = registry.entry("model", model).facts
    return bool(facts["trains"]) and not facts["views"]


def default_pretraining(before: str, model: str) -> int | None:
    """Epochs of pre-training that a change from the model ``before`` brings: as many as ``model`` announces with its
    own tasks, none where it cannot be pre-trained or ``before`` had its own; None leaves what is set."""
    facts = registry.entry("model", model).facts
    if facts["pretraining"]:
        return int(facts["pretrain_epochs"])
    had_own = registry.entry("model", before).facts["pretraining"]
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
