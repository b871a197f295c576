"""Stages of a run: epochs of pre-training, if any, and then those of training proper (§5.5.3, FACTS B7).

A run's epochs are numbered through both. Which stage an epoch belongs to is told by its configuration alone, so that
also a stored one that today's program no longer parses tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine import registry
from engine.errors import ConfigurationError
from engine.records import FINE_TUNING, PRETRAINING, TRAINING

if TYPE_CHECKING:
    from engine.config.experiment import ExperimentConfig


def total_epochs(config: ExperimentConfig) -> int:
    """At most so many epochs, those of pre-training among them."""
    return config.train.pretrain_epochs + config.train.epochs


def pretrain_epochs_of(config: Mapping[str, Any]) -> int:
    """Epochs of pre-training in a stored configuration; 0 where it is from before there were any."""
    section = config.get("train")
    epochs = section.get("pretrain_epochs", 0) if isinstance(section, Mapping) else 0
    return epochs if isinstance(epochs, int) and epochs > 0 else 0


def stage_at(pretrain_epochs: int, epoch: int) -> str:
    """The stage of the zero-based ``epoch`` of a run with so many epochs of pre-training.

    >>> stage_at(0, 3), stage_at(2, 1), stage_at(2, 2)
    ('training', 'pre-training', 'fine-tuning')
    """
    if not pretrain_epochs:
        return TRAINING
    return PRETRAINING if epoch < pretrain_epochs else FINE_TUNING


def own_pretraining(model: str) -> str:
    """The pre-training task that a model announces as its own (S3-Rec); empty where views are compared instead."""
    return str(registry.entry("model", model).facts["pretraining"])


def pretrains_by_contrast(config: ExperimentConfig) -> bool:
    """Whether the run is pre-trained on views alone, before the next-item task begins (two-stage CoSeRec, Table 4)."""
    facts = registry.entry("model", config.model.name).facts
    return bool(config.train.pretrain_epochs and facts["trains"] and not own_pretraining(config.model.name))


def makes_views(config: ExperimentConfig) -> bool:
    """Whether any stage of the run compares views: λ > 0, or pre-training by contrast."""
    return bool(config.loss.contrastive_weight) or pretrains_by_contrast(config)


def makes_views_as_stored(config: Mapping[str, Any]) -> bool:
    """`makes_views` of a stored configuration, whether or not it is still understood."""
    loss, model = config.get("loss"), config.get("model")
    if isinstance(loss, Mapping) and loss.get("contrastive_weight"):
        return True
    if not pretrain_epochs_of(config) or not isinstance(model, Mapping):
        return False
    with suppress(ConfigurationError):  # a model that is no longer there
        name = str(model.get("name", ""))
        return bool(registry.entry("model", name).facts["trains"] and not own_pretraining(name))
    return True


def view_epochs(config: Mapping[str, Any], epochs: int) -> range:
    """The zero-based epochs that compare views, of a stored configuration of at most so many ``epochs`` in all."""
    before, loss, model = pretrain_epochs_of(config), config.get("loss"), config.get("model")
    has_own = False
    with suppress(ConfigurationError):  # a model that is no longer there
        has_own = bool(own_pretraining(str(model.get("name", "")) if isinstance(model, Mapping) else ""))
    weight = loss.get("contrastive_weight", 0) if isinstance(loss, Mapping) else 0
    return range(before if has_own else 0, epochs if weight else before)


def first_epoch_with_views(config: ExperimentConfig) -> int:
    """The zero-based epoch in which views begin, if any are made: E is counted from there (Algorithm 1)."""
    return 0 if pretrains_by_contrast(config) else config.train.pretrain_epochs


def has_views_at(config: ExperimentConfig, epoch: int) -> bool:
    """Whether views are made in the zero-based ``epoch``."""
    if epoch < config.train.pretrain_epochs:
        return pretrains_by_contrast(config)
    return bool(config.loss.contrastive_weight)
