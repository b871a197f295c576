"""What a recommender offers to the trainer, and the batches that it is trained on.

A model announces its ``task``: ``next_item`` and ``cloze`` models encode sequences, and the loss of the configuration
is computed from their hidden states; ``own`` models turn a batch into their own loss. Its class says which
``examples`` an epoch consists of. One that announces ``pretraining`` offers what `engine.training.pretraining` asks
for, and says by ``pretrain_epochs`` how long; others that make views can be pre-trained by contrast. One that announces
``captures`` encodes causal packed layouts with nothing but device work, and has ``max_length`` and
``hide_padding_items``: then its steps can have fixed shapes (`engine.training.fixed_step`). So a model is its folder
alone, and the trainer knows none of them.

Legend: N examples of a batch, T tokens, I items, d width of a hidden state as the output table sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine import registry
from engine.errors import ConfigurationError
from engine.modules.layout import Layout

Negatives = Callable[[Tensor, torch.Generator], Tensor]
"""Training users int64 [K] → for each an item that it may be scored against, int64 [K] (FACTS F7)."""


@dataclass(frozen=True)
class UserSequences:
    """An epoch visits every user once, with the whole training input (FACTS F1)."""


@dataclass(frozen=True)
class Interactions:
    """An epoch visits every item of every user's training part once."""


@dataclass(frozen=True)
class Windows:
    """An epoch visits every stretch of ``inputs`` items and the ``targets`` items that follow it.

    A sequence too short for one gives one stretch with fewer items; with ``prefixes``, stretches also begin before a
    sequence's first item (their missing items are left out), so that every item but the first is the target of one.
    With ``prefixes`` and no targets, the stretches are all beginnings of a sequence.
    """

    inputs: int
    targets: int = 1
    prefixes: bool = False


Examples = UserSequences | Interactions | Windows


@dataclass(frozen=True, eq=False)
class Batch:
    """N examples. ``rows`` int64 [N], their training users, and ``offsets`` int64 [N + 1] lie on the host, ``inputs``
    int64 [T] and ``targets`` on the device.

    Of `UserSequences`, inputs are ``items[:-3]`` whole and targets, one for each, ``items[1:-2]`` (FACTS F1). Of
    `Windows`, ``after`` targets, int64 [N · after], follow each stretch, 0 where a sequence is too short to have one.
    Of `Interactions`, inputs and targets are the item itself. ``on_host`` are the inputs once more where the host has
    them too, so that it need not ask the device.
    """

    rows: Tensor
    offsets: Tensor
    inputs: Tensor
    targets: Tensor
    after: int = 0
    on_host: Tensor | None = None


class Trained(Protocol):
    """A model that trains: a ``torch.nn.Module`` that ranks as `engine.evaluation.scoring.Recommender` asks.

    ``from_config(config, item_count, generator)`` makes it with fresh weights on the CPU; of a model that announces
    ``knows_users``, with the number of training users behind them; of one that does not train, with the split in the
    generator's place. ``queries`` is given the last ``max_length`` items of an input: one alone where the model has no
    such attribute.
    """

    item_embedding: torch.nn.Embedding
    """Rows of padding, items and mask (FACTS F10), [I + 2, d]. A model-based similarity reads them (Eq. 10)."""

    def queries(self, items: Tensor, offsets: Tensor) -> Tensor: ...

    def output_table(self) -> Tensor: ...


class SequenceModel(Trained, Protocol):
    """A model whose task is ``next_item`` or ``cloze``."""

    max_length: int

    def packed(self, offsets: Tensor, items: Tensor) -> Layout:
        """Where the tokens of sequences lie while they are encoded. ``offsets`` [S + 1] on the host, items [A]."""
        ...

    def padded(self, offsets: Tensor, items: Tensor) -> Layout:
        """The same with padding that takes part (FACTS F14); only of models that announce ``padded``."""
        ...

    def encode_slots(self, items: Tensor, layout: Layout) -> Tensor:
        """Hidden states in the layout's order. items [A] → [M, ·]"""
        ...

    def outputs(self, hidden: Tensor) -> Tensor:
        """What is multiplied with the output table. hidden [T, ·] → [T, d]"""
        ...


class OwnLossModel(Trained, Protocol):
    """A model whose task is ``own``."""

    def loss(self, batch: Batch, negatives: Negatives, generator: torch.Generator) -> Tensor:
        """The batch's loss, a scalar."""
        ...


_ALWAYS, _ENCODER = ("queries", "output_table"), ("max_length", "packed", "encode_slots", "outputs")
_OFFERED = {
    "none": _ALWAYS,
    "own": (*_ALWAYS, "item_embedding", "loss"),
    "next_item": (*_ALWAYS, "item_embedding", *_ENCODER),
    "cloze": (*_ALWAYS, "item_embedding", *_ENCODER),
}
_OFFERED_TOO = {"padded": "padded", "captures": "hide_padding_items"}
"""Fact → what a model that announces it offers besides."""


def refuse_incomplete(model: object, plugin: registry.Entry) -> None:
    """Raise ``ConfigurationError`` that names what a model of its task lacks, before a step misses it."""
    wanted = (*_OFFERED[plugin.facts["task"]], *(name for fact, name in _OFFERED_TOO.items() if plugin.facts[fact]))
    missing = [name for name in wanted if not hasattr(model, name)]
    if missing:
        raise ConfigurationError(
            f"The model '{plugin.name}' ({plugin.target}) has no {', '.join(missing)}.",
            f"A model of the task {plugin.facts['task']} has {', '.join(wanted)}: see engine/models/contract.py.",
        )
