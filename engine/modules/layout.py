"""Where each token of a batch of ragged sequences lies while it is encoded.

The encoder's linear layers work on rows ``[M, d]`` and do not care which sequence a row belongs to; only attention
does. A layout puts the tokens into *slots* so that sequences of similar length lie side by side: a group of ``count``
sequences is a contiguous block of ``count × length`` slots, and attention sees it as a dense ``[count, length]``
array without moving anything.

`packed_layout` gives (nearly) only the real tokens a slot. `padded_layout` gives every sequence ``max_length`` slots,
with padding ids as real inputs, as the published code does (FACTS F14).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.modules.ways import is_host, sent

# A group's slots beyond a sequence's end are wasted work; every group costs a fixed overhead. Short sequences are
# most of the data, so their groups are exact.
_GROUP_LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 23, 32, 50)
_GROUP_LENGTHS_GPU = (8, 20, 50)
_ROWS_MULTIPLE = 128
"""The CPU's products are compiled for their exact shape when it is first seen: so few shapes are worth idle rows."""


def hidden_keys(items: Tensor) -> Tensor | None:
    """Which of the items [A] are hidden as attention keys, those of id 0 (FACTS F10); None where a look finds none."""
    hidden = items == 0
    # On the CPU a look is free and saves the masks; elsewhere it would wait for the device.
    return None if is_host(items.device) and not hidden.any() else hidden


@dataclass(frozen=True, eq=False)
class Group:
    """``count`` sequences of ``length`` slots each, from slot ``start`` on."""

    start: int
    count: int
    length: int
    hidden: Tensor
    """Bool, True where a query must not see a key: [length, length] or [count, length, length]."""
    is_causal: bool
    """Whether ``hidden`` is nothing but the causal triangle."""


def end_of(groups: tuple[Group, ...]) -> int:
    """The first slot that belongs to no group."""
    return groups[-1].start + groups[-1].count * groups[-1].length if groups else 0


def slots_of_tokens(first: Tensor, lengths: Tensor) -> Tensor:
    """Slot of each token, [T], where sequences of ``lengths`` [S] tokens begin in the slots ``first`` [S]."""
    shift = torch.repeat_interleave(first - lengths.cumsum(0) + lengths, lengths)
    return shift + torch.arange(shift.shape[0])


