"""GRU4Rec (Hidasi et al. 2016; FACTS B3): the state of a GRU after each item scores the next one.

Legend: S sequences with T kept tokens in M slots of a layout, d hidden size, I items.
"""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from engine import registry
from engine.config import ExperimentConfig
from engine.models.contract import Examples, UserSequences, Windows
from engine.models.gru4rec.options import Gru4RecOptions
from engine.models.output import with_bias, with_one
from engine.modules.dropout import Dropout
from engine.modules.layout import Layout, packed_layout
from engine.modules.ways import sent


class Gru4Rec(nn.Module):
    """Item table, GRU, and an output table of its own or the same one."""

    def __init__(self, options: Gru4RecOptions, item_count: int, generator: torch.Generator | None = None) -> None:
        """Draw the initial weights with ``generator``, on the CPU: tables N(0, deviation²), the GRU's uniform in
        ±1/√d, as is usual."""
        super().__init__()
        size = options.hidden_size
        self.examples: Examples = Windows(options.window) if options.window else UserSequences()
        self.max_length = min(options.window or options.max_length, options.max_length)
        self.item_embedding = nn.Embedding(item_count + 2, size, padding_idx=0)
        self.gru = nn.GRU(size, size, options.layers)
        self.output_embedding = None if options.tied else nn.Embedding(item_count + 2, size)
        self.output_bias = nn.Parameter(torch.zeros(item_count + 2)) if options.bias else None
        self.input_dropout = Dropout(options.input_dropout)
        self.dropout = Dropout(options.dropout)
        with torch.no_grad():
            for table in (self.item_embedding, self.output_embedding):
                if table is not None:
                    table.weight.normal_(0, options.initializer_range, generator=generator)
            self.item_embedding.weight[0].zero_()
            for weight in self.gru.parameters():
                weight.uniform_(-1 / math.sqrt(size), 1 / math.sqrt(size), generator=generator)

    @classmethod
    def from_config(cls, config: ExperimentConfig, item_count: int, generator: torch.Generator | None = None) -> Self:
        """The model that ``config`` describes, on the CPU, with fresh weights."""
        options = registry.options_of(registry.entry("model", "gru4rec"), config.model)
        assert isinstance(options, Gru4RecOptions)
        return cls(options, item_count, generator)

    def packed(self, offsets: Tensor, items: Tensor) -> Layout:
        """The packed layout of these sequences: real tokens only. ``offsets`` lie on the host."""
        return packed_layout(offsets, self.max_length, device=items.device)

    def encode_slots(self, items: Tensor, layout: Layout) -> Tensor:
        """The state after each item, in the layout's order. items [A] → [M, d]; slots that are not real give 0."""
        slots, counts = _by_time(layout)
        x = self.input_dropout(self.item_embedding(items[layout.token[slots]]))  # [T, d]
        states = x.new_zeros(layout.slots, self.gru.hidden_size)
        if not len(slots):
            return states
        # PyTorch's own form of "all first items, all second items, …": no step is spent on padding.
        states_by_time, _ = self.gru(PackedSequence(x, counts))
        return states.index_copy(0, slots, states_by_time.data)

    def outputs(self, hidden: Tensor) -> Tensor:
        """States with dropout, and a 1 for the bias. [T, d] → [T, d (+ 1)]"""
        hidden = self.dropout(hidden)
        return hidden if self.output_bias is None else with_one(hidden)

    def output_table(self) -> Tensor:
        """Rows that score the items, with the biases as a last column. [I + 2, d (+ 1)]"""
        table = (self.output_embedding or self.item_embedding).weight
        return table if self.output_bias is None else with_bias(table, self.output_bias)

    def queries(self, items: Tensor, offsets: Tensor) -> Tensor:
        """What scores the items as each sequence's next one. [S, d (+ 1)]"""
        layout = self.packed(offsets, items)
        hidden = self.encode_slots(items, layout)
        return self.outputs(hidden[layout.last_slots()] * sent(layout.lengths > 0, hidden.device).unsqueeze(1))


def _by_time(layout: Layout) -> tuple[Tensor, Tensor]:
    """Slots of all sequences' first tokens, then of all second ones, …, longest sequences first. [T] on the device, and
    how many there are of each on the host."""
    lengths, order = layout.lengths.sort(descending=True, stable=True)
    times = torch.arange(int(lengths[0]) if len(lengths) else 0)
    exists = times.unsqueeze(1) < lengths  # [time, S]
    slots = (layout.first[order] + times.unsqueeze(1))[exists]
    return sent(slots, layout.device), exists.sum(1)
