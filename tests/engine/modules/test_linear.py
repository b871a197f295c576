"""The fast products equal the plain ones, forward and backward, in float32's precision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from engine.modules import linear as linear_module
from engine.modules.attention import MultiHeadAttention
from engine.modules.layout import packed_layout, padded_layout
from engine.modules.linear import FeedForward, arranged, linear, times_transposed


def compare(fast: torch.Tensor, plain: torch.Tensor, parameters: list[torch.Tensor]) -> None:
    weights = torch.randn(fast.shape)
    ours = torch.autograd.grad((fast * weights).sum(), parameters)
    theirs = torch.autograd.grad((plain * weights.to(plain.dtype)).sum(), parameters)
    assert torch.allclose(fast, plain, atol=1e-5)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("rows", [0, 1, 7, 3000])
@pytest.mark.parametrize(("inputs", "outputs"), [(8, 24), (24, 8)])
def test_linear(rows: int, inputs: int, outputs: int) -> None:
    torch.manual_seed(1)
    layer, x = nn.Linear(inputs, outputs), torch.randn(rows, inputs, requires_grad=True)
    compare(linear(layer, x), layer(x), [x, layer.weight, layer.bias])


@pytest.mark.parametrize("rows", [1, 64, 200])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_an_arranged_weight_gives_the_same_product(rows: int, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    x, weight = torch.randn(rows, 24, dtype=dtype), torch.randn(24, 100, dtype=dtype).t()
    found = times_transposed(x, arranged(weight, 64))
    assert found.dtype == dtype
    assert torch.allclose(found, x @ weight.t(), atol={torch.bfloat16: 0.2}.get(dtype, 1e-4))
    assert times_transposed(x, arranged(weight[:0], 64)).shape == (rows, 0)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("rows", [1, 2047, 2048, 5000])
def test_feed_forward(rows: int, activation: str) -> None:
    torch.manual_seed(1)
    layer = FeedForward(8, 32, activation)  # type: ignore[arg-type]
    x = torch.randn(rows, 8, requires_grad=True)
    act = {"gelu": nn.functional.gelu, "relu": nn.functional.relu}[activation]
    compare(layer(x), layer.narrow(act(layer.widen(x))), [x, *layer.parameters()])


@pytest.mark.parametrize("is_padded", [False, True])
def test_attention_drops_probabilities_and_keeps_their_mean(is_padded: bool) -> None:
    torch.manual_seed(1)
    layer = MultiHeadAttention(8, 2, 0.5)
    offsets = torch.tensor([0, 3, 4, 9])
    layout = padded_layout(offsets, 6) if is_padded else packed_layout(offsets, 6)
    x = torch.randn(layout.slots, 8)
    thinned = torch.stack([layer(x, layout) for _ in range(3000)])
    whole = layer.eval()(x, layout)
    assert not torch.allclose(thinned[0], thinned[1])
    error = (thinned.mean(0) - whole).abs() / (thinned.std(0) / 3000**0.5 + 1e-9)
    assert error[layout.is_real].max() < 5.5


def test_no_gradient_makes_onednn_reduce_over_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """oneDNN keeps memory for every length it reduces over: there must be few, and none long."""
    if not linear_module._has_onednn():
        pytest.skip("oneDNN's product is not in this build of PyTorch")
    lengths: list[int] = []

    def noting(product: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def noted(x: torch.Tensor, *others: torch.Tensor | None) -> torch.Tensor:
            lengths.append(x.shape[1])
            return product(x, *others)

        return noted

    for name in ("times_transposed", "_bfloat16_product"):
        monkeypatch.setattr(linear_module, name, noting(getattr(linear_module, name)))
    layer = nn.Linear(8, 24)
    linear(layer, torch.randn(5000, 8, requires_grad=True)).sum().backward()
    assert sorted(lengths) == [8, 24], "float32's gradients of weights are not oneDNN's"
    lengths.clear()
    linear(layer, torch.randn(5000, 8, dtype=torch.bfloat16, requires_grad=True)).sum().backward()
    assert [length for length in sorted(lengths) if length > 24] == [5000 - 2 * 2048, 2048, 2048]
