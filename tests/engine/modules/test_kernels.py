"""The compiled inner loops equal PyTorch's own operations, dropout masks included, and naive ones in float64."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.modules import kernels
from engine.modules.attention import PackedAttention
from engine.modules.dropout import Dropout
from engine.modules.encoder import EncoderBlock
from engine.modules.kernels import attention as attention_kernel
from engine.modules.kernels import feed_forward as feed_forward_kernel
from engine.modules.kernels import linear as linear_kernel
from engine.modules.kernels import norm as norm_kernel
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


ATTENTION = {"attend", "attend_backward"}
NORMS = {"norm", "norm_backward"}
LAYERS = {"feed_forward", "feed_forward_backward", "linear_backward"}


class Watched:
    """The library, and which of its functions were called."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if not name.endswith(("_scratch", "_shares")):
            self.called.add(name.removeprefix("coserec_"))
        return getattr(self._library, name)


@contextmanager
def watched() -> Iterator[Watched]:
    found = kernels._found()
    assert found is not None
    library = Watched(found[1])
    with mock.patch.object(kernels, "_found", return_value=(found[0], library)):
        yield library


def assert_alike(run: Callable[[], list[Tensor]], calls: set[str], tolerance: float = 2e-6) -> None:
    """``run`` gives the same numbers, to float32's rounding, by these compiled functions and by none, and with the
    same randomness."""
    results = []
    for way, expected in ((nullcontext(), calls), (kernels.plain(), set())):
        with way, watched() as library:
            torch.manual_seed(7)
            results.append(run())
            assert library.called == expected
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

        assert_alike(run, ATTENTION)


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

    assert_alike(run, NORMS, 5e-6)


@compiled
@pytest.mark.parametrize("size", [50, 64, 128])
def test_rows_without_any_spread_are_normalised_to_the_bias(size: int) -> None:
    """Their mean is rounded (1000.1 times 50, by 50), and the published eps hides nothing of it."""
    norm, dropout = nn.LayerNorm(size, eps=1e-12), Dropout(0.0)
    nn.init.constant_(norm.bias, 0.25)
    x = torch.full((5, size), 1000.1, requires_grad=True)
    with watched() as library:
        out = joined_norm(x, torch.zeros(5, size), norm, dropout)
        assert library.called == {"norm"}
    assert torch.equal(out, torch.full_like(out, 0.25))
    out.sum().backward()
    assert torch.equal(norm.weight.grad, torch.zeros(size))  # type: ignore[arg-type]


@compiled
def test_rows_that_a_table_does_not_have() -> None:
    items, positions, norm = nn.Embedding(30, 64, padding_idx=0), nn.Embedding(9, 64), nn.LayerNorm(64)
    fine = torch.tensor([0, 29]), torch.tensor([8, 0])
    for chosen, places in ((torch.tensor([0, 30]), fine[1]), (torch.tensor([-1, 1]), fine[1]), (fine[0], fine[0])):
        for way in (nullcontext(), kernels.plain()):
            with way, pytest.raises(IndexError):
                embedded_norm(items, chosen, positions, places, norm, Dropout(0.0))
    by_int32 = embedded_norm(items, fine[0].int(), positions, fine[1].int(), norm, Dropout(0.0))
    assert torch.allclose(by_int32, embedded_norm(items, *fine[:1], positions, fine[1], norm, Dropout(0.0)), atol=1e-6)


@compiled
@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("part", ["query_key_value.weight", "query_key_value.bias", "widen.weight", "widen.bias"])
def test_what_is_no_number_stays_none(activation: str, part: str) -> None:
    """A training that has diverged must show it."""
    block = EncoderBlock(64, 2, feed_forward=4, dropout=0.0, activation=activation, eps=1e-12, dtype=None)  # type: ignore[arg-type]
    layout = packed_layout(torch.tensor([0, 3, 8]), 50)
    parameters = dict(block.named_parameters())
    (name,) = (name for name in parameters if name.endswith(part))
    with torch.no_grad():
        parameters[name].view(-1)[0] = torch.nan  # of a query, where it is attention's
    out = block(torch.randn(layout.slots, 64), layout)
    assert out[layout.is_real].isnan().all()
    out.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isnan().any() for weight in parameters.values())


@compiled
def test_scores_that_overflow_are_no_numbers() -> None:
    layout = packed_layout(torch.tensor([0, 4]), 50)
    projected = torch.full((layout.slots, 192), 1e25)
    for way in (nullcontext(), kernels.plain()):
        with way:
            assert PackedAttention(2, 0.0)(projected, layout)[layout.is_real].isnan().all()


