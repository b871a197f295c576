"""Objectives: a batch in, a named loss out.

Each objective first says which sequences it wants encoded; the trainer encodes the wishes of all of them together; then
each turns its own hidden states into a loss. That keeps the trainer free of what the tasks are, and the encoder busy
with one large batch.

Legend: N users of a batch, T tokens, S sequences in M slots, d hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine.augment.ragged import Ragged, offsets_of, ranges
from engine.augment.views import Augmenter, NeighbourTable
from engine.data.splits import LeaveOneOut
from engine.losses.nt_xent.loss import NTXent
from engine.losses.representation import Representation, gram
from engine.models.transformer.module import Transformer
from engine.modules.layout import Layout


@dataclass(frozen=True, eq=False)
class Batch:
    """N users' training inputs ``items[:-3]`` and targets ``items[1:-2]`` (FACTS F1), whole.

    ``rows`` int64 [N] (evaluated users) and ``offsets`` int64 [N + 1] lie on the host, ``inputs`` and ``targets``
    int64 [T] on the device.
    """

    rows: Tensor
    offsets: Tensor
    inputs: Tensor
    targets: Tensor


class TrainingData:
    """All users' training parts on the device; batches are gathers from them."""

    def __init__(self, split: LeaveOneOut, device: torch.device | str = "cpu") -> None:
        part = split.training_part  # inputs and the last target: targets are the inputs shifted by one
        self._items = torch.from_numpy(part.items.astype(np.int64)).to(device)
        self._starts = torch.from_numpy(part.offsets[:-1])
        self._lengths = torch.from_numpy(part.lengths - 1)
        self._device = self._items.device

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """The batch of the users ``rows`` [N], in that order."""
        users = torch.from_numpy(rows)
        positions, offsets = ranges(self._starts[users], self._lengths[users])
        positions = positions.to(self._device, non_blocking=True)
        return Batch(users, offsets, self._items[positions], self._items[positions + 1])


@dataclass(frozen=True, eq=False)
class Encoded:
    """Hidden states of the sequences an objective asked for: hidden [M, d] and where their tokens lie in it.

    ``layout.token`` counts from ``first_token``, where this objective's items begin among all that were encoded.
    """

    hidden: Tensor
    layout: Layout
    first_token: int = 0


class Objective(Protocol):
    """One task of multi-task training (Eq. 15)."""

    name: str
    weight: float
    is_padded: bool
    """Whether padding takes part as published (FACTS F14)."""

    def sequences(self, batch: Batch) -> Ragged:
        """What to encode; offsets on the host."""
        ...

    def loss(self, batch: Batch, encoded: Encoded) -> Tensor:
        """The task's loss, a scalar."""
        ...


class NextItemLoss(Protocol):
    """What a next-item loss plugin is called with: hidden [T, d], targets int64 [T], item table [I + 2, d]; ``rows``
    int64 [T] is each token's training user, ``lengths`` int64 [N] the tokens of each user of the batch."""

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,
        lengths: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor: ...


class NextItem:
    """L_rec: predict the next item at every position of the training input (Eq. 3; Algorithm 1, line 13)."""

    name = "next_item"
    weight = 1.0
    is_padded = False

    def __init__(self, loss: NextItemLoss, table: Tensor, generator: torch.Generator) -> None:
        self._loss = loss
        self._table = table
        self._generator = generator

    def sequences(self, batch: Batch) -> Ragged:
        """The training inputs themselves."""
        return Ragged(batch.inputs, batch.offsets)

    def loss(self, batch: Batch, encoded: Encoded) -> Tensor:
        """The loss over the tokens that the encoder kept (the last ``max_length``)."""
        layout = encoded.layout
        slots = layout.token_slots()  # [T]
        hidden = F.embedding(slots, encoded.hidden)  # [T, d]
        targets = batch.targets[layout.token[slots] - encoded.first_token]
        rows = torch.repeat_interleave(batch.rows, layout.lengths).to(hidden.device, non_blocking=True)
        lengths = layout.lengths.to(hidden.device, non_blocking=True)
        return self._loss(hidden, targets, self._table, rows=rows, lengths=lengths, generator=self._generator)


class Contrastive:
    """L_cl: find each view's partner among the views of the batch (Eq. 14; Algorithm 1, lines 7–12 and 14).

    ``neighbours`` is the correlation in force; the trainer sets it at each epoch's start (lines 2–5).
    """

    name = "contrastive"

    def __init__(
        self,
        loss: NTXent,
        augmenter: Augmenter,
        representation: Representation,
        weight: float,
        generator: torch.Generator,
    ) -> None:
        self.weight = weight
        self.is_padded = representation == "padded_concat"
        self.neighbours: NeighbourTable | None = None
        self._loss = loss
        self._augmenter = augmenter
        self._representation = representation
        self._generator = generator

    def sequences(self, batch: Batch) -> Ragged:
        """2N views: all users' first views, then all users' second ones."""
        assert self.neighbours is not None, "the trainer sets the correlation at each epoch's start"
        return self._augmenter.views(batch.inputs, batch.offsets, self.neighbours, self._generator).ragged

    def loss(self, batch: Batch, encoded: Encoded) -> Tensor:  # noqa: ARG002 - the views say all
        """NT-Xent over the views' representations."""
        return self._loss(gram(encoded.hidden, encoded.layout, self._representation))


def encode(model: Transformer, wishes: Sequence[tuple[Ragged, bool]]) -> list[Encoded]:
    """SeqEnc(·) of each wish (sequences, whether padded), the packed ones in one pass (Algorithm 1, lines 13–14)."""
    results: list[Encoded | None] = [None] * len(wishes)
    packed = [index for index, (_, is_padded) in enumerate(wishes) if not is_padded]
    if packed:
        items = torch.cat([wishes[index][0].items for index in packed])
        offsets = offsets_of(torch.cat([wishes[index][0].offsets.diff() for index in packed]))
        layout = model.packed(offsets, items)
        hidden = model.encode_slots(items, layout)
        sequence = token = 0
        for index in packed:
            ragged = wishes[index][0]
            count = len(ragged.offsets) - 1
            results[index] = Encoded(hidden, layout.select(sequence, sequence + count), token)
            sequence, token = sequence + count, token + len(ragged.items)
    for index, (ragged, is_padded) in enumerate(wishes):
        if is_padded:
            layout = model.padded(ragged.offsets, ragged.items)
            results[index] = Encoded(model.encode_slots(ragged.items, layout), layout)
    return [result for result in results if result is not None]
