"""Where each token of a batch of ragged sequences lies while it is encoded.

The encoder's linear layers work on rows ``[M, d]`` and do not care which sequence a row belongs to; only attention
does. A layout puts the tokens into *slots* so that sequences of similar length lie side by side: a group of ``count``
sequences is a contiguous block of ``count × length`` slots, and attention sees it as a dense ``[count, length]``
array without moving anything.

`packed_layout` gives (nearly) only the real tokens a slot. `padded_layout` gives every sequence ``max_length`` slots,
with padding ids as real inputs, as the published code does (FACTS F14).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

# A group's slots beyond a sequence's end are wasted work; every group costs a fixed overhead. Short sequences are
# most of the data, so their groups are exact.
_GROUP_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 25, 30, 36, 43, 50)


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


@dataclass(frozen=True, eq=False)
class Layout:
    """Slots of a batch: S sequences in M slots of which T are real tokens.

    ``token`` int64 [M] is the index into the flat items that fills a slot, ``is_real`` bool [M] is False for slots
    past a sequence's end (or before it, padded) whose token is a stand-in, ``position`` int64 [M] the position whose
    embedding is added (right-aligned: the last item has ``max_length − 1``, FACTS F6). ``first`` int64 [S] is the slot
    of a sequence's first kept token, ``lengths`` int64 [S] its kept tokens.
    """

    token: Tensor
    is_real: Tensor
    position: Tensor
    first: Tensor
    lengths: Tensor
    groups: tuple[Group, ...]
    max_length: int

    @property
    def slots(self) -> int:
        """M."""
        return int(self.token.shape[0])

    def last_slots(self) -> Tensor:
        """Slot of each sequence's last token, [S]; of an empty sequence, some slot."""
        return (self.first + self.lengths - 1).clamp_(0, max(self.slots - 1, 0))

    def token_slots(self, sequences: int | None = None, total: int | None = None) -> Tensor:
        """Slot of each kept token of the first ``sequences`` sequences, in their own order, [T].

        ``total`` is T where the caller knows it: then no device is asked for it.
        """
        lengths = self.lengths[:sequences]
        ends = lengths.cumsum(0)
        shift = self.first[:sequences] - ends + lengths
        spread = torch.repeat_interleave(shift, lengths, output_size=total)
        return spread + torch.arange(spread.shape[0], device=spread.device)

    def from_right(self, begin: int, end: int, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Slots of the tokens ``begin … end − 1`` places before the last one, for the sequences ``rows``.

        Returns int64 [R, end − begin] and a bool array of the same shape that is False where the sequence is shorter.
        """
        back = torch.arange(begin, end, device=self.first.device)
        lengths = self.lengths[rows].unsqueeze(1)
        exists = back < lengths
        slot = self.first[rows].unsqueeze(1) + lengths - 1 - back
        return slot.where(exists, 0), exists


@cache
def _capacities(max_length: int) -> Tensor:
    """Group length for every sequence length 0 … max_length, [max_length + 1]."""
    bounds = [length for length in _GROUP_LENGTHS if length < max_length]
    while bounds and bounds[-1] * 1.2 < max_length:
        bounds.append(min(int(bounds[-1] * 1.2) + 1, max_length))
    if not bounds or bounds[-1] != max_length:
        bounds.append(max_length)
    lengths = torch.arange(max_length + 1)
    edges = torch.tensor(bounds)
    return edges[torch.searchsorted(edges, lengths)] * (lengths > 0)


@cache
def _future(length: int, device: torch.device) -> Tensor:
    """True where the key comes after the query, [length, length]."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu_(1)


def packed_layout(offsets: Tensor, max_length: int, *, hidden_items: Tensor | None = None) -> Layout:
    """Slots for the last ``max_length`` tokens of each sequence, left-aligned in groups of similar length.

    ``offsets`` int64 [S + 1]. ``hidden_items`` bool [A], one a flat item, marks items that no query may see as a key
    (masked ones where the mask token is padding, FACTS F10). A query that is left with no key at all sees every token
    of its own sequence instead, before and after it: the padded encoder does the same over all ``max_length``
    positions, where its equally masked scores give a plain softmax (FACTS F14).

    On a GPU all sequences form one group of ``max_length``: nothing has to be fetched to the host for it.
    """
    device = offsets.device
    lengths = offsets.diff().clamp_(max=max_length)
    starts = offsets[1:] - lengths
    if device.type == "cpu":
        capacity = _capacities(max_length)[lengths]
        order = torch.argsort(capacity, stable=True)
        counts = torch.bincount(capacity, minlength=max_length + 1).tolist()
    else:
        capacity = torch.full_like(lengths, max_length)
        order = torch.arange(lengths.shape[0], device=device)
        counts = [0] * max_length + [int(lengths.shape[0])]

    shapes = [(count, length) for length, count in enumerate(counts) if length and count]
    total = sum(count * length for count, length in shapes)
    sorted_capacity = capacity[order]
    slot_start = sorted_capacity.cumsum(0) - sorted_capacity
    first = torch.empty_like(lengths).scatter_(0, order, slot_start)

    owner = torch.repeat_interleave(order, sorted_capacity, output_size=total)  # sequence of each slot, [M]
    within = torch.arange(total, device=device) - first[owner]
    is_real = within < lengths[owner]
    token = torch.where(is_real, starts[owner] + within, 0)
    position = torch.where(is_real, max_length - lengths[owner] + within, 0)
    concealed = None if hidden_items is None else hidden_items[token] | ~is_real

    groups, start = [], 0
    for count, length in shapes:
        stop = start + count * length
        future = _future(length, device)
        if concealed is None:
            groups.append(Group(start, count, length, future, True))
        else:
            real = is_real[start:stop].view(count, length)
            hidden = _hidden(concealed[start:stop].view(count, length), future, fallback=~real)
            groups.append(Group(start, count, length, hidden, False))
        start = stop
    return Layout(token, is_real, position, first, lengths, tuple(groups), max_length)


def padded_layout(offsets: Tensor, max_length: int, *, hidden_items: Tensor | None = None) -> Layout:
    """``max_length`` slots for each sequence, right-aligned, padding in front (FACTS F14).

    Padding and ``hidden_items`` (bool [A]) are hidden as keys. A query that is left with no key sees all
    ``max_length`` of them, in both directions: adding the same −10 000 to every score leaves the softmax as it was.
    """
    device = offsets.device
    lengths = offsets.diff().clamp_(max=max_length)
    count = int(lengths.shape[0])
    place = torch.arange(max_length, device=device)
    behind = max_length - place  # how many tokens from this place to the end
    is_real = behind <= lengths.unsqueeze(1)  # [S, L]
    token = torch.where(is_real, offsets[1:].unsqueeze(1) - behind, 0)
    concealed = ~is_real if hidden_items is None else ~is_real | (hidden_items[token] if hidden_items.numel() else True)
    hidden = _hidden(concealed, _future(max_length, device), fallback=torch.zeros_like(is_real))
    first = torch.arange(1, count + 1, device=device) * max_length - lengths
    group = Group(0, count, max_length, hidden, False)
    return Layout(
        token.view(-1), is_real.view(-1), place.repeat(count), first, lengths, (group,) if count else (), max_length
    )


def _hidden(concealed: Tensor, future: Tensor, *, fallback: Tensor) -> Tensor:
    """Keys hidden from each query, [S, L, L]: future or concealed ones; if that is all of them, only ``fallback``."""
    hidden = future | concealed.unsqueeze(1)  # [S, L query, L key]
    blind = hidden.all(-1, keepdim=True)
    return torch.where(blind, fallback.unsqueeze(1), hidden)
