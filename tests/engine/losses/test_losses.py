"""Losses and representations against loops written from their equations (Eq. 3, 14; FACTS F7, F8, F14)."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.losses.bce.loss import bce
from engine.losses.cross_entropy.loss import cross_entropy
from engine.losses.nt_xent.loss import NTXent
from engine.losses.representation import gram, represent
from engine.losses.weights import token_weights
from engine.modules.layout import packed_layout, padded_layout


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(0, 2**31 - 1), st.booleans())
def test_bce_is_equation_3(lengths: list[int], seed: int, over_users: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    total = sum(lengths)
    hidden = torch.randn(total, 4, generator=generator, dtype=torch.float64)
    table = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    candidates = torch.randint(1, 12, (2, total), generator=generator)
    token = 0
    users = []
    for length in lengths:
        losses = []
        for _ in range(length):
            positive = float(hidden[token] @ table[candidates[0, token]])
            negative = float(hidden[token] @ table[candidates[1, token]])
            losses.append(-math.log(sigmoid(positive)) - math.log(1 - sigmoid(negative)))
            token += 1
        users.append(losses)
    flat = [loss for losses in users for loss in losses]
    expected = sum(sum(own) / len(own) for own in users) / len(users) if over_users else sum(flat) / len(flat)
    weights = token_weights(hidden, torch.tensor(lengths) if over_users else None)
    found = bce(hidden, candidates, table, weights)
    assert float(found) == pytest.approx(expected, abs=1e-9)


def test_bce_stays_finite_where_a_sigmoid_would_not() -> None:
    hidden, table = torch.full((1, 1), 1000.0), torch.tensor([[0.0], [-1.0], [1.0]])
    assert float(bce(hidden, torch.tensor([[1], [2]]), table, torch.ones(1))) == pytest.approx(2000.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 100), st.integers(1, 20), st.integers(0, 2**31 - 1))
def test_cross_entropy_and_its_gradients_are_the_softmax_over_items_alone(tokens: int, items: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    table = torch.randn(items + 2, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(tokens, generator=generator, dtype=torch.float64)
    targets = torch.randint(1, items + 1, (tokens,), generator=generator)
    found = cross_entropy(hidden, targets, table, weights, scores_at_once=1)  # 64 tokens a block
    expected = torch.zeros((), dtype=torch.float64)
    for token in range(tokens):
        scores = [hidden[token] @ table[item] for item in range(1, items + 1)]  # neither padding nor mask
        chances = torch.stack(scores).exp()
        expected = expected - weights[token] * torch.log(chances[targets[token] - 1] / chances.sum())
    assert found.item() == pytest.approx(expected.item(), abs=1e-9)
    for fast, slow in zip(
        torch.autograd.grad(3 * found, (hidden, table)), torch.autograd.grad(3 * expected, (hidden, table)), strict=True
    ):
        assert torch.allclose(fast, slow, atol=1e-9)


def test_cross_entropy_stays_finite_where_an_exponential_would_not() -> None:
    hidden, table = torch.full((1, 1), 1000.0), torch.tensor([[9.0], [-1.0], [1.0], [9.0]])
    assert float(cross_entropy(hidden, torch.tensor([1]), table, torch.ones(1))) == pytest.approx(2000.0)


@pytest.mark.parametrize("tokens", [1, 64, 65, 300])
def test_cross_entropy_of_unlikely_targets_is_pytorchs_own(tokens: int) -> None:
    """Every third token is so sure of another item that its target's chance has no float32."""
    torch.manual_seed(tokens)
    hidden, table, targets = torch.randn(tokens, 8), torch.randn(202, 8), torch.randint(1, 201, (tokens,))
    hidden[::3] *= 40
    weights = torch.rand(tokens)
    ours, plain = (
        [hidden.to(dtype, copy=True).requires_grad_(), table.to(dtype, copy=True).requires_grad_()]
        for dtype in (torch.float32, torch.float64)
    )
    found = cross_entropy(ours[0], targets, ours[1], weights, scores_at_once=200 * 64)
    each = nn.functional.cross_entropy(plain[0] @ plain[1][1:-1].t(), targets - 1, reduction="none")
    assert each.max() > 88
    expected = (each * weights).sum()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    for fast, slow in zip(torch.autograd.grad(found, ours), torch.autograd.grad(expected, plain), strict=True):
        assert torch.allclose(fast.double(), slow, atol=1e-4, rtol=1e-4)


