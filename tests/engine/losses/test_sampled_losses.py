"""Losses with k negatives against loops over their definitions; their gradients, and the memory they take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.config import ExperimentConfig, preset
from engine.data.dataset import load
from engine.data.sequences import Sequences
from engine.data.splits import leave_one_out
from engine.losses.bce.loss import BinaryCrossEntropy, bce, bce_of_several
from engine.losses.bpr.loss import BPR, bpr
from engine.losses.negatives import NegativeSampler
from engine.losses.sampled import sampled_scores
from engine.losses.sampled_softmax.loss import SampledSoftmax
from engine.losses.weights import token_weights

ITEMS, D = 9, 3
CPU = torch.device("cpu")


def made(tokens: int, k: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """hidden, table, targets, negatives."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, D, generator=generator, dtype=torch.float64, requires_grad=True)
    table = torch.randn(ITEMS + 2, D, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(1, ITEMS + 1, (tokens,), generator=generator)
    return hidden, table, targets, torch.randint(1, ITEMS + 1, (tokens, k), generator=generator)


def averaged(losses: list[Tensor], lengths: list[int] | None) -> Tensor:
    """The mean over tokens, or over users of each user's own mean."""
    if lengths is None:
        return torch.stack(losses).mean()
    users, first = [], 0
    for length in lengths:
        users.append(torch.stack(losses[first : first + length]).mean())
        first += length
    return torch.stack(users).mean()


def assert_alike(found: Tensor, expected: Tensor, hidden: Tensor, table: Tensor) -> None:
    assert found.item() == pytest.approx(expected.item(), abs=1e-9)
    wanted = torch.autograd.grad(expected, (hidden, table))
    for fast, slow in zip(torch.autograd.grad(found, (hidden, table)), wanted, strict=True):
        assert torch.allclose(fast, slow, atol=1e-9)


LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=5)


def weights_of(hidden: Tensor, each: list[int] | None) -> Tensor:
    return token_weights(hidden, None if each is None else torch.tensor(each))


@settings(max_examples=25, deadline=None)
@given(LENGTHS, st.integers(1, 4), st.integers(0, 2**31 - 1), st.booleans(), st.sampled_from(["mean", "sum"]))
def test_bce_of_k_negatives(lengths: list[int], k: int, seed: int, over_users: bool, count: str) -> None:
    hidden, table, targets, negatives = made(sum(lengths), k, seed)
    losses = []
    for token in range(len(targets)):
        own = -torch.log(torch.sigmoid(hidden[token] @ table[targets[token]]))
        others = [-torch.log(1 - torch.sigmoid(hidden[token] @ table[item])) for item in negatives[token]]
        losses.append(own + (sum(others) / k if count == "mean" else sum(others)))
    each = lengths if over_users else None
    weight = 1 / k if count == "mean" else 1.0
    found = bce_of_several(hidden, targets, negatives, table, weight, weights_of(hidden, each))
    assert_alike(found, averaged(losses, each), hidden, table)


@settings(max_examples=25, deadline=None)
@given(LENGTHS, st.integers(1, 4), st.integers(0, 2**31 - 1), st.booleans())
def test_bpr_of_k_negatives(lengths: list[int], k: int, seed: int, over_users: bool) -> None:
    hidden, table, targets, negatives = made(sum(lengths), k, seed)
    losses = []
    for token in range(len(targets)):
        own = hidden[token] @ table[targets[token]]
        others = [-torch.log(torch.sigmoid(own - hidden[token] @ table[item])) for item in negatives[token]]
        losses.append(sum(others, torch.zeros((), dtype=torch.float64)) / k)
    each = lengths if over_users else None
    found = bpr(hidden, targets, negatives, table, weights_of(hidden, each))
    assert_alike(found, averaged(losses, each), hidden, table)


def test_one_negative_is_equation_3() -> None:
    hidden, table, targets, negatives = made(7, 1, 3)
    weights = weights_of(hidden, None)
    one = bce(hidden, torch.stack((targets, negatives[:, 0])), table, weights)
    assert bce_of_several(hidden, targets, negatives, table, 1.0, weights).item() == pytest.approx(one.item())


def sampler() -> tuple[NegativeSampler, list[set[int]]]:
    rows = [[1, 2, 2], [3], [4, 5, 6, 7, 8, 9, 1], [9, 1]]
    return NegativeSampler(Sequences.from_lists(rows), ITEMS), [set(row) for row in rows]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=8),
    st.integers(1, 6),
    st.integers(0, 2**31 - 1),
    st.sampled_from(["position", "batch"]),
    st.sampled_from(["sampled", "all"]),
)
def test_sampled_softmax(users: list[int], k: int, seed: int, sharing: Any, partition: Any) -> None:
    own_sampler, sets = sampler()
    hidden, table, targets, _ = made(len(users), k, seed)
    rows = torch.tensor(users)
    loss = SampledSoftmax(own_sampler, ITEMS, k, sharing=sharing, partition=partition)
    found = loss(
        hidden,
        targets,
        table,
        rows=rows,
        lengths=torch.ones(len(users), dtype=torch.int64),
        generator=torch.Generator().manual_seed(seed),
    )
    again = torch.Generator().manual_seed(seed)
    if sharing == "position":
        drawn = own_sampler.several(rows, k, again).tolist()
    else:
        shared = own_sampler.shared(rows, k, again)[0].tolist()
        drawn = [[item for item in shared if item not in sets[user]] for user in users]
    stands_for = (ITEMS - 1) / k if partition == "all" else 1.0
    losses = []
    for token, negatives in enumerate(drawn):
        assert not sets[users[token]] & set(negatives)
        own = torch.exp(hidden[token] @ table[targets[token]])
        others = [stands_for * torch.exp(hidden[token] @ table[item]) for item in negatives]
        losses.append(-torch.log(own / (own + sum(others))))
    assert_alike(found, averaged(losses, None), hidden, table)


