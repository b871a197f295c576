"""Cloze: items of a sequence are masked, and guessed from both sides (BERT4Rec; FACTS B6).

Legend: N users of a batch, T tokens, K masked ones.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from engine.augment.ragged import Ragged, offsets_of
from engine.models.contract import Batch, SequenceModel
from engine.modules.ways import sent
from engine.training.objectives import Encoded, NextItemLoss, loss_at


class ClozeModel(SequenceModel, Protocol):
    """A sequence model that says how much is masked; see BERT4Rec's options."""

    max_length: int
    mask_item: int
    mask_rate: float
    last_only: float


class Cloze:
    """The loss of the masked items, with any next-item loss; one of `Objective`."""

    name = "next_item"
    weight = 1.0
    is_padded = False

    def __init__(
        self, loss: NextItemLoss, model: ClozeModel, masks: torch.Generator, negatives: torch.Generator
    ) -> None:
        """``masks`` draws on the host, ``negatives`` on the device."""
        self._loss = loss
        self._model = model
        self._masks = masks
        self._negatives = negatives

    def sequences(self, batch: Batch) -> Ragged:
        """The training parts ``items[:-2]`` with some of their last ``max_length`` items masked."""
        whole, offsets = whole_parts(batch)
        model = self._model
        self._places, self._counts = masked_places(
            offsets, model.max_length, model.mask_rate, model.last_only, self._masks
        )
        places = sent(self._places, whole.device)
        self._hidden_items = whole[places]
        return Ragged(whole.index_fill(0, places, model.mask_item), offsets)

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:
        """The loss over the masked tokens."""
        assert encoded is not None
        layout = encoded.layout
        # Of each masked token, how far it lies before its sequence's end says in which slot it is.
        lengths = batch.offsets.diff() + 1
        ends = lengths.cumsum(0)
        owners = torch.repeat_interleave(torch.arange(len(lengths)), self._counts)
        slots = (layout.first + layout.lengths)[owners] - (ends[owners] - self._places)
        slots = sent(slots, encoded.hidden.device)
        return loss_at(
            self._loss, self._model, encoded, slots, self._hidden_items, batch.rows, self._counts, self._negatives
        )


def whole_parts(batch: Batch) -> tuple[Tensor, Tensor]:
    """The training parts ``items[:-2]``: the inputs, each followed by its last target. → items [T + N], offsets."""
    lengths = batch.offsets.diff()
    offsets = offsets_of(lengths + 1)
    last = offsets[1:] - 1
    is_input = torch.ones(int(offsets[-1]), dtype=torch.bool)
    is_input[last] = False
    device = batch.inputs.device
    whole = batch.inputs.new_empty(int(offsets[-1]))
    whole[sent(is_input.nonzero().squeeze(1), device)] = batch.inputs
    whole[sent(last, device)] = batch.targets[sent(batch.offsets[1:] - 1, device)]
    return whole, offsets


def masked_places(
    offsets: Tensor, max_length: int, rate: float, last_only: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Places of the masked tokens among the flat ones, ascending [K], and how many there are of each sequence [N].

    Of the last n ≤ ``max_length`` items of a sequence, max(1, ⌊``rate`` · n + ½⌋) are masked, all choices alike; with
    chance ``last_only`` instead the last one alone, as when the next item is asked for.
    """
    lengths = offsets.diff()
    kept = lengths.clamp(max=max_length)
    counts = (rate * kept + 0.5 + 1e-9).long().clamp(min=1)
    counts = torch.minimum(counts, kept)
    owners = torch.repeat_interleave(torch.arange(len(lengths)), kept)
    first = offsets_of(kept)
    within = torch.arange(len(owners)) - first[owners]
    keys = torch.rand(len(owners), generator=generator, dtype=torch.float64)
    is_last_only = torch.rand(len(lengths), generator=generator) < last_only
    counts = torch.where(is_last_only, kept.clamp(max=1), counts)
    keys = torch.where(is_last_only[owners] & (within == kept[owners] - 1), -1.0, keys)
    order = torch.argsort(owners + (keys + 1) / 2.5, stable=True)  # each sequence's tokens, by their keys
    rank = torch.empty_like(order).scatter_(0, order, torch.arange(len(order))) - first[owners]
    chosen = (rank < counts[owners]).nonzero().squeeze(1)
    return offsets[1:][owners[chosen]] - kept[owners[chosen]] + within[chosen], counts
