"""Is the positive pair really closer? A batch's views under a trained encoder, compared as Eq. 14 compares them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine import registry
from engine.augment.views import Augmenter, NeighbourTable
from engine.config import ExperimentConfig
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut
from engine.errors import UsageError
from engine.losses.nt_xent.loss import NTXent
from engine.losses.representation import gram
from engine.records import PairSimilarities
from engine.training.examples import TrainingData
from engine.training.objectives import encode

NEGATIVES_PER_USER = 16
"""How many of a batch's similarities between users are kept for the histogram; ranks always use all of them."""


@torch.no_grad()
def pairs(
    model: Any,
    config: ExperimentConfig,
    dataset: Dataset,
    split: LeaveOneOut,
    table: NeighbourTable,
    seed: int,
    part: int = 0,
) -> PairSimilarities | None:
    """Batch ``part`` of the users in a random order by ``seed``, two views each; None after the last batch.

    Views, representation, similarity and temperature are ``config``'s; dropout is off. A last batch of one user has
    nobody to compare with, and is left out. Raises ``UsageError`` for a model that makes no views.
    """
    plugin = registry.entry("model", config.model.name)
    if not plugin.facts["views"]:
        raise UsageError(f"{plugin.label} makes no views to compare.", "Choose a run of a sequence model.")
    size = config.train.batch_size
    rows = np.random.default_rng(seed).permutation(len(split.users))[part * size : (part + 1) * size]
    if len(rows) < 2:
        return None
    batch = TrainingData(split).batch(rows)
    drawn = np.random.SeedSequence([seed, part]).generate_state(1, np.uint64)[0] >> np.uint64(1)
    generator = torch.Generator().manual_seed(int(drawn))
    augmenter = Augmenter(config, dataset.item_count)
    views = augmenter.views(batch.inputs, batch.offsets, table, generator)
    options = config.loss
    (encoded,) = encode(model, [(views.ragged, options.representation == "padded_concat")])
    assert encoded is not None
    loss = NTXent(options.temperature, options.similarity)
    found = loss.similarities(gram(encoded.hidden, encoded.layout, options.representation)).numpy()  # [2N, 2N]
    users = len(rows)
    positives = np.diagonal(found, users).copy()  # [N]: view u with view N + u
    other = ~np.eye(users, dtype=bool)
    other = np.tile(other, (2, 2))  # [2N, 2N]: two views of different users
    partner = np.tile(positives, 2)[:, None]
    ranks = 1 + ((found > partner) & other).sum(1) + ((found == partner) & other).sum(1) / 2
    picks = torch.randint(2 * users * (2 * users - 2), (NEGATIVES_PER_USER * users,), generator=generator).numpy()
    letters = tuple(str(entry.facts["letter"]) for entry in registry.entries("operator"))
    of_slot = np.array([letters.index(slot.letter) for slot in augmenter.slots])
    return PairSimilarities(
        similarity=f"{options.similarity} / τ = {options.temperature:g}",
        representation=options.representation,
        letters=letters,
        others=2 * users - 2,
        positives=positives.astype(np.float32),
        negatives=found[other][picks].astype(np.float32),
        ranks=ranks.reshape(2, users),
        operators=of_slot[views.operators.numpy()].reshape(2, users),
    )
