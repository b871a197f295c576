"""A training step whose arrays always have the same sizes: what a device can repeat without the host.

The plain step (`engine.training.trainer`) makes arrays as long as the batch asks for, and host and device take turns.
Here they are apart. `FixedStep.plan` and `FixedStep.pack` do everything of a batch that the host does, the views' plan
included and with the same random numbers, and write it into one array whose size only depends on the `Room`;
`FixedStep.take` is all that remains, and it depends on nothing but that array, weights and tables on the device. Tokens
and sequences that the room has beyond the batch's are stand-ins: no query of a real one sees them, and they count 0 in
the loss. So losses and gradients are those of the plain step, on any device; only CUDA gains by it
(`engine.training.captured`).

Legend: N users of a batch, A flat tokens, M slots, T tokens with a target, L = max_length, I items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine import registry
from engine.augment.ragged import Ragged, offsets_of
from engine.augment.views import Known, NeighbourTable
from engine.config import ExperimentConfig
from engine.losses.representation import products, represent
from engine.losses.weights import token_weights
from engine.modules.layout import (
    Layout,
    Slots,
    group_counts,
    packed_groups,
    packed_slots,
    padded_from,
    padded_slots,
    slots_of_tokens,
)
from engine.records import TokenKind
from engine.training.examples import TrainingData
from engine.training.objectives import Contrastive, NextItem, joint
from engine.training.stages import Stage

_SPARE = 1.1
"""A room is made so much larger than what did not fit, so that few batches ask for another."""


@dataclass(frozen=True)
class Room:
    """How much a step of fixed shapes can hold: ``flat`` tokens of all sequences, ``targets``, and sequences in the
    group of each length, ``groups`` [L + 1]."""

    flat: int
    targets: int
    groups: tuple[int, ...]

    @property
    def slots(self) -> int:
        """M."""
        return sum(length * count for length, count in enumerate(self.groups))

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The groups as `Slots` has them."""
        return tuple((count, length) for length, count in enumerate(self.groups) if count)

    def holds(self, need: Room) -> bool:
        """Whether a batch that needs so much fits in."""
        pairs = zip(self.groups, need.groups, strict=True)
        return need.flat <= self.flat and need.targets <= self.targets and all(asked <= own for own, asked in pairs)

    def grown(self, need: Room) -> Room:
        """A room for this one's batches and for those that need so much, and somewhat more."""
        groups = tuple(max(own, _more(asked, 8)) for own, asked in zip(self.groups, need.groups, strict=True))
        return Room(max(self.flat, _more(need.flat, 64)), max(self.targets, _more(need.targets, 64)), groups)


