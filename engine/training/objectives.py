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

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.augment.ragged import Ragged, offsets_of
from engine.augment.views import Augmenter, Known, NeighbourTable
from engine.losses.nt_xent.loss import NTXent
from engine.losses.representation import Representation, gram
from engine.models.contract import Batch, Negatives, OwnLossModel, SequenceModel
from engine.modules.layout import Layout
from engine.modules.ways import sent


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

    def sequences(self, batch: Batch) -> Ragged | None:
        """What to encode, offsets on the host; None where the task encodes nothing."""
        ...

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:
        """The task's loss, a scalar."""
        ...


class NextItemLoss(Protocol):
    """What a next-item loss plugin is called with: hidden [T, d], targets int64 [T], item table [I + 2, d]; ``rows``
    int64 [T] is each token's training user, ``lengths`` int64 [N] the tokens of each user of the batch; ``weights`` [T]
    say what each token counts where that is not to follow from them (`engine.training.fixed_step`)."""

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,
        lengths: Tensor,
        weights: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor: ...


class NextItem:
    """L_rec: predict the next item at every position of the training input (Eq. 3; Algorithm 1, line 13)."""

    name = "next_item"
    weight = 1.0
    is_padded = False

    def __init__(self, loss: NextItemLoss, model: SequenceModel, generator: torch.Generator) -> None:
        self.loss_function = loss
        self.model = model
        self.generator = generator

    def sequences(self, batch: Batch) -> Ragged:
        """The training inputs themselves."""
        return Ragged(batch.inputs, batch.offsets)

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:
        """The loss over the tokens that the encoder kept (the last ``max_length``); of windows, over the last ones."""
        assert encoded is not None
        layout = encoded.layout
        if batch.after:
            slots, targets, counts = layout.last_slots(), batch.targets, torch.ones_like(layout.lengths)  # [N]
        else:
            slots, counts = layout.token_slots(), layout.lengths  # [T]
            targets = batch.targets[layout.token[slots] - encoded.first_token]
        return loss_at(self.loss_function, self.model, encoded, slots, targets, batch.rows, counts, self.generator)


class Own:
    """The loss that a model brings with it, where hidden states and an output table do not tell it."""

    name = "next_item"
    weight = 1.0
    is_padded = False

    def __init__(self, model: OwnLossModel, negatives: Negatives, generator: torch.Generator) -> None:
        self._model = model
        self._negatives = negatives
        self._generator = generator

    def sequences(self, batch: Batch) -> None:
        """Nothing to encode."""

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:  # noqa: ARG002
        """The model's own."""
        return self._model.loss(batch, self._negatives, self._generator)


def loss_at(
    loss: NextItemLoss,
    model: SequenceModel,
    encoded: Encoded,
    slots: Tensor,
    targets: Tensor,
    users: Tensor,
    counts: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """``loss`` of the hidden states in ``slots`` [T] against ``targets`` [T], ``counts`` [N] of them for each of the
    training ``users`` [N] (both on the host)."""
    hidden = model.outputs(F.embedding(slots, encoded.hidden))  # [T, d]
    rows = sent(torch.repeat_interleave(users, counts), hidden.device)
    lengths = sent(counts, hidden.device)
    return loss(hidden, targets, model.output_table(), rows=rows, lengths=lengths, generator=generator)


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
        self._best: tuple[NeighbourTable, Tensor | None] | None = None
        self.loss_function = loss
        self.augmenter = augmenter
        self.representation = representation
        self.generator = generator

    def sequences(self, batch: Batch) -> Ragged:
        """2N views: all users' first views, then all users' second ones."""
        assert self.neighbours is not None, "the trainer sets the correlation at each epoch's start"
        known = None if batch.on_host is None else Known(batch.on_host, self.best_on_host())
        return self.augmenter.views(batch.inputs, batch.offsets, self.neighbours, self.generator, known).ragged

    def best_on_host(self) -> Tensor | None:
        """Each item's best neighbour, int64 [I + 2], on the host, asked for once a table; None where nobody needs to
        know (`Augmenter.can_miss`)."""
        assert self.neighbours is not None, "the trainer sets the correlation at each epoch's start"
        if self._best is None or self._best[0] is not self.neighbours:
            can_miss = self.augmenter.can_miss(self.neighbours)
            self._best = self.neighbours, self.neighbours.ids[:, 0].cpu() if can_miss else None
        return self._best[1]

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:  # noqa: ARG002 - the views say all
        """NT-Xent over the views' representations."""
        assert encoded is not None
        return self.loss_function(gram(encoded.hidden, encoded.layout, self.representation))


def joint(objectives: Sequence[Objective], losses: Sequence[Tensor]) -> Tensor:
    """What is learned from (Algorithm 1, line 15; Eq. 15: L = L_rec + λ L_cl): the weighted sum, a scalar."""
    return torch.stack([task.weight * loss for task, loss in zip(objectives, losses, strict=True)]).sum()


def encode(model: SequenceModel, wishes: Sequence[tuple[Ragged | None, bool]]) -> list[Encoded | None]:
    """SeqEnc(·) of each wish (sequences, whether padded), the packed ones in one pass (Algorithm 1, lines 13–14); None
    for those that wish for nothing."""
    results: list[Encoded | None] = [None] * len(wishes)
    packed = [
        (index, ragged) for index, (ragged, is_padded) in enumerate(wishes) if ragged is not None and not is_padded
    ]
    if packed:
        items = torch.cat([ragged.items for _, ragged in packed])
        offsets = offsets_of(torch.cat([ragged.offsets.diff() for _, ragged in packed]))
        layout = model.packed(offsets, items)
        hidden = model.encode_slots(items, layout)
        sequence = token = 0
        for index, asked in packed:
            count = len(asked.offsets) - 1
            results[index] = Encoded(hidden, layout.select(sequence, sequence + count), token)
            sequence, token = sequence + count, token + len(asked.items)
    for index, (ragged, is_padded) in enumerate(wishes):
        if ragged is not None and is_padded:
            layout = model.padded(ragged.offsets, ragged.items)
            results[index] = Encoded(model.encode_slots(ragged.items, layout), layout)
    return results