@dataclass(frozen=True, eq=False)
class Layout:
    """Slots of a batch: S sequences in M slots of which T are real tokens.

    On the device: ``token`` int64 [M] is the index into the flat items that fills a slot; ``is_real`` bool [M] is
    False for slots whose token is a stand-in: those past a sequence's end (before it, padded), or of no sequence;
    ``position`` int64 [M] is the position whose embedding is added (right-aligned: the last item has
    ``max_length − 1``, FACTS F6). On the host, but in steps of fixed shapes: ``first`` int64 [S] is the slot of a
    sequence's first kept token, ``lengths`` int64 [S] its kept tokens.
    """

    token: Tensor
    is_real: Tensor
    position: Tensor
    first: Tensor
    lengths: Tensor
    groups: tuple[Group, ...]
    max_length: int
    slots: int
    """M."""

    @property
    def device(self) -> torch.device:
        """Where the encoder's rows live."""
        return self.token.device

    def last_slots(self) -> Tensor:
        """Slot of each sequence's last token, [S]; of an empty sequence, some slot."""
        last = (self.first + self.lengths - 1).clamp_(0, max(self.slots - 1, 0))
        return sent(last, self.device)

    def token_slots(self, sequences: int | None = None) -> Tensor:
        """Slot of each kept token of the first ``sequences`` sequences (or all), in their own order, [T]."""
        return sent(slots_of_tokens(self.first[:sequences], self.lengths[:sequences]), self.device)

    def select(self, begin: int, end: int | None = None) -> Layout:
        """The same slots, seen as holding only the sequences ``begin … end − 1``: for reading a part of a batch."""
        return replace(self, first=self.first[begin:end], lengths=self.lengths[begin:end])

    def from_right(self, begin: int, end: int, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Slots of the tokens ``begin … end − 1`` places before the last one, for the sequences ``rows`` [R], which lie
        where ``first`` and ``lengths`` do.

        Returns int64 [R, end − begin] and a bool array of the same shape that is False where the sequence is shorter.
        """
        back = torch.arange(begin, end, device=self.lengths.device)
        lengths = self.lengths[rows].unsqueeze(1)
        exists = back < lengths
        slot = (self.first[rows].unsqueeze(1) + lengths - 1 - back).where(exists, 0)
        return sent(slot, self.device), sent(exists, self.device)


@cache
def _capacities(max_length: int, on_host: bool) -> Tensor:
    """Group length for every sequence length 0 … max_length, [max_length + 1].

    A GPU minds the number of its kernels more than idle slots: it gets few groups.
    """
    bounds = [length for length in (_GROUP_LENGTHS if on_host else _GROUP_LENGTHS_GPU) if length < max_length]
    while bounds and bounds[-1] * 1.2 < max_length:
        bounds.append(min(int(bounds[-1] * (1.2 if on_host else 2)) + 1, max_length))
    if not bounds or bounds[-1] != max_length:
        bounds.append(max_length)
    lengths = torch.arange(max_length + 1)
    edges = torch.tensor(bounds)
    return edges[torch.searchsorted(edges, lengths)] * (lengths > 0)


@cache
def _future(length: int, device: torch.device) -> Tensor:
    """True where the key comes after the query, [length, length]."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu_(1)


@dataclass(frozen=True, eq=False)
class Slots:
    """Where tokens will lie, known on the host before anything is on a device: int64 ``token`` and ``position`` [M] and
    bool ``is_real`` [M], ``first`` and ``lengths`` int64 [S] as in `Layout`; ``shapes`` are the groups, (count, length)
    each, one after the other from slot 0 on."""

    token: Tensor
    is_real: Tensor
    position: Tensor
    first: Tensor
    lengths: Tensor
    shapes: tuple[tuple[int, int], ...]


def group_counts(lengths: Tensor, max_length: int, *, on_host: bool) -> list[int]:
    """How many of the sequences of ``lengths`` [S] go into the group of each length, [max_length + 1]."""
    kept = lengths.clamp(max=max_length)
    return torch.bincount(_capacities(max_length, on_host)[kept], minlength=max_length + 1).tolist()


def packed_slots(offsets: Tensor, max_length: int, *, on_host: bool, idle: Tensor | None = None) -> Slots:
    """Slots for the last ``max_length`` tokens of each sequence, left-aligned in groups of similar length.

    ``offsets`` int64 [S + 1]; ``on_host``: whether the groups are to suit the CPU. ``idle`` int64 [P], group lengths of
    P sequences that do not exist: they make groups as large as one wants them.
    """
    lengths = offsets.diff().clamp_(max=max_length)
    starts, sequences = offsets[1:] - lengths, len(lengths)
    capacity = _capacities(max_length, on_host)[lengths]
    if idle is not None:
        lengths, starts = (F.pad(array, (0, len(idle))) for array in (lengths, starts))
        capacity = torch.cat((capacity, idle))
    order = torch.argsort(capacity, stable=True)
    counts = torch.bincount(capacity, minlength=max_length + 1).tolist()
    shapes = [(count, length) for length, count in enumerate(counts) if length and count]
    total = sum(count * length for count, length in shapes)
    sorted_capacity = capacity[order]
    first = torch.empty_like(lengths).scatter_(0, order, sorted_capacity.cumsum(0) - sorted_capacity)

    owner = torch.repeat_interleave(order, sorted_capacity, output_size=total)  # sequence of each slot
    within = torch.arange(total) - first[owner]
    is_real = within < lengths[owner]
    token = torch.where(is_real, starts[owner] + within, 0)
    position = torch.where(is_real, max_length - lengths[owner] + within, 0)
    return Slots(token, is_real, position, first[:sequences], lengths[:sequences], tuple(shapes))


def packed_layout(
    offsets: Tensor,
    max_length: int,
    *,
    hidden_items: Tensor | None = None,
    is_bidirectional: bool = False,
    device: torch.device | str = "cpu",
) -> Layout:
    """`packed_slots`, made on the host and moved to ``device`` without waiting for it, and what its queries may see.

    ``hidden_items`` bool [A], on the device, one a flat item, marks items that no query may see as a key (masked
    ones where the mask token is padding, FACTS F10). A query that is left with no key at all sees every token of its
    own sequence instead, before and after it: the padded encoder does the same over all ``max_length`` positions,
    where its equally masked scores give a plain softmax (FACTS F14). With ``is_bidirectional`` every query sees all of
    its sequence (BERT4Rec, FACTS B6).
    """
    device = torch.device(device)
    slots = packed_slots(offsets, max_length, on_host=is_host(device))
    total = len(slots.token)
    idle = -total % _ROWS_MULTIPLE if is_host(device) else 0
    token, position, is_real = (
        sent(F.pad(array, (0, idle)), device) for array in (slots.token, slots.position, slots.is_real)
    )  # [M]
    concealed = None if hidden_items is None else hidden_items[token] | ~is_real
    groups = packed_groups(slots.shapes, is_real, concealed, is_bidirectional=is_bidirectional)
    return Layout(token, is_real, position, slots.first, slots.lengths, groups, max_length, total + idle)


def packed_groups(
    shapes: tuple[tuple[int, int], ...],
    is_real: Tensor,
    concealed: Tensor | None = None,
    *,
    is_bidirectional: bool = False,
) -> tuple[Group, ...]:
    """The groups of `Slots` of these ``shapes``. ``is_real`` bool [M] and ``concealed`` [M], slots that no query may
    see as a key where the causal triangle does not say it all, on the device."""
    groups, start = [], 0
    for count, length in shapes:
        stop = start + count * length
        future = _future(length, is_real.device)
        if is_bidirectional:
            idle_keys = ~is_real[start:stop].view(count, length)
            groups.append(Group(start, count, length, idle_keys.unsqueeze(1).expand(-1, length, -1), False))
        elif concealed is None:
            groups.append(Group(start, count, length, future, True))
        else:
            real = is_real[start:stop].view(count, length)
            # A sequence that does not exist has no token to fall back on: it sees itself whole, or sums were NaN.
            fallback = ~real & real.any(1, keepdim=True)
            hidden = _hidden(concealed[start:stop].view(count, length), future, fallback=fallback)
            groups.append(Group(start, count, length, hidden, False))
        start = stop
    return tuple(groups)


def padded_layout(
    offsets: Tensor, max_length: int, *, hidden_items: Tensor | None = None, device: torch.device | str = "cpu"
) -> Layout:
    """``max_length`` slots for each sequence, right-aligned, padding in front (FACTS F14). ``offsets`` on the host.

    Padding and ``hidden_items`` (bool [A], on the device) are hidden as keys. A query that is left with no key sees
    all ``max_length`` of them, in both directions: adding the same −10 000 to every score leaves the softmax as it was.
    """
    token, is_real, first, lengths = padded_slots(offsets, max_length)
    return padded_from(sent(token, device), sent(is_real, device), first, lengths, max_length, hidden_items)


def padded_slots(offsets: Tensor, max_length: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Which token fills each slot of `padded_layout`, int64 [S, max_length], whether it is a real one, bool of that
    shape, and ``first`` and ``lengths`` as in `Layout`, int64 [S]."""
    lengths = offsets.diff().clamp_(max=max_length)
    behind = max_length - torch.arange(max_length)  # how many tokens from this place to the end
    is_real = behind <= lengths.unsqueeze(1)
    token = torch.where(is_real, offsets[1:].unsqueeze(1) - behind, 0)
    return token, is_real, torch.arange(1, len(lengths) + 1) * max_length - lengths, lengths


def padded_from(
    token: Tensor, is_real: Tensor, first: Tensor, lengths: Tensor, max_length: int, hidden_items: Tensor | None
) -> Layout:
    """`padded_layout` of what `padded_slots` says, [S, max_length] both, on the device."""
    count, device = len(token), token.device
    concealed = ~is_real
    if hidden_items is not None and hidden_items.numel():
        concealed = concealed | hidden_items[token]
    hidden = _hidden(concealed, _future(max_length, device), fallback=torch.zeros_like(is_real))
    groups = (Group(0, count, max_length, hidden, False),) if count else ()
    position = torch.arange(max_length, device=device).repeat(count)
    return Layout(token.view(-1), is_real.view(-1), position, first, lengths, groups, max_length, count * max_length)


def _hidden(concealed: Tensor, future: Tensor, *, fallback: Tensor) -> Tensor:
    """Keys hidden from each query, [S, L, L]: future or concealed ones; if that is all of them, only ``fallback``."""
    hidden = future | concealed.unsqueeze(1)  # [S, L query, L key]
    blind = hidden.all(-1, keepdim=True)
    return torch.where(blind, fallback.unsqueeze(1), hidden)