def _more(asked: int, multiple: int) -> int:
    return -(-int(asked * _SPARE) // multiple) * multiple


@dataclass(frozen=True, eq=False)
class Planned:
    """A batch as the host has planned it; all int64, on the host.

    ``users`` [N] are its training users. ``place`` [A] says where each flat token's item lies among the items of all
    users, ``kind`` what becomes of it (`engine.records.TokenKind`) and ``draw`` which neighbour it gets. ``offsets``
    [N + 1] are the training inputs, first in the flat tokens, and ``views`` [2N + 1] the views behind them, both from
    their own first token on. ``need`` is the least room that holds all of it.
    """

    users: Tensor
    place: Tensor
    kind: Tensor
    draw: Tensor
    offsets: Tensor
    views: Tensor
    need: Room


class Tables:
    """The neighbours that views look up, at addresses that stay (see `engine.similarity.table.NeighbourTable`)."""

    def __init__(self, table: NeighbourTable, rows: int, device: torch.device) -> None:
        self.ids = torch.zeros(table.ids.shape, dtype=torch.int64, device=device)
        self.counts = torch.zeros(rows, dtype=torch.int64, device=device)
        self.pool = torch.zeros(rows, dtype=torch.int64, device=device)
        self.pool_count = torch.zeros((), dtype=torch.int64, device=device)
        self.fill(table)

    def fill(self, table: NeighbourTable) -> None:
        """Hold this table's neighbours from now on; it must have the first one's shape."""
        self.ids.copy_(table.ids)
        self.counts.copy_((table.ids > 0).sum(1))
        self.pool[: len(table.pool)] = table.pool
        self.pool_count.fill_(len(table.pool))

    def neighbours(self, items: Tensor, draws: Tensor) -> Tensor:
        """A neighbour of each of ``items`` int64 [A], uniform over those it has, else an item of the pool: what
        `engine.augment.views` finds for those tokens that ask for one."""
        counts = self.counts[items]
        own = self.ids[items, draws % counts.clamp(min=1)]
        return torch.where(counts > 0, own, self.pool[draws % self.pool_count.clamp(min=1)])


class FixedStep:
    """The steps of one stage whose tasks are next items, contrast or both (`supports`)."""

    def __init__(self, stage: Stage, config: ExperimentConfig) -> None:
        assert isinstance(stage.data, TrainingData)
        self.stage, self.data = stage, stage.data
        self.model: Any = stage.encoder
        self.size = config.train.batch_size
        self.next_item = next((task for task in stage.objectives if isinstance(task, NextItem)), None)
        self.contrastive = stage.contrastive
        self.is_padded = self.contrastive is not None and self.contrastive.is_padded
        self.tables: Tables | None = None
        self.is_reduced = config.train.precision != "float32"
        """Whether products round more than sums by many threads at once do."""
        self._mean_over_users = config.fidelity.next_item_mean == "users"
        self._table: NeighbourTable | None = None

    @property
    def length(self) -> int:
        """L."""
        return int(self.model.max_length)

    # Of the host ----------------------------------------------------------------------------------------------------

    def follow(self) -> bool:
        """Take over the correlations in force. False where they have another shape than those before."""
        if self.contrastive is None or self.contrastive.neighbours is self._table:
            return True
        table = self._table = self.contrastive.neighbours
        assert table is not None, "the trainer sets the correlation at each epoch's start"
        if self.tables is not None and self.tables.ids.shape == table.ids.shape:
            self.tables.fill(table)
            return True
        self.tables = Tables(table, len(table.ids), self.data.items.device)
        return False

    def forget(self) -> None:
        """Let go of what only steps of fixed shapes need; `follow` makes it again."""
        self.tables = self._table = None

    def plan(self, chosen: NDArray[np.int64]) -> Planned:
        """What the users ``chosen`` [N] are learned from. Draws the views' random numbers as the plain step does."""
        users, places, offsets = self.data.places(chosen)
        none = torch.zeros(0, dtype=torch.int64)
        place, kind, draw, inputs, views = none, none, none, none.new_zeros(1), none.new_zeros(1)
        if self.next_item is not None:
            tail = Ragged(places, offsets).tail(self.length)
            place, inputs = tail.items, tail.offsets
            kind = draw = torch.zeros_like(place)
        if self.contrastive is not None:
            augmenter, generator = self.contrastive.augmenter, self.contrastive.generator
            known = Known(self.data.on_host[places], self.contrastive.best_on_host())
            plan, draws = augmenter.planned(known, offsets, generator)
            views = plan.offsets
            place = torch.cat((place, places[plan.sources]))
            kind, draw = torch.cat((kind, plan.kinds.long())), torch.cat((draw, draws))
        counts = group_counts(self._packed_lengths(inputs, views), self.length, on_host=False)
        counts[0] = 0  # empty sequences need no slot
        return Planned(users, place, kind, draw, inputs, views, Room(len(place), int(inputs[-1]), tuple(counts)))

    def pack(self, planned: Planned, room: Room) -> Tensor:
        """The batch of N users in one array int64 [`width`], pinned where there is a GPU. It must fit into ``room``."""
        assert len(planned.users) == self.size, "a smaller batch has another loss"
        made: dict[str, Tensor] = {"place": planned.place, "kind": planned.kind, "draw": planned.draw}
        lengths = self._packed_lengths(planned.offsets, planned.views)
        spare = torch.tensor(room.groups) - torch.tensor(planned.need.groups)
        idle = torch.repeat_interleave(torch.arange(len(room.groups)), spare)
        slots = packed_slots(offsets_of(lengths), self.length, on_host=False, idle=idle)
        made |= {"token": slots.token, "is_real": slots.is_real.long(), "position": slots.position}
        if self.next_item is not None:
            made |= self._targets(planned, slots, room)
        if self.contrastive is not None:
            made |= self._views(planned, slots)
        sizes = self._sizes(room)
        packed = torch.zeros(sum(sizes.values()), dtype=torch.int64, pin_memory=self.data.items.is_cuda)
        for part, name in zip(packed.split(list(sizes.values())), sizes, strict=True):
            part[: made[name].numel()] = made[name].flatten()
        return packed

    def _packed_lengths(self, inputs: Tensor, views: Tensor) -> Tensor:
        """Tokens of each sequence of the packed layout, by the offsets of both kinds: padded views are not in it."""
        return inputs.diff() if self.is_padded else torch.cat((inputs.diff(), views.diff()))

    def width(self, room: Room) -> int:
        """Numbers of a packed batch."""
        return sum(self._sizes(room).values())

    def _sizes(self, room: Room) -> dict[str, int]:
        """Numbers of each part of a packed batch, in their order."""
        sizes = dict.fromkeys(("place", "kind", "draw"), room.flat)
        sizes |= dict.fromkeys(("token", "is_real", "position"), room.slots)
        if self.next_item is not None:
            sizes |= dict.fromkeys(("slot", "target", "user", "weight"), room.targets) | {"lengths": self.size + 1}
        if self.contrastive is not None:
            sizes |= dict.fromkeys(("view_first", "view_lengths"), 2 * self.size)
        if self.is_padded:
            sizes |= dict.fromkeys(("padded_token", "padded_real"), 2 * self.size * self.length)
        return sizes

    def _targets(self, planned: Planned, slots: Slots, room: Room) -> dict[str, Tensor]:
        """Of each token with a target: its slot, where the target lies, its user and, as bits, what it counts."""
        lengths = planned.offsets.diff()
        slot = slots_of_tokens(slots.first[: self.size], lengths)
        weights = token_weights(torch.empty(len(slot), 0), lengths if self._mean_over_users else None)
        idle = room.targets - len(slot)  # as if one more user had them
        return {
            "slot": slot,
            "target": planned.place[slots.token[slot]] + 1,
            "user": torch.repeat_interleave(planned.users, lengths),
            "weight": weights.double().view(torch.int64),
            "lengths": F.pad(lengths, (0, 1), value=idle),
        }

    def _views(self, planned: Planned, slots: Slots) -> dict[str, Tensor]:
        """Where the views' tokens lie."""
        lengths = planned.views.diff()
        if not self.is_padded:
            return {"view_first": slots.first[-len(lengths) :], "view_lengths": lengths}
        token, is_real, first, _ = padded_slots(planned.views + planned.offsets[-1], self.length)
        made = {"view_first": first, "view_lengths": lengths}
        return made | {"padded_token": token, "padded_real": is_real.long()}

    # Of the device --------------------------------------------------------------------------------------------------

    def take(self, packed: Tensor, room: Room) -> Tensor:
        """The step itself: losses, gradients, update; ``packed`` [`width`] lies on the device.

        Returns the losses, [objectives]. Nothing in it waits for the host, and nothing of it depends on anything that
        the host might change but the numbers in ``packed``, `tables` and the optimiser's rate.
        """
        losses = self.losses(packed, room)
        self.stage.optimiser.zero_grad()
        joint(self.stage.objectives, losses).backward()  # type: ignore[no-untyped-call]
        self.stage.optimiser.update()
        return torch.stack([loss.detach() for loss in losses])

    def losses(self, packed: Tensor, room: Room) -> list[Tensor]:
        """The loss of each task, in the stage's order."""
        sizes = self._sizes(room)
        x = dict(zip(sizes, packed.split(list(sizes.values())), strict=True))
        items = self._items(x)
        hidden_items = items == 0 if self.model.hide_padding_items else None
        layout = self._packed_layout(x, room, hidden_items)
        hidden = self.model.encode_slots(items, layout) if room.slots else None
        losses = []
        for task in self.stage.objectives:
            if isinstance(task, Contrastive):
                losses.append(self._contrastive_loss(task, x, items, layout, hidden, hidden_items))
            else:
                assert isinstance(task, NextItem)
                losses.append(self._next_item_loss(task, x, hidden))
        return losses

    def _items(self, x: dict[str, Tensor]) -> Tensor:
        """The flat tokens' items after masking, substitution and insertion, [A]."""
        items = self.data.items[x["place"]]
        if self.contrastive is None:
            return items
        assert self.tables is not None, "correlations are followed before the first step"
        kind = x["kind"]
        asks = (kind == TokenKind.SUBSTITUTED) | (kind == TokenKind.INSERTED)
        items = torch.where(asks, self.tables.neighbours(items, x["draw"]), items)
        return items.masked_fill(kind == TokenKind.MASKED, self.contrastive.augmenter.mask_id)

    def _packed_layout(self, x: dict[str, Tensor], room: Room, hidden_items: Tensor | None) -> Layout:
        is_real, token = x["is_real"] != 0, x["token"]
        concealed = None if hidden_items is None else hidden_items[token] | ~is_real
        groups = packed_groups(room.shapes, is_real, concealed)
        nobody = token[:0]
        return Layout(token, is_real, x["position"], nobody, nobody, groups, self.length, room.slots)

    def _next_item_loss(self, task: NextItem, x: dict[str, Tensor], hidden: Tensor | None) -> Tensor:
        assert hidden is not None
        outputs = self.model.outputs(F.embedding(x["slot"], hidden))  # [T, d]
        return task.loss_function(
            outputs,
            self.data.items[x["target"]],
            self.model.output_table(),
            rows=x["user"],
            lengths=x["lengths"],
            weights=x["weight"].view(torch.float64).to(outputs.dtype),
            generator=task.generator,
        )

    def _contrastive_loss(
        self,
        task: Contrastive,
        x: dict[str, Tensor],
        items: Tensor,
        layout: Layout,
        hidden: Tensor | None,
        hidden_items: Tensor | None,
    ) -> Tensor:
        first, lengths = x["view_first"], x["view_lengths"]
        if self.is_padded:
            token, is_real = (x[name].view(-1, self.length) for name in ("padded_token", "padded_real"))
            layout = padded_from(token, is_real != 0, first, lengths, self.length, hidden_items)
            hidden = self.model.encode_slots(items, layout)
        assert hidden is not None
        views = replace(layout, first=first, lengths=lengths)
        return task.loss_function(products(represent(hidden, views, task.representation)))


def supports(stage: Stage, config: ExperimentConfig) -> bool:
    """Whether `FixedStep` can take the steps of a stage: its model says that it can be captured, and its tasks are next
    items after whole sequences, contrast, or both."""
    model = registry.entry("model", config.model.name)
    tasks = all(isinstance(task, NextItem | Contrastive) for task in stage.objectives)
    return bool(model.facts["captures"]) and tasks and isinstance(stage.data, TrainingData)
