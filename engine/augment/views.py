"""Both augmented views of every user of a batch: Algorithm 1, lines 7–12, without a loop over users.

Planning is index arithmetic on the host with one host generator, so a run's random stream does not depend on its device
and nothing waits for an accelerator; it overlaps with the device's previous step. Only the finished indices travel to
the device, in one copy, where one gather and one look-up in the neighbour table build the batch. With
``missing_neighbour = keep`` and a table in which some item has no neighbour, the lengths of inserted views depend on
the table: then the host has to know the items, and which of them have neighbours, or ask the device once a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor

from engine.augment.plan import Plan, concatenate
from engine.augment.policy import Policy
from engine.augment.ragged import Ragged, offsets_of
from engine.config import ExperimentConfig
from engine.modules.ways import sent
from engine.records import TokenKind

_DRAWS = 2**62


class NeighbourTable(Protocol):
    """The correlated items that Substitute and Insert look up.

    ``ids`` int64 [item_count + 2, k]: each item's neighbours, best first, only zeros after the last. ``scores``
    float32 of the same shape, normalised (Eq. 11), 0 where there is none. ``pool`` int64 [p]: the items that have
    a neighbour.
    """

    @property
    def ids(self) -> Tensor: ...
    @property
    def scores(self) -> Tensor: ...
    @property
    def pool(self) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Known:
    """What the host knows of a batch: its ``items`` int64 [T], and ``best`` int64 [I + 2], each item's best neighbour
    (0: it has none), or None where no item can be missed (`Augmenter.can_miss`)."""

    items: Tensor
    best: Tensor | None


@dataclass(frozen=True, eq=False)
class AugmentedBatch:
    """V views: of B users, all first views and then all second views (V = 2B).

    ``items`` int64 [T'] lies on the device. The edit script stays on the host: ``offsets`` int64 [V + 1], ``sources``
    int64 [T'] into the batch's flat input items, ``kinds`` uint8 [T'] (`engine.records.TokenKind`), ``operators``
    int64 [V] into ``Augmenter.slots``, ``reordered`` int64 [V, 2] (half-open, (0, 0) for none) or None. ``changed``
    int64 [C] are the positions of substituted and inserted tokens; ``scores`` float32 [C], on the device, the
    normalised correlations of their new items. ``unmatched`` int64 [V] counts the chosen items of each view that have
    no neighbour and were therefore left as they are.
    """

    items: Tensor
    offsets: Tensor
    sources: Tensor
    kinds: Tensor
    operators: Tensor
    reordered: Tensor | None
    changed: Tensor
    scores: Tensor
    unmatched: Tensor

    @property
    def ragged(self) -> Ragged:
        """The views as ragged sequences."""
        return Ragged(self.items, self.offsets)


class Augmenter:
    """Makes views as one configuration says.

    ``item_count`` is n; ids 1…n are items, 0 is padding and n + 1 the mask token (FACTS F20). ``device`` is where the
    batch's items and the neighbour table lie.
    """

    def __init__(self, config: ExperimentConfig, item_count: int, device: torch.device | str = "cpu") -> None:
        self.policy = Policy(config)
        self.slots = self.policy.slots
        self.device = torch.device(device)
        self.max_length = int(getattr(config.model, "max_length", 50))
        self._item_count = item_count
        self.mask_id = 0 if config.fidelity.mask_token == "padding" else item_count + 1
        self.sees_tail = config.fidelity.augment_input == "truncated"
        self._keeps_missing = config.fidelity.missing_neighbour == "keep"

    def views(
        self,
        items: Tensor,
        offsets: Tensor,
        neighbours: NeighbourTable,
        generator: Generator,
        known: Known | None = None,
    ) -> AugmentedBatch:
        """Two views of each of B training inputs, each cut to its last ``model.max_length`` items.

        ``items`` int [T] on the device and ``offsets`` int64 [B + 1] are the *whole* training inputs: K is compared
        with their lengths (FACTS F4). Pass ``offsets`` on the host: elsewhere they have to be fetched. ``generator``
        lives on the host, and all that is random comes from it. Raises ``ValueError`` for one that does not. Without
        ``known`` the device is asked where an item can be missed.
        """
        _require_host(generator)
        offsets = offsets.cpu()
        slots, users = self._drawn(offsets, generator)
        return self.apply(slots, users, items, offsets, neighbours, generator, known)

    def apply(
        self,
        slots: Tensor,
        users: Tensor,
        items: Tensor,
        offsets: Tensor,
        neighbours: NeighbourTable,
        generator: Generator,
        known: Known | None = None,
    ) -> AugmentedBatch:
        """View v is user ``users[v]``'s sequence after operator ``slots[v]``; both int64 [V], on the host."""
        _require_host(generator)
        if known is None:
            known = Known(items, neighbours.ids[:, 0] if self.can_miss(neighbours) else None)
        plan, unmatched = self._matched(slots, users, known, offsets, generator)
        return self._build(plan, slots, unmatched, items, neighbours, generator)

    def planned(self, known: Known, offsets: Tensor, generator: Generator) -> tuple[Plan, Tensor]:
        """The same two views as `views`, of the same random numbers, but the look-up is left to the caller.

        Returns the plan and int64 [T'], what decides the neighbour of each output token that asks for one. All lies on
        the host. Raises ``ValueError`` for a generator that does not.
        """
        _require_host(generator)
        slots, users = self._drawn(offsets, generator)
        plan, _ = self._matched(slots, users, known, offsets, generator)
        changed = plan.where(TokenKind.SUBSTITUTED, TokenKind.INSERTED)
        draws = torch.zeros_like(plan.sources)
        draws[changed] = _draws(changed, generator)
        return plan, draws

    def _drawn(self, offsets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The operator of each of two views of B users, and the user: both int64 [2B]."""
        slots = self.policy.draw(offsets[1:] - offsets[:-1], generator)  # [2, B]
        return slots.flatten(), torch.arange(offsets.numel() - 1).repeat(2)

    def _matched(
        self, slots: Tensor, users: Tensor, known: Known, offsets: Tensor, generator: Generator
    ) -> tuple[Plan, Tensor]:
        """The plan of views after chosen items without a neighbour were left as they are, and how many of each view
        those were, [V]. What is ``known`` lies on one device, whichever."""
        if known.best is None:
            plan = self.plan(slots, users, offsets, generator, self.max_length)
            return plan, torch.zeros(len(slots), dtype=torch.int64)
        plan = self.plan(slots, users, offsets, generator)  # lengths depend on the table: cut when they are known
        missing = self._missing(plan, known.items, known.best)
        owners = torch.searchsorted(plan.offsets, missing, right=True) - 1
        unmatched = torch.bincount(owners, minlength=len(plan))
        return plan.without(missing).take(torch.arange(len(plan)), self.max_length), unmatched

    def plan(
        self, slots: Tensor, users: Tensor, offsets: Tensor, generator: Generator, longest: int | None = None
    ) -> Plan:
        """The merged plan of all views, cut to their last ``longest`` tokens.

        Each operator plans once, for all of its views.
        """
        lengths = offsets[1:][users] - offsets[:-1][users]
        if self.sees_tail:
            lengths = lengths.clamp(max=self.max_length)
        starts = offsets[1:][users] - lengths  # [V], where a view's input begins in the flat items

        order = torch.argsort(slots, stable=True)  # views grouped by operator
        groups = offsets_of(lengths[order])
        plans = []
        first = 0
        for slot, size in zip(self.slots, torch.bincount(slots, minlength=len(self.slots)).tolist(), strict=True):
            if size:
                plans.append(slot.operator.plan(groups[first : first + size + 1] - groups[first], generator))
                own = starts[order[first : first + size]] - (groups[first : first + size] - groups[first])
                plans[-1] = plans[-1].moved(own)
                first += size
        back = torch.empty_like(order)
        back[order] = torch.arange(order.numel())
        return concatenate(plans).take(back, longest)

    def can_miss(self, neighbours: NeighbourTable) -> bool:
        """Whether a chosen item may turn out to have no neighbour and nothing stands in for it."""
        known = neighbours.pool.numel()
        return known < self._item_count and (self._keeps_missing or known == 0)

    def _missing(self, plan: Plan, items: Tensor, best: Tensor) -> Tensor:
        """Positions of substituted and inserted tokens whose item has no neighbour: int64, on the host."""
        changed = plan.where(TokenKind.SUBSTITUTED, TokenKind.INSERTED)
        if not changed.numel():
            return changed  # nobody asks the table: the device need not be waited for
        sources = sent(plan.sources[changed], items.device)
        return changed[(best[items[sources]] == 0).cpu()]

    def _build(
        self,
        plan: Plan,
        slots: Tensor,
        unmatched: Tensor,
        items: Tensor,
        neighbours: NeighbourTable,
        generator: Generator,
    ) -> AugmentedBatch:
        """One gather and one look-up: the only part that runs on the device."""
        masked = plan.where(TokenKind.MASKED)
        changed = plan.where(TokenKind.SUBSTITUTED, TokenKind.INSERTED)
        draws = _draws(changed, generator)
        sources, masked_, changed_, draws_ = self._to_device(plan.sources, masked, changed, draws)
        out = items[sources].to(torch.int64)
        chosen, scores = self._look_up(out[changed_], draws_, neighbours)
        out.index_fill_(0, masked_, self.mask_id)
        out[changed_] = chosen.to(torch.int64)
        return AugmentedBatch(
            items=out,
            offsets=plan.offsets,
            sources=plan.sources,
            kinds=plan.kinds,
            operators=slots,
            reordered=plan.reordered,
            changed=changed,
            scores=scores,
            unmatched=unmatched,
        )

    @staticmethod
    def _look_up(items: Tensor, draws: Tensor, neighbours: NeighbourTable) -> tuple[Tensor, Tensor]:
        """A neighbour of each of ``items`` [C], uniform over those it has, and its score: int64 [C], float32 [C].

        Where there is none, a uniform item of the pool with score 0 (FACTS F15); ``draws`` int64 [C] decides both.
        """
        ids = neighbours.ids[items]  # [C, k]
        found = (ids > 0).sum(1)
        column = (draws % found.clamp(min=1)).unsqueeze(1)
        chosen = ids.gather(1, column).squeeze(1)
        scores = neighbours.scores[items].gather(1, column).squeeze(1)
        if neighbours.pool.numel():
            chosen = torch.where(found == 0, neighbours.pool[draws % neighbours.pool.numel()], chosen)
        return chosen, scores

    def _to_device(self, *indices: Tensor) -> tuple[Tensor, ...]:
        """Host indices on the device, in one copy that does not wait."""
        if self.device.type == "cpu":
            return indices
        return sent(torch.cat(indices), self.device).split([part.numel() for part in indices])


def _draws(changed: Tensor, generator: Generator) -> Tensor:
    """What decides the neighbour of each of the tokens ``changed`` [C], int64 [C]."""
    return torch.randint(_DRAWS, (changed.numel(),), generator=generator)


def _require_host(generator: Generator) -> None:
    if generator.device.type != "cpu":
        raise ValueError(f"views are planned on the host; their generator lies on {generator.device}")