def test_weights_of_tokens_count_every_token_or_every_user_once() -> None:
    hidden = torch.zeros(4, 2)
    assert token_weights(hidden).tolist() == [0.25] * 4
    by_user = token_weights(hidden, torch.tensor([1, 3])).tolist()
    assert by_user == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])


def naive_nt_xent(views: Tensor, temperature: float, cosine: bool) -> float:
    count = len(views)
    total = 0.0
    for i in range(count):
        similar = []
        for j in range(count):
            value = float(views[i] @ views[j])
            if cosine:
                value /= float(views[i].norm() * views[j].norm())
            similar.append(value / temperature)
        partner = (i + count // 2) % count
        others = sum(math.exp(similar[j]) for j in range(count) if j != i)
        total -= math.log(math.exp(similar[partner]) / others)
    return total / count


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**31 - 1), st.floats(0.2, 3), st.booleans())
def test_nt_xent_is_equation_14(users: int, seed: int, temperature: float, cosine: bool) -> None:
    views = torch.randn(2 * users, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    loss = NTXent(temperature, "cosine" if cosine else "dot")
    assert float(loss(views @ views.t())) == pytest.approx(naive_nt_xent(views, temperature, cosine), abs=1e-8)


def test_nt_xent_of_one_user_has_nothing_to_tell_apart() -> None:
    assert float(NTXent()(torch.randn(2, 2))) == pytest.approx(0.0)


def test_cosine_of_a_zero_representation_is_finite_with_its_gradient() -> None:
    views = torch.zeros(4, 3, requires_grad=True)
    NTXent(1.0, "cosine")(views @ views.t()).backward()
    assert views.grad is not None
    assert views.grad.isfinite().all()


LENGTHS = [3, 1, 8, 5, 12, 1, 2, 8]


@pytest.mark.parametrize("representation", ["real_concat", "last", "mean", "padded_concat"])
@pytest.mark.parametrize("max_length", [8, 10, 1])
def test_gram_is_the_product_of_the_representations_and_of_what_they_say_they_are(
    representation: str, max_length: int
) -> None:
    offsets = torch.tensor([0, *torch.tensor(LENGTHS).cumsum(0).tolist()])
    padded = representation == "padded_concat"
    layout = padded_layout(offsets, max_length) if padded else packed_layout(offsets, max_length)
    hidden = torch.randn(layout.slots, 3, dtype=torch.float64, requires_grad=True)
    expected = []
    for index, length in enumerate(LENGTHS):
        kept = min(length, max_length)
        if padded:
            expected.append(hidden[index * max_length : (index + 1) * max_length].flatten())
            continue
        begin = int(layout.first[index])
        own = hidden[begin : begin + kept]
        if representation == "real_concat":
            zeros = torch.zeros(max_length - kept, 3, dtype=torch.float64)
            expected.append(torch.cat((zeros, own)).flatten())  # the last item has the last position
        else:
            expected.append(own[-1] if representation == "last" else own.mean(0))
    rows = torch.stack(expected)
    assert torch.allclose(represent(hidden, layout, representation), rows)  # type: ignore[arg-type]
    found = gram(hidden, layout, representation)  # type: ignore[arg-type]
    assert torch.allclose(found, rows @ rows.t())
    weights = torch.randn(found.shape, dtype=torch.float64)
    (ours,) = torch.autograd.grad((found * weights).sum(), hidden, retain_graph=True)
    (theirs,) = torch.autograd.grad((rows @ rows.t() * weights).sum(), hidden)
    assert torch.allclose(ours, theirs)
