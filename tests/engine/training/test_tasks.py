"""What models are trained on, beside whole sequences: windows, actions, masked items; and what is round a step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import TrainOptions
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.models.contract import Batch, Interactions, Windows
from engine.training.adam import Adam
from engine.training.cloze import masked_places, whole_parts
from engine.training.examples import examples_of
from engine.training.optimiser import Optimiser, RMSProp, clip, learning_rate

LENGTHS = st.lists(st.integers(2, 12), min_size=1, max_size=6)


def a_split(lengths: list[int]) -> LeaveOneOut:
    """Users with training parts of these lengths, whose items all differ."""
    offsets = np.cumsum([0, *(n + 2 for n in lengths)]).astype(np.int64)
    return LeaveOneOut(Sequences(np.arange(1, offsets[-1] + 1, dtype=np.int32), offsets))


@given(LENGTHS, st.integers(1, 5), st.integers(1, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_windows_are_those_of_a_loop(lengths: list[int], inputs: int, targets: int, prefixes: bool) -> None:
    split = a_split(lengths)
    expected: list[tuple[int, list[int], list[int]]] = []
    for user in range(len(lengths)):
        part = split.training_part[user].tolist()
        first = targets + (1 if prefixes else inputs)
        for end in range(min(first, len(part)), len(part) + 1):
            wanted = part[max(end - targets, 0) : end]
            before = part[: max(end - targets, 0)]
            expected.append((user, before[-inputs:], [0] * (targets - len(wanted)) + wanted))
    data = examples_of(Windows(inputs, targets, prefixes), split, "cpu")
    every = data.of_users(np.arange(len(lengths)))
    assert every.tolist() == list(range(len(expected)))
    some = every[::-1].copy()
    batch = data.batch(some)
    found = [
        (int(batch.rows[row]), batch.inputs[batch.offsets[row] : batch.offsets[row + 1]].tolist(), found_targets)
        for row, found_targets in enumerate(batch.targets.view(-1, targets).tolist())
    ]
    assert found == expected[::-1]
    own = data.of_users(np.array([len(lengths) - 1]))
    assert [expected[number][0] for number in own] == [len(lengths) - 1] * len(own)


def test_interactions_are_the_training_parts_actions() -> None:
    split = a_split([2, 5, 3])
    data = examples_of(Interactions(), split, "cpu")
    chosen = data.of_users(np.array([2, 0]))
    batch = data.batch(chosen)
    assert batch.rows.tolist() == [2, 2, 2, 0, 0]
    assert batch.targets.tolist() == [*split.training_part[2].tolist(), *split.training_part[0].tolist()]
    assert len(data.of_users(np.arange(3))) == 10


@given(LENGTHS, st.integers(2, 8), st.floats(0.05, 1), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_masks_are_as_many_as_asked_among_the_last_items(
    lengths: list[int], longest: int, rate: float, last_only: float, seed: int
) -> None:
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    places, counts = masked_places(offsets, longest, rate, last_only, torch.Generator().manual_seed(seed))
    assert places.tolist() == sorted(set(places.tolist()))
    for row, n in enumerate(lengths):
        begin, end = int(offsets[row]), int(offsets[row + 1])
        own = [place for place in places.tolist() if begin <= place < end]
        kept = min(n, longest)
        assert len(own) == int(counts[row])
        assert all(place >= end - kept for place in own)
        many = max(1, int(rate * kept + 0.5 + 1e-9))
        assert own == [end - 1] if last_only == 1 else len(own) in ({1, many} if last_only else {many})


def test_every_item_is_masked_alike_often() -> None:
    offsets = torch.tensor([0, 4])
    generator = torch.Generator().manual_seed(1)
    counted = torch.zeros(4)
    for _ in range(2000):
        counted[masked_places(offsets, 10, 0.5, 0.0, generator)[0]] += 1
    assert counted.sum() == 4000
    assert (counted - 1000).abs().max() < 120  # five deviations


def test_whole_parts_are_inputs_and_the_last_target() -> None:
    batch = Batch(torch.arange(3), torch.tensor([0, 2, 3, 3 + 4]), torch.tensor([1, 2, 5, 7, 8, 9, 10]),
                  torch.tensor([2, 3, 6, 8, 9, 10, 11]))  # fmt: skip
    items, offsets = whole_parts(batch)
    assert items.tolist() == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert offsets.tolist() == [0, 3, 5, 10]


def weights() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [
        torch.randn(4, 3, generator=generator).requires_grad_(),
        torch.randn(3, generator=generator).requires_grad_(),
    ]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("kind", ["adam", "adamw", "rmsprop"])
def test_optimisers_are_torchs(kind: str, decay: float, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if plain:
        monkeypatch.setattr("engine.training.adam._HAS_FUSED", ())
    ours, theirs = weights(), weights()
    mine: Adam | RMSProp
    other: torch.optim.Optimizer
    if kind == "rmsprop":
        mine, other = RMSProp(ours, 0.01, weight_decay=decay), torch.optim.RMSprop(theirs, 0.01, weight_decay=decay)
    elif kind == "adam":
        mine = Adam(ours, 0.01, (0.9, 0.99), weight_decay=decay)
        other = torch.optim.Adam(theirs, 0.01, (0.9, 0.99), weight_decay=decay)
    else:
        mine = Adam(ours, 0.01, (0.9, 0.99), weight_decay=decay, decoupled=True)
        groups = [{"params": theirs[:1], "weight_decay": decay}, {"params": theirs[1:], "weight_decay": 0.0}]
        other = torch.optim.AdamW(groups, 0.01, (0.9, 0.99))
    for step in range(5):
        for parameter, twin in zip(ours, theirs, strict=True):
            parameter.grad = torch.sin(parameter.detach() + step)
            twin.grad = torch.sin(twin.detach() + step)
        mine.step()
        other.step()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
def test_an_optimiser_goes_on_from_its_state(kind: str) -> None:
    def made(parameters: list[torch.Tensor]) -> Optimiser:
        inner = RMSProp(parameters, 1.0) if kind == "rmsprop" else Adam(parameters, 1.0, (0.9, 0.99))
        return Optimiser(inner, 0.5, lambda taken: 0.01 * (taken + 1))

    one, two = weights(), weights()
    first, second = made(one), made(two)

    def step(optimiser: Optimiser, parameters: list[torch.Tensor]) -> None:
        optimiser.zero_grad()
        sum((parameter**2).sum() for parameter in parameters).backward()  # type: ignore[union-attr]
        optimiser.step()

    for _ in range(3):
        step(first, one)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        for parameter, value in zip(two, one, strict=True):
            parameter.copy_(value)
    step(first, one)
    step(second, two)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert second.taken == 4
    with pytest.raises(ValueError, match="2 parameters for 1"):
        made(weights()[:1]).load_state_dict(first.state_dict())


def test_clipping_is_torchs() -> None:
    ours, theirs = weights(), weights()
    for parameter, twin in zip(ours, theirs, strict=True):
        parameter.grad, twin.grad = parameter.detach() * 3, twin.detach() * 3
    clip(ours, 1.5)
    torch.nn.utils.clip_grad_norm_(theirs, 1.5)
    assert all(torch.allclose(a.grad, b.grad) for a, b in zip(ours, theirs, strict=True))  # type: ignore[arg-type]


def test_the_rate_warms_up_and_falls() -> None:
    train = TrainOptions(learning_rate=1.0, warmup_steps=4, rate_decay="linear")
    assert [learning_rate(train, taken, 12) for taken in (0, 1, 3, 4, 8, 12, 99)] == [0.25, 0.5, 1, 1, 0.5, 0, 0]
    still = TrainOptions(learning_rate=0.5)
    assert {learning_rate(still, taken, 12) for taken in range(20)} == {0.5}
