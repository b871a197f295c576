"""The views that a training run makes of one user in one epoch, before or without the run.

All that decides them is the seed: the order of the users, and the stream that plans views (`Generators`). So the run's
batches up to the user's are made again, with the run's own parts, and none of its steps is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.augment.views import AugmentedBatch, Augmenter
from engine.config import ExperimentConfig, has_views_at, makes_views, stage_at
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut, training_rows
from engine.errors import UsageError
from engine.models.contract import Windows
from engine.similarity.table import NeighbourTable
from engine.training import setup
from engine.training.examples import TrainingData, examples_of
from engine.training.seeding import Generators


@dataclass(frozen=True, eq=False)
class Replayed:
    """A batch of a run, and where the user stands in it: ``place`` of ``users``, whose inputs begin at ``first``."""

    augmenter: Augmenter
    views: AugmentedBatch
    step: int
    place: int
    users: int
    first: int


def replay(config: ExperimentConfig, dataset: Dataset, split: LeaveOneOut, row: int, epoch: int) -> Replayed:
    """The batch of zero-based ``epoch`` with evaluated user ``row``, as a run of ``config`` makes it on the host.

    Raises ``UsageError`` for an epoch whose correlations follow a model that has not been trained here, or whose
    training leaves the user out, where λ = 0: then a run makes no view, and where a model is trained on windows. Of
    two stages, one can make views and the other none.
    """
    if not makes_views(config):
        raise UsageError("With λ = 0 training makes no views.", "Set loss.contrastive_weight above 0.")
    if not has_views_at(config, epoch):
        stage = stage_at(config.train.pretrain_epochs, epoch)
        raise UsageError(f"Epoch {epoch + 1} is of this run's {stage}, which makes no views.", "Choose another epoch.")
    if getattr(config.model, "window", 0):
        raise UsageError("This run makes its views of windows, not of whole sequences.", "Set model.window to 0.")
    correlations = setup.correlations_or_none(config, split, dataset)
    if correlations is not None and correlations.name_at(epoch) != "memory":
        raise UsageError(
            f"In epoch {epoch + 1} correlations follow the embeddings of the model in training.",
            "Choose an earlier epoch, with memory-based correlations.",
        )
    table = NeighbourTable.empty(dataset.rows) if correlations is None else correlations.at_epoch(epoch, None)
    rows = training_rows(len(split.users), config.data.train_fraction, config.fidelity.train_subset, config.train.seed)
    if row not in rows:
        raise UsageError("This run does not train on this user.", "Pick another user, or data.train_fraction 1.")
    size = config.train.batch_size
    data, augmenter = TrainingData(split), Augmenter(config, dataset.item_count)
    others = _visited_without_views(config, split, rows)
    with torch.random.fork_rng(devices=[]):  # `Generators` seeds torch's default stream too
        generators = Generators(config.train.seed, torch.device("cpu"))
    for now in range(epoch + 1):
        if not has_views_at(config, now):
            generators.order.permutation(others)  # another stage's epoch: its order is drawn, its views are not
            continue
        order = generators.order.permutation(rows)
        for step, first in enumerate(range(0, len(order), size)):
            chosen = order[first : first + size]
            batch = data.batch(chosen)
            views = augmenter.views(batch.inputs, batch.offsets, table, generators.views)
            places = np.flatnonzero(chosen == row)
            if now == epoch and len(places):
                place = int(places[0])
                return Replayed(augmenter, views, step, place, len(chosen), int(batch.offsets[place]))
    raise AssertionError("every user of the rows is in the order")


def _visited_without_views(config: ExperimentConfig, split: LeaveOneOut, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The examples of an epoch of the stage that makes no views: the users, or what a model is pre-trained on."""
    if has_views_at(config, 0) or not getattr(config.model, "pretrain_prefixes", False):
        return rows
    return examples_of(Windows(config.model.max_length, targets=0, prefixes=True), split, "cpu").of_users(rows)  # type: ignore[attr-defined]
