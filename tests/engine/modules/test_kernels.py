"""The compiled inner loops equal PyTorch's own operations, dropout masks included, and naive ones in float64."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from engine.modules import kernels
from engine.modules.attention import PackedAttention
from engine.modules.dropout import Dropout
from engine.modules.kernels.linear import linear_backward
from engine.modules.kernels.norm import embedded_norm, joined_norm
from engine.modules.layout import Layout, hidden_keys, packed_layout, padded_layout
from engine.modules.linear import FeedForward, linear
from engine.records import PLAIN_KERNELS
from tests.engine.modules import naive
from tests.engine.modules.test_packed_encoder import LENGTHS, a_model, flat, some_rows

HAS_THEM = kernels.name() != PLAIN_KERNELS
compiled = pytest.mark.skipif(not HAS_THEM, reason="no compiled kernels for this machine")
SHOULD_HAVE_THEM = (
    sys.platform.startswith("linux")
    and platform.machine() == "x86_64"
    and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    and (shutil.which("cc") or shutil.which("gcc")) is not None
)


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.skipif(not SHOULD_HAVE_THEM, reason="no compiler, or no processor that they are written for")
def test_they_are_there_where_they_can_be() -> None:
    assert HAS_THEM, "install the package again: pip install --no-build-isolation --no-deps --editable ."


def assert_alike(run: Callable[[], list[Tensor]], tolerance: float = 2e-6) -> None:
    """``run`` gives the same numbers, to float32's rounding, by either way, and with the same randomness."""
    results = []
    for way in (nullcontext(), kernels.plain()):
        with way:
            torch.manual_seed(7)
            results.append(run())
    for number, (ours, theirs) in enumerate(zip(*results, strict=True)):
        assert torch.isfinite(ours).all()
        assert (ours - theirs).abs().max() <= tolerance * max(float(theirs.abs().max()), 1e-6), number


def layouts(max_length: int) -> dict[str, Layout]:
    rows = some_rows([*LENGTHS, 130, 64], zeros=0.3)
    items, offsets = flat(rows)
    hidden = hidden_keys(items)
    return {
        "packed": packed_layout(offsets, max_length),
        "packed, items hidden": packed_layout(offsets, max_length, hidden_items=hidden),
        "packed, both directions": packed_layout(offsets, max_length, is_bidirectional=True),
        "padded": padded_layout(offsets, max_length),
        "padded, items hidden": padded_layout(offsets, max_length, hidden_items=hidden),
    }


@compiled
@pytest.mark.parametrize("p", [0.0, 0.5, 0.2])
@pytest.mark.parametrize(
    ("max_length", "size", "heads"), [(50, 64, 2), (130, 24, 2), (7, 12, 3), (1, 16, 1), (33, 40, 8)]
)
def test_attention(p: float, max_length: int, size: int, heads: int, threads: int) -> None:
    attend = PackedAttention(heads, p).train()
    for layout in layouts(max_length).values():
        projected = torch.randn(layout.slots, 3 * size).mul_(1.5).requires_grad_()
        weights = torch.randn(layout.slots, size) * layout.is_real.unsqueeze(1)

        def run(projected: Tensor = projected, layout: Layout = layout, weights: Tensor = weights) -> list[Tensor]:
            out = attend(projected, layout)
            (gradient,) = torch.autograd.grad((out * weights).sum(), projected)
            return [out.detach()[layout.is_real], gradient]

        assert_alike(run)


@compiled
@pytest.mark.parametrize("p", [0.0, 0.5, 0.3])
@pytest.mark.parametrize("size", [64, 32, 128, 50, 7, 1024])
@pytest.mark.parametrize("rows", [1, 128, 300])
def test_norms(p: float, size: int, rows: int, threads: int) -> None:
    norm, dropout = nn.LayerNorm(size, eps=1e-12), Dropout(p).train()
    items, positions = nn.Embedding(30, size, padding_idx=0), nn.Embedding(9, size)
    for weights in (norm.weight, norm.bias):
        nn.init.normal_(weights)
    x, y, outer = torch.randn(rows, size, requires_grad=True), torch.randn(rows, size, requires_grad=True), torch.randn
    gradient, chosen, places = outer(rows, size), torch.randint(0, 30, (rows,)), torch.randint(0, 9, (rows,))

    def run() -> list[Tensor]:
        joined = joined_norm(x, y, norm, dropout)
        first = torch.autograd.grad(joined, (x, y, norm.weight, norm.bias), gradient)
        embedded = embedded_norm(items, chosen, positions, places, norm, dropout)
        tables = (items.weight, positions.weight, norm.weight, norm.bias)
        return [joined.detach(), *first, embedded.detach(), *torch.autograd.grad(embedded, tables, gradient)]

    assert_alike(run, 5e-6)


