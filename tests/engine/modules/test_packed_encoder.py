"""The packed and the padded encoder equal a naive one, forward and backward (FACTS F6, F10, F14)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.data.sequences import Sequences
from engine.models.transformer.module import Transformer
from engine.models.transformer.options import TransformerOptions
from engine.modules.layout import packed_layout, padded_layout
from tests.engine.modules import naive

ITEMS = 40


def a_model(max_length: int = 50, *, seed: int = 1, hide: bool = False, padding_row: str = "random") -> Transformer:
    options = TransformerOptions(hidden_size=12, heads=3, layers=2, max_length=max_length, initializer_range=0.5)
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(
        options,
        ITEMS,
        padding_row=padding_row,
        hide_padding_items=hide,
        generator=generator,  # type: ignore[arg-type]
    ).double()
    for parameter in model.parameters():  # biases and norms away from 0 and 1, so that a swapped one shows
        if parameter.dim() == 1:
            with torch.no_grad():
                parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.3)
    return model.eval()


def some_rows(lengths: list[int], *, zeros: float = 0.0, seed: int = 3) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(1, ITEMS + 2, (length,), generator=generator) for length in lengths]
    return [(row * (torch.rand(len(row), generator=generator) >= zeros)).tolist() for row in rows]


def flat(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    ragged = Sequences.from_lists(rows)
    return torch.from_numpy(ragged.items).long(), torch.from_numpy(ragged.offsets)


def outputs_and_gradients(model: Transformer, outputs: Callable[[], Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    model.zero_grad()
    result = outputs()
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(9), dtype=result.dtype)
    (result * weights).sum().backward()
    return result.detach(), {name: value.grad.clone() for name, value in model.named_parameters()}  # type: ignore


def assert_same(model: Transformer, ours: Callable[[], Tensor], theirs: Callable[[], Tensor]) -> None:
    result, gradients = outputs_and_gradients(model, ours)
    expected, expected_gradients = outputs_and_gradients(model, theirs)
    assert torch.allclose(result, expected, atol=1e-9)
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, expected_gradients[name], atol=1e-8), name


LENGTHS = [1, 2, 50, 51, 3, 3, 1, 80, 9, 27, 2, 50, 13, 4]


@pytest.mark.parametrize("max_length", [50, 7, 1, 64])
def test_packed_encoder_equals_one_sequence_at_a_time(max_length: int) -> None:
    model, rows = a_model(max_length), some_rows(LENGTHS)
    items, offsets = flat(rows)
    assert_same(
        model,
        lambda: model.encode(items, offsets),
        lambda: torch.cat([naive.encode_one(model, row) for row in rows]),
    )


@pytest.mark.parametrize("seed", range(5))
def test_packed_encoder_on_random_batches(seed: int) -> None:
    lengths = torch.randint(1, 60, (20,), generator=torch.Generator().manual_seed(seed)).tolist()
    model, rows = a_model(seed=seed), some_rows(lengths, seed=seed)
    items, offsets = flat(rows)
    assert_same(
        model,
        lambda: model.encode(items, offsets),
        lambda: torch.cat([naive.encode_one(model, row) for row in rows]),
    )


def test_packed_encoder_hides_padding_ids_and_lets_a_blind_query_see_its_whole_sequence() -> None:
    model = a_model(hide=True)
    rows = [*some_rows(LENGTHS, zeros=0.6), [0], [0, 0, 5], [0, 0, 0, 0], [4, 0, 0]]
    items, offsets = flat(rows)
    assert_same(
        model,
        lambda: model.encode(items, offsets),
        lambda: torch.cat([naive.encode_one(model, row, hide_zero=True) for row in rows]),
    )


@pytest.mark.parametrize("zeros", [0.0, 0.7])
def test_padded_encoder_equals_the_published_behaviour(zeros: float) -> None:
    model = a_model(20, hide=True)
    rows = [*some_rows([1, 2, 19, 20, 21, 30, 7], zeros=zeros), [0, 0], [0, 7]]
    items, offsets = flat(rows)
    assert_same(
        model,
        lambda: model.encode_padded(items, offsets),
        lambda: torch.stack([naive.encode_one_padded(model, row) for row in rows]),
    )


def test_real_positions_of_the_padded_encoder_are_those_of_the_packed_one() -> None:
    model, rows = a_model(20), some_rows([1, 5, 20, 25])
    items, offsets = flat(rows)
    padded, packed = model.encode_padded(items, offsets), model.encode(items, offsets)
    real = torch.cat([padded[i, -min(len(row), 20) :] for i, row in enumerate(rows)])
    assert torch.allclose(real, packed, atol=1e-9)


def test_padding_row_is_zero_or_a_random_constant_that_never_learns() -> None:
    assert not a_model(padding_row="zero").item_embedding.weight[0].any()
    model = a_model(20, padding_row="random")
    assert model.item_embedding.weight[0].abs().min() > 0
    items, offsets = flat(some_rows([3, 4]))
    model.encode_padded(items, offsets).sum().backward()
    gradient = model.item_embedding.weight.grad
    assert gradient is not None
    assert not gradient[0].any()
    assert gradient[items].any()


def test_last_is_the_last_tokens_hidden_state_and_zero_for_an_empty_sequence() -> None:
    model, rows = a_model(), [[3, 4, 5], [], [7]]
    items, offsets = flat(rows)
    last = model.last(items, offsets)
    assert torch.allclose(last[0], naive.encode_one(model, rows[0])[-1], atol=1e-9)
    assert torch.allclose(last[2], naive.encode_one(model, rows[2])[-1], atol=1e-9)
    assert not last[1].any()
    assert model.last(*flat([[], []])).shape == (2, 12)
    assert model.last(*flat([])).shape == (0, 12)


def test_packed_layout_is_mostly_real_tokens_and_right_aligned() -> None:
    lengths = [2, 3, 5, 8, 13, 21, 34, 55] * 20
    offsets = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()])
    layout = packed_layout(offsets, 50)
    assert int(layout.is_real.sum()) == sum(min(length, 50) for length in lengths)
    assert layout.slots < 1.15 * sum(min(length, 50) for length in lengths)
    assert (layout.position[layout.last_slots()] == 49).all()
    assert layout.token[layout.last_slots()].tolist() == (offsets[1:] - 1).tolist()
    assert padded_layout(offsets, 50).slots == 160 * 50


def test_gradients_of_attention_agree_with_finite_differences() -> None:
    model = a_model(6)
    attention = model.encoder.blocks[0].attention
    layout = packed_layout(torch.tensor([0, 2, 5, 6, 12]), 6)
    x = torch.randn(layout.slots, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    x.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda value: attention(value, layout), (x,))


@pytest.mark.parametrize("is_padded", [False, True])
@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("p", [0.2, 0.5])
def test_gradients_of_attention_with_dropout_agree_with_finite_differences(
    p: float, *, hides: bool, is_padded: bool
) -> None:
    """The same masks in every pass; several groups, keys that are hidden, and queries that are left with none."""
    attention = a_model(6).encoder.blocks[0].attention.train()
    attention.attend.dropout.p = p
    offsets = torch.tensor([0, 2, 5, 6, 12])
    hidden = torch.tensor([0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0]).bool() if hides else None
    layout = (padded_layout if is_padded else packed_layout)(offsets, 6, hidden_items=hidden)
    rows = max(group.start + group.count * group.length for group in layout.groups)  # idle ones have no gradient
    x = torch.randn(rows, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_(True)

    def thinned(value: Tensor) -> Tensor:
        torch.manual_seed(11)
        return attention(value, layout)

    assert not torch.equal(thinned(x), attention.eval()(x, layout))
    attention.train()
    assert torch.autograd.gradcheck(thinned, (x,))


def test_attention_of_no_slot_has_no_gradient() -> None:
    attention = a_model(6).encoder.blocks[0].attention
    x = torch.zeros(0, 12, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(attention(x, packed_layout(torch.tensor([0]), 6)).sum(), x)
    assert gradient.shape == (0, 12)
