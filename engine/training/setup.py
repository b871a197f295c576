"""What a configuration names, made: model, objectives, correlations, scorers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import registry
from engine.augment.views import Augmenter
from engine.config import ExperimentConfig, TrainOptions, differences, epochs_text, makes_views, parse
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut
from engine.errors import RunError
from engine.evaluation.protocol import Which, model_inputs
from engine.evaluation.scoring import ModelScorer
from engine.losses.negatives import NegativeSampler
from engine.models.contract import refuse_incomplete
from engine.records import EpochReport
from engine.similarity.source import Correlations, correlations
from engine.training.adam import Adam
from engine.training.cloze import Cloze
from engine.training.objectives import Contrastive, NextItem, Objective, Own
from engine.training.optimiser import Optimiser, RMSProp, learning_rate
from engine.training.seeding import Generators

_MAY_CHANGE = {"data.path", "train.epochs", "train.patience", "train.device", "evaluate.batch_size"} | {
    "train.checkpoint_epochs",
    "train.checkpoint_minutes",
    "train.max_minutes",
    "train.capture",
}
"""Settings that a resumed run may have other values of: they change no step that was already taken. Of the epochs that
holds where the learning rate stays (`refuse_another_run`)."""


def trains(config: ExperimentConfig) -> bool:
    """Whether the model has anything to learn."""
    return bool(registry.entry("model", config.model.name).facts["trains"])


def model(config: ExperimentConfig, dataset: Dataset, split: LeaveOneOut, generator: torch.Generator) -> Any:
    """The model with fresh weights, on the CPU. One that does not train is made from the split itself."""
    plugin = registry.entry("model", config.model.name)
    made = plugin.load()
    if plugin.facts["knows_users"]:
        found = made.from_config(config, dataset.item_count, generator, len(split.users))
    elif trains(config):
        found = made.from_config(config, dataset.item_count, generator)
    else:
        found = made.from_config(config, dataset.item_count, split)
    refuse_incomplete(found, plugin)
    return found


def objectives(
    config: ExperimentConfig,
    dataset: Dataset,
    split: LeaveOneOut,
    model: Any,
    generators: Generators,
    device: torch.device,
) -> tuple[Objective, ...]:
    """The tasks of training: the model's own kind first, then the contrastive one where λ > 0 (Eq. 15)."""
    first, weight = next_item(config, dataset, split, model, generators), config.loss.contrastive_weight
    if not weight:  # then no view is ever made (SASRec)
        return (first,)
    return first, contrastive(config, dataset, generators, device, weight=weight)


def next_item(
    config: ExperimentConfig, dataset: Dataset, split: LeaveOneOut, model: Any, generators: Generators
) -> NextItem | Cloze | Own:
    """The task that the model announces: next items with their loss (Eq. 3, FACTS F7), cloze, or its own."""
    task, device = registry.entry("model", config.model.name).facts["task"], model.item_embedding.weight.device
    if task == "own":
        sampler = NegativeSampler.from_config(config, split, dataset.item_count, device)
        return Own(model, sampler, generators.negatives)
    made = registry.entry("next_item_loss", config.loss.next_item).load()
    loss = made.from_config(config, split, dataset.item_count, device)
    if task == "cloze":
        return Cloze(loss, model, generators.masks, generators.negatives)
    return NextItem(loss, model, generators.negatives)


def optimiser(train: TrainOptions, parameters: Iterable[Tensor], steps: int) -> Optimiser:
    """The optimiser of a section ``train`` for a stage of at most ``steps`` steps."""
    weights = list(parameters)
    inner: Adam | RMSProp
    if train.optimiser == "rmsprop":
        inner = RMSProp(weights, train.learning_rate, weight_decay=train.weight_decay)
    else:
        inner = Adam(
            weights,
            train.learning_rate,
            (train.beta1, train.beta2),
            weight_decay=train.weight_decay,
            decoupled=train.optimiser == "adamw",
        )
    return Optimiser(inner, train.clip_norm, lambda taken: learning_rate(train, taken, steps))


