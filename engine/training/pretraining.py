"""S3-Rec's pre-training tasks (Zhou et al. 2020, without attributes; FACTS B7): masked items, masked segments.

Both are pairwise: with f = σ(·) for how well an item or a segment fits its surroundings, the loss of a pair is
−log σ(f⁺ − f⁻). Sequences are read in both directions. Losses are summed over a sequence's pairs and averaged over the
batch's sequences, so that a weight between the tasks means what it means in the source.

Legend: N sequences of a batch, T tokens, K masked ones, P sequences with a segment, d hidden size, I items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import registry
from engine.augment.ragged import Ragged, offsets_of, ranges, spread, within
from engine.config import ExperimentConfig
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut
from engine.losses.negatives import NegativeSampler
from engine.losses.sampled import sampled_scores
from engine.models.contract import Batch, Examples, Negatives, SequenceModel, UserSequences
from engine.modules.ways import sent
from engine.training.cloze import whole_parts
from engine.training.objectives import Encoded, NextItemLoss, Objective, loss_at
from engine.training.seeding import Generators


class PretrainedModel(Protocol):
    """A model that announces ``pretraining="masked_items"``; see S3-Rec's options."""

    max_length: int
    mask_item: int
    mask_rate: float
    segment_weight: float
    masked_item_loss: str
    pretraining_examples: Examples

    def both_ways(self) -> SequenceModel:
        """The model as it is pre-trained: every token sees all of its sequence, and ``outputs`` are those that masked
        items are guessed with."""
        ...

    def segment_outputs(self, hidden: Tensor) -> Tensor:
        """What a segment's hidden state is multiplied with. [P, d] → [P, d]"""
        ...


def pretraining_tasks(
    config: ExperimentConfig,
    dataset: Dataset,
    split: LeaveOneOut,
    model: PretrainedModel,
    generators: Generators,
    device: torch.device,
) -> tuple[Objective, ...]:
    """Masked items, and segments where they have a weight."""
    loss: NextItemLoss
    if model.masked_item_loss == "pairwise":
        loss = Pairwise(NegativeSampler.from_config(config, split, dataset.item_count, device))
    else:
        made = registry.entry("next_item_loss", config.loss.next_item).load()
        loss = made.from_config(config, split, dataset.item_count, device)
    items = MaskedItems(loss, model, generators.masks, generators.negatives)
    if not model.segment_weight:
        return (items,)
    corpus = torch.from_numpy(split.training_part.items.astype("int64")).to(device)
    return items, Segments(model, corpus, generators.masks)


def margin_losses(right: Tensor, wrong: Tensor) -> Tensor:
    """−log σ(σ(right) − σ(wrong)) of scores of any shape; at least −log σ(1) = 0.313.

    >>> margin_losses(torch.tensor(0.0), torch.tensor(0.0)).item()  # log 2
    0.6931471824645996
    """
    return F.softplus(wrong.sigmoid() - right.sigmoid())


