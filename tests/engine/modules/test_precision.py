"""bfloat16 products: what they round, what they leave in float32, and that training with them is a setting."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from engine.config import preset
from engine.losses.cross_entropy.loss import cross_entropy
from engine.models.transformer.module import Transformer
from engine.modules.linear import FeedForward, linear, times_transposed

HALF = torch.bfloat16


def rounded(x: Tensor) -> Tensor:
    return x.to(HALF).float()


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_a_product_rounds_both_operands_and_its_result_and_nothing_between(rows: int) -> None:
    torch.manual_seed(1)
    x, weight, bias = torch.randn(rows, 96), torch.randn(40, 96), torch.randn(40)
    found = times_transposed(x.to(HALF), weight.to(HALF), bias.to(HALF))
    expected = rounded(x).double() @ rounded(weight).double().t() + rounded(bias).double()
    assert found.dtype == HALF
    # One rounding of the result is half of 2⁻⁷ relative; sums in bfloat16 would be off by many times that.
    assert ((found.double() - expected).abs() <= expected.abs() * 2**-8 + 1e-4).all()


def test_gradients_of_weights_are_float32_and_near_those_of_float32() -> None:
    torch.manual_seed(1)
    layer, x, upstream = nn.Linear(64, 192), torch.randn(3000, 64), torch.randn(3000, 192)
    for parameter, plain in zip(
        torch.autograd.grad((linear(layer, x.to(HALF)).float() * upstream).sum(), [layer.weight, layer.bias]),
        torch.autograd.grad((layer(x) * upstream).sum(), [layer.weight, layer.bias]),
        strict=True,
    ):
        assert parameter.dtype == torch.float32
        assert (parameter - plain).norm() / plain.norm() < 0.01


def test_a_sum_over_many_rows_does_not_lose_the_small_ones() -> None:
    """256 + 1 is 256 in bfloat16: a bias whose gradient were summed there would stop at 256."""
    layer = nn.Linear(4, 8)
    linear(layer, torch.zeros(5000, 4, dtype=HALF)).float().sum().backward()
    assert layer.bias.grad is not None
    assert torch.equal(layer.bias.grad, torch.full((8,), 5000.0))
    wide = FeedForward(4, 16)
    wide(torch.zeros(5000, 4, dtype=HALF)).float().sum().backward()
    assert wide.narrow.bias.grad is not None
    assert torch.equal(wide.narrow.bias.grad, torch.full((4,), 5000.0))


def test_hidden_states_and_their_gradients_are_float32_and_near() -> None:
    config = preset("coserec-paper").config.replace({"model.dropout": 0.0})
    half = config.replace({"train.precision": "bfloat16"})
    whole, reduced = (Transformer.from_config(c, 50, torch.Generator().manual_seed(1)) for c in (config, half))
    items, offsets = torch.randint(1, 51, (40,)), torch.tensor([0, 3, 20, 40])
    states = [model.encode(items, offsets) for model in (whole, reduced)]
    assert states[1].dtype == torch.float32
    assert not torch.equal(states[0], states[1])
    assert (states[0] - states[1]).norm() / states[0].norm() < 0.02
    upstream = torch.randn(states[0].shape)
    gradients = [
        torch.autograd.grad((hidden * upstream).sum(), list(model.parameters()))
        for hidden, model in zip(states, (whole, reduced), strict=True)
    ]
    for (name, _), one, other in zip(whole.named_parameters(), *gradients, strict=True):
        if one.norm() > 1e-3:  # the key's bias moves no softmax: its gradient is rounding alone
            assert (one - other).norm() / one.norm() < 0.1, name


def test_cross_entropy_takes_bfloat16_for_its_products_only() -> None:
    torch.manual_seed(1)
    hidden, table = torch.randn(150, 64, requires_grad=True), (torch.randn(302, 64) * 0.1).requires_grad_()
    targets, weights = torch.randint(1, 301, (150,)), torch.full((150,), 1 / 150)
    whole = cross_entropy(hidden, targets, table, weights)
    half = cross_entropy(hidden, targets, table, weights, dtype=HALF)
    assert half.dtype == torch.float32
    assert 0 < abs(half.item() - whole.item()) < 0.01
    ours = torch.autograd.grad(half, [hidden, table])
    theirs = torch.autograd.grad(whole, [hidden, table])
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() / other.norm() < 0.02