def test_with_many_negatives_for_all_items_it_is_the_full_softmax() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden, table, targets, _ = made(1, 1, 5)
    rows = torch.zeros(1, dtype=torch.int64)
    lone = NegativeSampler(Sequences.from_lists([[int(targets[0])]]), ITEMS)
    loss = SampledSoftmax(lone, ITEMS, 200_000, sharing="position", partition="all")
    found = loss(hidden, targets, table, rows=rows, lengths=torch.ones(1, dtype=torch.int64), generator=generator)
    scores = hidden[0] @ table[1:-1].t()
    expected = scores.logsumexp(0) - scores[targets[0] - 1]
    assert found.item() == pytest.approx(expected.item(), rel=0.01)


def test_losses_stay_finite_where_an_exponential_would_not_and_where_no_negative_is_left() -> None:
    hidden = torch.full((1, 1), 1000.0, requires_grad=True)
    table = torch.tensor([[0.0], [-1.0], [1.0], [0.0]])
    assert bpr(hidden, torch.tensor([1]), torch.tensor([[2]]), table, torch.ones(1)).item() == pytest.approx(2000.0)
    full = NegativeSampler(Sequences.from_lists([[1]]), 2)
    loss = SampledSoftmax(full, 2, 1)
    for seed in range(20):  # the one shared item is the user's own in half of the draws
        found = loss(
            hidden,
            torch.tensor([1]),
            table,
            rows=torch.zeros(1, dtype=torch.int64),
            lengths=torch.ones(1, dtype=torch.int64),
            generator=torch.Generator().manual_seed(seed),
        )
        (gradient,) = torch.autograd.grad(found, hidden)
        assert found.item() in (0.0, pytest.approx(2000.0))
        assert gradient.isfinite().all()


def test_shared_items_are_uniform_and_told_apart_from_the_users_own() -> None:
    own_sampler, sets = sampler()
    rows = torch.arange(4)
    items, is_negative = own_sampler.shared(rows, 90_000, torch.Generator().manual_seed(1))
    counts = np.bincount(items.numpy(), minlength=ITEMS + 1)[1:]
    assert np.abs(counts - 10_000).max() < 5 * math.sqrt(10_000)
    for user, own in enumerate(sets):
        assert set(items[is_negative[user]].tolist()) == set(range(1, ITEMS + 1)) - own


class LargestTensor(TorchDispatchMode):
    """Numbers in the largest tensor that any operation gives back."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, tuple | list) else (found,):
            if isinstance(tensor, Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return found


def test_the_drawn_embeddings_are_never_held_at_once() -> None:
    tokens, k, d, at_once = 300, 64, 16, 2**12
    hidden = torch.randn(tokens, d, requires_grad=True)
    table = torch.randn(500, d, requires_grad=True)
    items = torch.randint(1, 499, (tokens, k))
    with LargestTensor() as largest:
        sampled_scores(hidden, table, items, at_once).sum().backward()
    assert largest.numbers == tokens * k  # the scores; all embeddings would be 16 times as many


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("bce", BinaryCrossEntropy, {"loss.bce_negatives": 3, "loss.bce_negatives_count": "sum"}),
        ("bpr", BPR, {"loss.bpr_negatives": 10}),
        ("sampled_softmax", SampledSoftmax, {"loss.softmax_negatives": 7, "loss.softmax_sharing": "position"}),
    ],
)
def test_a_configuration_says_which_loss_and_how_many(name: str, kind: type, values: dict[str, Any]) -> None:
    config: ExperimentConfig = preset("sample").config.replace({"loss.next_item": name, **values})
    dataset = load("sample")
    loss: Any = kind.from_config(config, leave_one_out(dataset), dataset.item_count, CPU)  # type: ignore[attr-defined]
    assert loss.negatives == next(value for path, value in values.items() if path.endswith("_negatives"))
    hidden, table = torch.randn(4, 8), torch.randn(dataset.rows, 8)
    arguments = {"rows": torch.tensor([0, 0, 1, 2]), "lengths": torch.tensor([2, 1, 1])}
    values_of = [
        loss(hidden, torch.tensor([1, 2, 3, 4]), table, generator=torch.Generator().manual_seed(seed), **arguments)
        for seed in (1, 1, 2)
    ]
    assert values_of[0].item() == values_of[1].item()
    assert values_of[0].item() != values_of[2].item()
