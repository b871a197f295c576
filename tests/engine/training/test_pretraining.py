"""S3-Rec's tasks against loops written from their equations (FACTS B7), one sequence and one pair at a time."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine import registry
from engine.augment.ragged import Ragged
from engine.models.contract import Batch
from engine.models.s3rec.module import S3Rec
from engine.training.objectives import encode
from engine.training.pretraining import MaskedItems, Pairwise, Segments, cut, masked_tokens
from tests.engine.modules.naive import gelu, norm

ITEMS, MASK = 11, 12
LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def a_model(seed: int = 0, **values: Any) -> S3Rec:
    """Weights so large that a wrong one shows."""
    chosen = {"hidden_size": 8, "layers": 2, "heads": 2, "max_length": 6, "segment_weight": 0.5} | values
    model = S3Rec(registry.entry("model", "s3rec").options(**chosen), ITEMS)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
        model.item_embedding.weight[0].zero_()
    return model.eval()


def a_batch(lengths: list[int], seed: int) -> tuple[Batch, list[list[int]]]:
    """Users with training parts one longer than ``lengths``, and these parts."""
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randint(1, ITEMS + 1, (n + 1,), generator=generator) for n in lengths]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    inputs, targets = torch.cat([part[:-1] for part in parts]), torch.cat([part[1:] for part in parts])
    return Batch(torch.arange(len(lengths)), offsets, inputs, targets), [part.tolist() for part in parts]


def states(model: S3Rec, ids: list[int]) -> Tensor:
    """The encoder on one sequence, every token seeing every other."""
    n = len(ids)
    x = torch.stack([model.item_embedding.weight[item] for item in ids]) + model.position_embedding.weight[6 - n :]
    x = norm(x, model.embedding_norm.weight, model.embedding_norm.bias)
    for block in model.encoder.blocks:
        joint = block.attention.query_key_value
        query, key, value = (x @ joint.weight.t() + joint.bias).chunk(3, 1)
        contexts = []
        for head in (slice(0, 4), slice(4, 8)):
            weights = torch.softmax(query[:, head] @ key[:, head].t() / 2, 1)
            contexts.append(weights @ value[:, head])
        attended = torch.cat(contexts, 1) @ block.attention.dense.weight.t() + block.attention.dense.bias
        x = norm(x + attended, block.attention_norm.weight, block.attention_norm.bias)
        wide = gelu(x @ block.feed_forward.widen.weight.t() + block.feed_forward.widen.bias)
        narrow = wide @ block.feed_forward.narrow.weight.t() + block.feed_forward.narrow.bias
        x = norm(x + narrow, block.output_norm.weight, block.output_norm.bias)
    return x


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


class Noted:
    """Negatives drawn by a generator, and written down."""

    def __init__(self) -> None:
        self.drawn: list[int] = []
        self.users: list[int] = []

    def __call__(self, users: Tensor, generator: torch.Generator) -> Tensor:
        found = torch.randint(1, ITEMS + 1, users.shape, generator=generator)
        self.drawn, self.users = found.tolist(), users.tolist()
        return found


@given(LENGTHS, st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_masked_item_prediction_is_the_equations(lengths: list[int], rate: float, seed: int) -> None:
    model, noted = a_model(mask_rate=rate), Noted()
    batch, parts = a_batch(lengths, seed)
    masks, negatives = (torch.Generator().manual_seed(seed + 1 + k) for k in range(2))
    task = MaskedItems(Pairwise(noted), model, masks, negatives)
    ragged = task.sequences(batch)
    with torch.no_grad():
        (encoded,) = encode(model.both_ways(), [(ragged, False)])
        found = task.loss(batch, encoded).item()
        w, b = model.masked_head.weight, model.masked_head.bias
        expected, place = 0.0, 0
        for user, part in enumerate(parts):
            kept = part[-6:]
            seen = ragged.items[ragged.offsets[user] : ragged.offsets[user + 1]].tolist()
            assert len(seen) == len(kept)
            assert seen[-1] == MASK  # always also the last item
            hidden = states(model, seen)
            for t, (item, shown) in enumerate(zip(kept, seen, strict=True)):
                if shown != MASK:
                    assert shown == item
                    continue
                guess = w @ hidden[t] + b
                right = sigmoid(float(model.item_embedding.weight[item] @ guess))
                wrong = sigmoid(float(model.item_embedding.weight[noted.drawn[place]] @ guess))
                assert noted.users[place] == user
                expected -= math.log(sigmoid(right - wrong))
                place += 1
        assert place == len(noted.drawn)
    assert found == pytest.approx(expected / len(parts), rel=1e-4)


@given(LENGTHS, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_segment_prediction_is_the_equations(lengths: list[int], seed: int) -> None:
    model = a_model()
    batch, parts = a_batch(lengths, seed)
    corpus = torch.tensor([item for part in parts for item in part])
    kept = [part[-6:] for part in parts]
    task = Segments(model, corpus, torch.Generator().manual_seed(seed + 1))
    cuts = cut(
        torch.tensor([0, *(len(part) for part in kept)]).cumsum(0), len(corpus), torch.Generator().manual_seed(seed + 1)
    )
    ragged = task.sequences(batch)
    sequences = [ragged.items[ragged.offsets[k] : ragged.offsets[k + 1]].tolist() for k in range(3 * len(kept))]
    with torch.no_grad():
        (encoded,) = encode(model.both_ways(), [(ragged, False)])
        found = task.loss(batch, encoded).item()
        assert model.segment_head is not None
        w, b = model.segment_head.weight, model.segment_head.bias
        expected = 0.0
        assert cuts.rows.tolist() == list(range(len(kept)))  # every part has two items or more
        for row, start, size, other in zip(
            *(x.tolist() for x in (cuts.rows, cuts.starts, cuts.lengths, cuts.others)), strict=True
        ):
            part = kept[row]
            rest = [MASK if start <= t < start + size else item for t, item in enumerate(part)]
            segment = [item if start <= t < start + size else MASK for t, item in enumerate(part)]
            wrong = list(segment)
            wrong[start : start + size] = corpus[other : other + size].tolist()
            assert [sequences[row], sequences[row + len(kept)], sequences[row + 2 * len(kept)]] == [
                rest,
                segment,
                wrong,
            ]
            c, right, away = (states(model, ids)[-1] for ids in (rest, segment, wrong))
            guess = w @ c + b
            expected -= math.log(sigmoid(sigmoid(float(right @ guess)) - sigmoid(float(away @ guess))))
    assert found == pytest.approx(expected / len(parts), rel=1e-4)


@given(LENGTHS, st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_segments_lie_inside_and_are_at_most_half(lengths: list[int], seed: int) -> None:
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    cuts = cut(offsets, int(offsets[-1]), torch.Generator().manual_seed(seed))
    assert cuts.rows.tolist() == [row for row, n in enumerate(lengths) if n >= 2]
    for row, start, size, other in zip(
        *(x.tolist() for x in (cuts.rows, cuts.starts, cuts.lengths, cuts.others)), strict=True
    ):
        assert 1 <= size <= lengths[row] // 2
        assert 0 <= start <= lengths[row] - size
        assert 0 <= other <= int(offsets[-1]) - size


def test_every_length_and_place_of_a_segment_comes_up() -> None:
    offsets = torch.arange(0, 5 * 4001, 5)
    cuts = cut(offsets, 50, torch.Generator().manual_seed(1))
    pairs = set(zip(cuts.lengths.tolist(), cuts.starts.tolist(), strict=True))
    assert pairs == {(1, start) for start in range(5)} | {(2, start) for start in range(4)}
    assert abs(int((cuts.lengths == 1).sum()) - 2000) < 160  # five deviations
    assert set(cuts.others[cuts.lengths == 2].tolist()) == set(range(49))


def test_sequences_of_one_item_have_no_segment_and_no_loss() -> None:
    model = a_model()
    task = Segments(model, torch.arange(1, 9), torch.Generator().manual_seed(1))
    one = Ragged(torch.tensor([3, 4]), torch.tensor([0, 1, 2]))
    ragged = task.cut_out(one, cut(one.offsets, 8, torch.Generator()))
    assert ragged.offsets.tolist() == [0]
    (encoded, _) = encode(model.both_ways(), [(ragged, False), (one, False)])
    assert task.loss(Batch(torch.arange(2), one.offsets, one.items, one.items), encoded).item() == 0.0


def test_as_many_items_are_masked_as_the_rate_says() -> None:
    offsets = torch.arange(0, 10 * 3001, 10)
    is_masked = masked_tokens(offsets, 0.2, torch.Generator().manual_seed(2)).view(-1, 10)
    assert is_masked[:, -1].all()
    shares = is_masked[:, :-1].float().mean(0)
    assert (shares - 0.2).abs().max() < 5 * math.sqrt(0.2 * 0.8 / 3000)


def test_prefixes_are_every_beginning_of_every_training_part() -> None:
    model = a_model(pretrain_prefixes=True, mask_rate=0.0)
    noted = Noted()
    task = MaskedItems(Pairwise(noted), model, *(torch.Generator().manual_seed(k) for k in range(2)))
    prefixes = Batch(
        torch.tensor([0, 0, 1]),
        torch.tensor([0, 1, 3, 4]),
        torch.tensor([5, 5, 6, 7]),
        torch.tensor([], dtype=torch.long),
    )
    ragged = task.sequences(prefixes)
    assert (ragged.items.tolist(), ragged.offsets.tolist()) == ([MASK, 5, MASK, MASK], [0, 1, 3, 4])
    (encoded,) = encode(model.both_ways(), [(ragged, False)])
    task.loss(prefixes, encoded)
    assert noted.users == [0, 0, 1]