@compiled
def test_rows_without_any_spread_are_normalised_alike() -> None:
    """As LayerNorm does it: eps keeps 0 / 0 away."""
    norm, dropout = nn.LayerNorm(64, eps=1e-5), Dropout(0.0)
    x, y = torch.full((5, 64), 3.0), torch.zeros(5, 64)
    assert_alike(lambda: [joined_norm(x, y, norm, dropout).detach()])


@compiled
@pytest.mark.parametrize(("outputs", "inputs"), [(192, 64), (64, 256), (32, 32), (96, 160)])
@pytest.mark.parametrize("rows", [1, 127, 128, 1000])
def test_gradients_of_a_linear_layer(outputs: int, inputs: int, rows: int, threads: int) -> None:
    gradient, x, weight = torch.randn(rows, outputs), torch.randn(rows, inputs), torch.randn(outputs, inputs)
    d_x, d_weight, d_bias = linear_backward(gradient, x, weight, kernels.library_for(x))
    assert torch.allclose(d_x.double(), gradient.double() @ weight.double(), atol=1e-6 * outputs)
    assert torch.allclose(d_weight.double(), gradient.double().t() @ x.double(), atol=1e-6 * rows)
    assert torch.allclose(d_bias.double(), gradient.double().sum(0), atol=1e-6 * rows)


@compiled
@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("rows", [1, 2048, 3000])
def test_layers(activation: str, rows: int) -> None:
    layer, feed_forward = nn.Linear(64, 192), FeedForward(64, 256, activation)  # type: ignore[arg-type]
    x, gradient = torch.randn(rows, 64, requires_grad=True), torch.randn(rows, 192)
    turned = torch.randn(64, rows, requires_grad=True)  # rows that do not lie in their order

    def run() -> list[Tensor]:
        found = []
        for given in (x, turned.t()):
            wide, narrow = linear(layer, given), feed_forward(given)
            asked = (given, *layer.parameters(), *feed_forward.parameters())
            loss = (wide * gradient).sum() + narrow.square().sum()
            found += [wide.detach(), narrow.detach(), *torch.autograd.grad(loss, asked)]
        return found

    assert_alike(run, 1e-5)


@compiled
@pytest.mark.parametrize("is_padded", [False, True])
def test_encoder_equals_a_naive_one(is_padded: bool) -> None:
    """Float32 with the compiled code against float64, one sequence and one head at a time (FACTS F6, F14)."""
    rows = some_rows(LENGTHS)
    items, offsets = flat(rows)
    exact, ours = a_model(50), a_model(50).float()
    one = naive.encode_one_padded if is_padded else naive.encode_one
    expected = (
        torch.stack([one(exact, row) for row in rows]) if is_padded else torch.cat([one(exact, row) for row in rows])
    )
    found = ours.encode_padded(items, offsets) if is_padded else ours.encode(items, offsets)
    assert torch.allclose(found.double(), expected, atol=2e-5)


@compiled
def test_who_computes_does_not_matter() -> None:
    """Attention and norms give the same bits with any number of threads."""
    layout, norm, dropout = layouts(50)["padded"], nn.LayerNorm(64), Dropout(0.5).train()
    attend = PackedAttention(2, 0.5).train()
    projected = torch.randn(layout.slots, 192, requires_grad=True)
    results = []
    before = torch.get_num_threads()
    for number in (1, 2, 5):
        torch.set_num_threads(number)
        torch.manual_seed(3)
        out = joined_norm(attend(projected, layout), projected[:, :64], norm, dropout)
        results.append((out, *torch.autograd.grad(out.square().sum(), (projected, norm.weight, norm.bias))))
    torch.set_num_threads(before)
    for others in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(results[0], others, strict=True))


@compiled
def test_a_run_that_goes_on_keeps_its_way() -> None:
    ours = kernels.name()
    try:
        assert kernels.choose("") == ours
        assert kernels.choose(PLAIN_KERNELS) == PLAIN_KERNELS == kernels.name()
        assert kernels.library_for(torch.zeros(1)) is None
        assert kernels.choose("compiled for another machine") == PLAIN_KERNELS
        assert kernels.choose(ours) == ours
        assert kernels.library_for(torch.zeros(1)) is not None
    finally:
        kernels.choose("")


@compiled
def test_other_numbers_are_left_to_pytorch() -> None:
    assert kernels.library_for(torch.zeros(1, dtype=torch.float64)) is None
    assert kernels.library_for(torch.zeros(1), torch.zeros(1, dtype=torch.bfloat16)) is None
    with kernels.plain():
        assert kernels.library_for(torch.zeros(1)) is None
        assert kernels.name() == PLAIN_KERNELS


@compiled
def test_a_library_of_another_time_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_INTERFACE", 0)
    assert kernels._found.__wrapped__() is None
    monkeypatch.undo()
    monkeypatch.setattr(kernels, "_openmp", lambda: None)
    assert kernels._found.__wrapped__() is None
