"""Stages of a training: pre-training, where the run has one, and then training proper (§5.5.3, Table 4; FACTS B7).

A stage is what an epoch goes by: examples, objectives, the encoder they see, and an optimiser of its own. Weights and
random streams go on from one stage to the next; the optimiser begins anew, as the sources do, and only the last stage
is validated and stopped early.

Two-stage CoSeRec is pre-trained by the contrastive task alone, S3-Rec by tasks that its model announces. Then either
is trained on next items as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.config import ExperimentConfig, own_pretraining, stage_at
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut
from engine.models.contract import UserSequences
from engine.records import PRETRAINING
from engine.training import setup
from engine.training.examples import ExampleSource, examples_of
from engine.training.objectives import Contrastive, Objective
from engine.training.optimiser import Optimiser
from engine.training.pretraining import PretrainedModel, pretraining_tasks
from engine.training.seeding import Generators


@dataclass(frozen=True)
class Plan:
    """One stage before it begins: ``epochs`` of them from the zero-based ``first`` on, and its learning rate."""

    name: str
    first: int
    epochs: int
    learning_rate: float

    @property
    def end(self) -> int:
        """The first epoch after it."""
        return self.first + self.epochs

    @property
    def is_pretraining(self) -> bool:
        """Whether it comes before training proper: then it is neither validated nor stopped early."""
        return self.name == PRETRAINING


@dataclass(frozen=True, eq=False)
class Stage:
    """A stage that has begun. ``encoder`` is the model, or how it sees sequences in this stage; ``steps`` are the
    batches of an epoch."""

    plan: Plan
    encoder: Any
    data: ExampleSource
    objectives: tuple[Objective, ...]
    optimiser: Optimiser
    steps: int

    @property
    def contrastive(self) -> Contrastive | None:
        """The contrastive task, where there is one."""
        return next((task for task in self.objectives if isinstance(task, Contrastive)), None)


def plans(config: ExperimentConfig) -> tuple[Plan, ...]:
    """The stages of a run, in their order."""
    train, before = config.train, config.train.pretrain_epochs
    last = Plan(stage_at(before, before), before, train.epochs, train.learning_rate)
    if not before:
        return (last,)
    return (Plan(stage_at(before, 0), 0, before, train.pretrain_learning_rate or train.learning_rate), last)


def plan_at(config: ExperimentConfig, epoch: int) -> Plan:
    """The stage of the zero-based ``epoch``; the last one for all that come after it."""
    found = plans(config)
    return next((plan for plan in found if epoch < plan.end), found[-1])


def begin(
    plan: Plan,
    config: ExperimentConfig,
    dataset: Dataset,
    split: LeaveOneOut,
    model: Any,
    generators: Generators,
    rows: NDArray[np.int64],
    device: torch.device,
    of_everybody: int = 0,
) -> Stage:
    """The stage itself, with a fresh optimiser. ``rows`` are the training users that its epochs visit, but for the
    ``of_everybody`` among them that visit all there are (FACTS F18)."""
    encoder, kind = model, getattr(model, "examples", UserSequences())
    if not plan.is_pretraining:
        objectives = setup.objectives(config, dataset, split, model, generators, device)
    elif own_pretraining(config.model.name):
        own: PretrainedModel = model
        encoder, kind = own.both_ways(), own.pretraining_examples
        objectives = pretraining_tasks(config, dataset, split, own, generators, device)
    else:
        objectives = (setup.contrastive(config, dataset, generators, device, weight=1.0),)
    data = examples_of(kind, split, device)
    steps = _steps(data, rows, config)
    more = _steps(data, np.arange(len(split.users), dtype=np.int64), config) - steps if of_everybody else 0
    settings = config.train.model_copy(update={"learning_rate": plan.learning_rate})
    optimiser = setup.optimiser(settings, model.parameters(), plan.epochs * steps + of_everybody * more)
    return Stage(plan, encoder, data, objectives, optimiser, steps)


def _steps(data: ExampleSource, rows: NDArray[np.int64], config: ExperimentConfig) -> int:
    """Batches of an epoch that visits the users ``rows``."""
    return -(-len(data.of_users(rows)) // config.train.batch_size)
