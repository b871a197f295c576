"""S3-Rec without attributes (Zhou et al. 2020; FACTS B7): SASRec's encoder, and what its pre-training adds.

Trained on next items it is SASRec, weight for weight; pre-trained, the same blocks read in both directions, and two
linear layers lie between hidden states and what they are compared with.

Legend: K masked tokens, P segments, d hidden size; the mask is item I + 1.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from engine import registry
from engine.config import ExperimentConfig
from engine.models.contract import Examples, UserSequences, Windows
from engine.models.s3rec.options import S3RecOptions
from engine.models.transformer.module import Transformer
from engine.modules.layout import Layout, packed_layout
from engine.modules.linear import linear, reduced_type


class S3Rec(Transformer):
    """`Transformer` with ``masked_head`` and, where segments have a weight, ``segment_head``: W and b of the tasks."""

    def __init__(
        self, options: S3RecOptions, item_count: int, *, generator: torch.Generator | None = None, **settings: Any
    ) -> None:
        """As `Transformer`. The heads are drawn last, so that a SASRec of that seed has the same weights
        and the same dropout."""
        super().__init__(options, item_count, generator=generator, **settings)
        size = options.hidden_size
        self.mask_item = item_count + 1
        self.mask_rate, self.segment_weight = options.mask_rate, options.segment_weight
        self.masked_item_loss = options.masked_item_loss
        self.pretraining_examples: Examples = UserSequences()
        if options.pretrain_prefixes:
            self.pretraining_examples = Windows(options.max_length, targets=0, prefixes=True)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):  # the first draw of a layer is written over
            self.masked_head = nn.Linear(size, size)
            self.segment_head = nn.Linear(size, size) if options.segment_weight else None
            for head in filter(None, (self.masked_head, self.segment_head)):
                head.weight.normal_(0, options.initializer_range, generator=generator)
                head.bias.zero_()

    @classmethod
    def from_config(cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "s3rec"), config.model)
        assert isinstance(options, S3RecOptions)
        return cls(
            options,
            item_count,
            generator=generator,
            padding_row=config.fidelity.padding_row,
            hide_padding_items=config.fidelity.mask_token == "padding",
            dtype=reduced_type(config.train.precision),
        )

    def both_ways(self) -> BothWays:
        """The model as it is pre-trained."""
        return BothWays(self)

    def segment_outputs(self, hidden: Tensor) -> Tensor:
        """W c + b of what is left of a sequence, to be multiplied with segments. [P, d] → [P, d]"""
        assert self.segment_head is not None, "without a weight there are no segments"
        return linear(self.segment_head, hidden)


class BothWays:
    """`S3Rec` in pre-training: one of `SequenceModel`, with the same weights."""

    def __init__(self, model: S3Rec) -> None:
        self._model = model

    def packed(self, offsets: Tensor, items: Tensor) -> Layout:
        """The packed layout of these sequences, every token seeing all of its sequence. ``offsets`` on the host."""
        return packed_layout(offsets, self._model.max_length, is_bidirectional=True, device=items.device)

    def padded(self, offsets: Tensor, items: Tensor) -> Layout:
        """There is none: the tasks of pre-training know real positions only."""
        raise NotImplementedError

    def encode_slots(self, items: Tensor, layout: Layout) -> Tensor:
        """Hidden states in the layout's order. items [A] → [M, d]"""
        return self._model.encode_slots(items, layout)

    def outputs(self, hidden: Tensor) -> Tensor:
        """W h + b, to be multiplied with the item table. [K, d] → [K, d]"""
        return linear(self._model.masked_head, hidden)

    def output_table(self) -> Tensor:
        """The item table, [I + 2, d]."""
        return self._model.output_table()