def contrastive(
    config: ExperimentConfig, dataset: Dataset, generators: Generators, device: torch.device, *, weight: float
) -> Contrastive:
    """The contrastive task with this weight: λ beside the next-item task, 1 alone."""
    options = config.loss
    loss = registry.entry("contrastive_loss", options.contrastive).load()(options.temperature, options.similarity)
    augmenter = Augmenter(config, dataset.item_count, device)
    return Contrastive(loss, augmenter, options.representation, weight, generators.views)


def uses_neighbours(config: ExperimentConfig) -> bool:
    """Whether any view can ask for a correlated item: Substitute or Insert among the operators of a run with views."""
    letters = config.augment.short_operators + config.augment.long_operators
    looks_up = any(
        plugin.facts["looks_up"] and plugin.facts["letter"] in letters for plugin in registry.entries("operator")
    )
    return makes_views(config) and looks_up


def asks_for_hybrid(config: ExperimentConfig) -> bool:
    """Whether the run would switch to hybrid correlations if it lasted (FACTS F16)."""
    plugin = registry.entry("similarity", config.similarity.name).facts
    both = bool(plugin["uses_memory"] and plugin["uses_model"])
    return trains(config) and uses_neighbours(config) and both


def correlations_or_none(config: ExperimentConfig, split: LeaveOneOut, dataset: Dataset) -> Correlations | None:
    """The correlations of the run; None where no operator asks for them (CL4SRec)."""
    return correlations(config, split, dataset.item_count) if uses_neighbours(config) else None


def scorer(
    config: ExperimentConfig,
    dataset: Dataset,
    split: LeaveOneOut,
    which: Which,
    model: Any,
    device: torch.device,
    users: NDArray[np.int64] | None = None,
) -> ModelScorer:
    """Scores of ``model`` for the evaluated users' ``which`` inputs; ``users`` [E] says who of the training users they
    are, where it is not all of them."""
    inputs = model_inputs(split, which, dataset.item_count, config.evaluate, config.train.seed)
    known = None
    if registry.entry("model", config.model.name).facts["knows_users"]:
        known = np.arange(len(split.users), dtype=np.int64) if users is None else users
    return ModelScorer(model, inputs, getattr(model, "max_length", 1), device, known)


def plain(report: EpochReport) -> dict[str, Any]:
    """An epoch's report as plain values for the checkpoint."""
    return {**vars(report), "losses": dict(report.losses), "metrics": dict(report.metrics)}


def state_of(epoch: Any) -> dict[str, Any]:
    """An epoch that has begun as tensors and plain values: what arrays it has, a checkpoint cannot hold."""
    return {**vars(epoch), "order": torch.from_numpy(epoch.order)}


def restored(state: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """What `state_of` gave, with its order as an array again and the rest on ``device``."""
    table = state["table"]
    return {
        **state,
        "order": state["order"].numpy(),
        "table": None if table is None else table.to(device),
        "totals": state["totals"].to(device),
    }


def refuse_another_run(saved: dict[str, Any], config: ExperimentConfig, dataset: Dataset, path: Path) -> None:
    """Raise ``RunError`` when the checkpoint belongs to other data or to other settings, other epochs among them where
    the learning rate falls over all of them."""
    if saved["fingerprint"] != dataset.fingerprint:
        raise RunError(f"{path} belongs to other data than {dataset.name} holds now.", "Start a new run.")
    before = parse(json.loads(saved["config"]))
    found = differences(before, config)
    changed = sorted(path for path in found if path not in _MAY_CHANGE)
    if changed:
        raise RunError(f"{path} belongs to a run with another {', '.join(changed)}.", "Start a new run.")
    if "train.epochs" in found and config.train.rate_decay != "none":
        raise RunError(
            f"{path} belongs to a run whose learning rate falls over {epochs_text(before.train.epochs)} "
            f"(train.rate_decay); over {config.train.epochs:,} it would have been another in what is trained already.",
            f"Leave train.epochs at {before.train.epochs}, or start a new run.",
        )