@compiled
def test_without_a_backward_pass_nothing_wide_is_kept() -> None:
    """Under ``no_grad`` the inner width is never whole in memory: C is told of none, PyTorch's blocks are let go."""
    feed_forward, x = FeedForward(64, 256), torch.randn(3000, 64)
    with torch.no_grad():
        without = feed_forward(x)
    assert torch.equal(without, feed_forward(x).detach())
    with torch.no_grad(), kernels.plain(), mock.patch("torch.autograd.function.FunctionCtx.save_for_backward") as saved:
        feed_forward(x)
    assert len(saved.call_args.args) == 3, "x and the weights"


@compiled
def test_no_second_derivative_is_made_up() -> None:
    x = torch.randn(4, 64, requires_grad=True)
    out = joined_norm(x, x, nn.LayerNorm(64), Dropout(0.0))
    (gradient,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@compiled
def test_masks_and_weights_that_are_turned() -> None:
    """A mask is put in order before it is handed over; a turned weight is PyTorch's."""
    layout = packed_layout(torch.tensor([0, 20]), 50)
    (group,) = layout.groups
    turned = replace(layout, groups=(replace(group, hidden=group.hidden.t().contiguous().t()),))
    projected, attend = torch.randn(layout.slots, 192), PackedAttention(2, 0.0)
    assert torch.equal(attend(projected, turned), attend(projected, layout))
    feed_forward = FeedForward(64, 256)
    feed_forward.widen.weight = nn.Parameter(torch.randn(64, 256).t())
    x = torch.randn(9, 64)
    with watched() as library:
        found = feed_forward(x)
        assert library.called == set()
    assert torch.allclose(found, feed_forward.narrow(nn.functional.gelu(feed_forward.widen(x))), atol=1e-4)


@compiled
def test_both_languages_mean_the_same() -> None:
    library = kernels._found()[1]  # type: ignore[index]
    jobs = {
        "coserec_norm_job": ctypes.sizeof(norm_kernel._Job),
        "coserec_linear_job": ctypes.sizeof(linear_kernel._Job),
        "coserec_feed_forward_job": ctypes.sizeof(feed_forward_kernel._Job),
        "coserec_attention_job": ctypes.sizeof(attention_kernel._Job),
        "coserec_attention_group": ctypes.sizeof(attention_kernel._Group),
        "coserec_norm_rows_at_once": norm_kernel.ROWS_AT_ONCE,
        "coserec_norm_widest": norm_kernel.WIDEST,
    }
    assert {name: getattr(library, name)() for name in jobs} == jobs


@compiled
def test_the_build_for_avx2_does_the_same() -> None:
    """A process that is told its processor had no more than AVX2 takes that build, and gets the same numbers."""
    code = (
        "import sys, torch; from engine.modules import kernels; from engine.modules.attention import PackedAttention;"
        "from engine.modules.layout import padded_layout; from engine.modules.linear import FeedForward;"
        "torch.manual_seed(1); layout = padded_layout(torch.tensor([0, 3, 8]), 20);"
        "out = PackedAttention(2, 0.5).train()(torch.randn(layout.slots, 192), layout);"
        "print(kernels.name()); print(float(out.square().sum()), float(FeedForward(64, 256)(out).square().sum()))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[3],
        ).stdout.splitlines()
        for more in ({}, {"ATEN_CPU_CAPABILITY": "avx2"})
    ]
    assert told[1][0].startswith("compiled for AVX2,")
    assert np.allclose(*([float(value) for value in lines[1].split()] for lines in told), rtol=1e-5)


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
@pytest.mark.parametrize(("rows", "width"), [(1, 256), (2048, 256), (3000, 256), (130, 32), (500, 64)])
def test_layers(activation: str, rows: int, width: int, threads: int) -> None:
    layer, feed_forward = nn.Linear(64, 192), FeedForward(64, width, activation)  # type: ignore[arg-type]
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

    assert_alike(run, LAYERS, 1e-5)


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
    with watched() as library:
        found = ours.encode_padded(items, offsets) if is_padded else ours.encode(items, offsets)
        assert library.called == {"attend", "norm"}  # its width has no whole panels
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
    monkeypatch.setattr(kernels, "_VERSION", 0)
    assert kernels._found.__wrapped__() is None
    monkeypatch.setattr(kernels, "_found", lambda: None)
    assert "install it again" in kernels.complaint()
    monkeypatch.setattr(kernels, "_builds", list)
    assert not kernels.complaint(), "there is nothing that could be of another version"
    monkeypatch.undo()
    monkeypatch.setattr(kernels, "_openmp", lambda: None)
    assert kernels._found.__wrapped__() is None