class Pairwise:
    """Mean over the masked items of −log σ(f(item) − f(negative)), f(i) = σ(eᵢᵀ(W h + b)): one of `NextItemLoss`."""

    def __init__(self, negatives: Negatives) -> None:
        self._negatives = negatives

    def __call__(
        self,
        hidden: Tensor,
        targets: Tensor,
        table: Tensor,
        *,
        rows: Tensor,
        lengths: Tensor,  # noqa: ARG002 - every masked item counts alike
        weights: Tensor | None = None,  # noqa: ARG002
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """hidden [K, d], which is W h + b already; targets and rows int64 [K]; item table [I + 2, d] → a scalar."""
        negatives = self._negatives(rows, generator)  # type: ignore[arg-type]
        scores = sampled_scores(hidden, table, torch.stack((targets, negatives), 1))  # [K, 2]
        return margin_losses(scores[:, 0], scores[:, 1]).mean()


def training_parts(kind: Examples, max_length: int) -> Callable[[Batch], Ragged]:
    """What a batch of examples of that ``kind`` is pre-trained on: the last ``max_length`` items of the training parts
    ``items[:-2]``, or of whatever the examples' inputs are."""

    def parts(batch: Batch) -> Ragged:
        whole = whole_parts(batch) if isinstance(kind, UserSequences) else (batch.inputs, batch.offsets)
        items, offsets = whole
        lengths = offsets.diff().clamp(max=max_length)
        places, kept = ranges(offsets[1:] - lengths, lengths)
        return Ragged(items[sent(places, items.device)], kept)

    return parts


class MaskedItems:
    """Masked-item prediction: every item is masked with chance p, the last one always; one of `Objective`."""

    name = "masked_items"
    weight = 1.0
    is_padded = False

    def __init__(
        self, loss: NextItemLoss, model: PretrainedModel, masks: torch.Generator, negatives: torch.Generator
    ) -> None:
        """``masks`` draws on the host, ``negatives`` on the device."""
        self._loss = loss
        self._model = model
        self._encoder = model.both_ways()
        self._parts = training_parts(model.pretraining_examples, model.max_length)
        self._masks = masks
        self._negatives = negatives

    def sequences(self, batch: Batch) -> Ragged:
        """The training parts with their masks."""
        parts = self._parts(batch)
        is_masked = masked_tokens(parts.offsets, self._model.mask_rate, self._masks)
        running = offsets_of(is_masked.long())
        self._counts = running[parts.offsets].diff()  # of each sequence, [N]
        self._places = sent(is_masked.nonzero().squeeze(1), parts.items.device)  # [K]
        self._hidden_items = parts.items[self._places]
        return Ragged(parts.items.index_fill(0, self._places, self._model.mask_item), parts.offsets)

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:
        """Σ over masked items / N."""
        assert encoded is not None
        slots = encoded.layout.token_slots()[self._places]
        mean = loss_at(
            *(self._loss, self._encoder, encoded, slots, self._hidden_items, batch.rows, self._counts, self._negatives)
        )
        return mean * (len(self._places) / max(len(batch.rows), 1))


def masked_tokens(offsets: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Bool [T], on the host: each token with chance ``rate``, and the last one of every sequence."""
    chosen = torch.rand(int(offsets[-1]), generator=generator) < rate
    chosen[offsets[1:][offsets.diff() > 0] - 1] = True
    return chosen


@dataclass(frozen=True, eq=False)
class Cuts:
    """One segment of each sequence that has two items or more. On the host: ``rows`` int64 [P] says which sequences
    these are; the segment is the ``lengths`` [P] tokens from ``starts`` [P] on, and its negative as many tokens of all
    training parts in a row, from ``others`` [P] on."""

    rows: Tensor
    starts: Tensor
    lengths: Tensor
    others: Tensor


def cut(offsets: Tensor, corpus: int, generator: torch.Generator) -> Cuts:
    """Draw segments: lengths from 1 to half of the sequence, then places, all alike. ``corpus`` is how many tokens all
    training parts have."""
    rows = (offsets.diff() >= 2).nonzero().squeeze(1)
    n = offsets.diff()[rows]
    draws = torch.rand(3, len(rows), generator=generator, dtype=torch.float64)

    def below(ends: Tensor, which: int) -> Tensor:
        return torch.minimum((draws[which] * ends).long(), ends - 1)

    lengths = 1 + below(n // 2, 0)
    return Cuts(rows, below(n - lengths + 1, 1), lengths, below(corpus - lengths + 1, 2))


class Segments:
    """Segment prediction: does a stretch belong to the sequence it was cut out of, or to another? One of `Objective`.

    Three sequences of equal length are encoded: the rest of the sequence with masks where the segment was, the segment
    alone between masks, and a negative segment likewise. With c, s⁺, s⁻ the hidden states of their last positions,
    f(s) = σ(sᵀ(W c + b)). A sequence of one item has no segment.
    """

    name = "segments"
    is_padded = False

    def __init__(self, model: PretrainedModel, corpus: Tensor, masks: torch.Generator) -> None:
        """``corpus`` int64 [A], on the device: the items of all training parts, user after user."""
        self.weight = model.segment_weight
        self._model = model
        self._parts = training_parts(model.pretraining_examples, model.max_length)
        self._corpus = corpus
        self._masks = masks

    def sequences(self, batch: Batch) -> Ragged:
        """All rests, then all segments, then all negative segments: 3P sequences."""
        parts = self._parts(batch)
        return self.cut_out(parts, cut(parts.offsets, len(self._corpus), self._masks))

    def cut_out(self, parts: Ragged, cuts: Cuts) -> Ragged:
        """The sequences that ``cuts`` make of ``parts``."""
        device = parts.items.device
        n = parts.offsets.diff()[cuts.rows]
        places, offsets = ranges(parts.offsets[:-1][cuts.rows], n)
        behind = within(offsets) - spread(
            cuts.starts, n, len(places)
        )  # how far a token lies behind its segment's start
        is_inside = (behind >= 0) & (behind < spread(cuts.lengths, n, len(places)))
        elsewhere = (spread(cuts.others, n, len(places)) + behind).where(is_inside, 0)
        is_inside = sent(is_inside, device)
        items = parts.items[sent(places, device)]
        others = self._corpus[sent(elsewhere, device)]
        mask = self._model.mask_item
        three = (items.masked_fill(is_inside, mask), items.where(is_inside, mask), others.where(is_inside, mask))
        return Ragged(torch.cat(three), offsets_of(n.repeat(3)))

    def loss(self, batch: Batch, encoded: Encoded | None) -> Tensor:
        """Σ over segments / N."""
        assert encoded is not None
        last = F.embedding(encoded.layout.last_slots(), encoded.hidden)  # [3P, d]
        rest, segment, other = last.chunk(3) if len(last) else (last, last, last)
        rest = self._model.segment_outputs(rest)
        losses = margin_losses((rest * segment).sum(1), (rest * other).sum(1))  # [P]
        return losses.sum() / max(len(batch.rows), 1)
