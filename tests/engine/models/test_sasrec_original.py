"""SASRec's original form against its equations, read from its authors' code: one user at a time, with all its padding.

Whatever is written here with padding and masks must come out of the packed model, which has neither.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.config import ExperimentConfig, preset
from engine.losses.bce.loss import bce
from engine.losses.weights import token_weights
from engine.models.sasrec_original.module import Block, OriginalSasRec
from engine.models.sasrec_original.options import OriginalSasRecOptions
from engine.modules import kernels
from engine.modules.attention import watched
from tests.engine.models.scored import scores_of
from tests.engine.models.test_equations import flat, randomised
from tests.engine.modules.naive import norm

ITEMS, LONGEST, EPS = 11, 6, 1e-8
SEQUENCES = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11, 1], [3, 3], [2, 9, 4, 1, 7]]
WITH_HOLES = [[0, 2, 0, 3], [0], [5, 0, 0, 8, 9, 10, 0], [3, 0], [0, 0, 4]]


def a_model(*, heads: int = 1, hide: bool = False, dtype: torch.dtype | None = None) -> OriginalSasRec:
    options = OriginalSasRecOptions(hidden_size=8, heads=heads, max_length=LONGEST)
    made: OriginalSasRec = randomised(OriginalSasRec(options, ITEMS, hide_padding_items=hide, dtype=dtype))
    return made


def attention(block: Block, queries: Tensor, x: Tensor, heads: int, mask: float) -> Tensor:
    """queries, x [L, d] → [L, d]: a key whose row is zero is hidden, and so is every later one."""
    size, length = x.shape[1], x.shape[0]
    width = size // heads
    key_weight, value_weight = block.key_value.weight.split(size)
    key_bias, value_bias = block.key_value.bias.split(size)
    query = queries @ block.query.weight.t() + block.query.bias
    key, value = x @ key_weight.t() + key_bias, x @ value_weight.t() + value_bias
    parts = []
    for head in (slice(begin, begin + width) for begin in range(0, size, width)):
        rows = []
        for q in range(length):
            seen = [k for k in range(q + 1) if x[k].detach().abs().sum() > 0] or list(range(length))
            weights = torch.stack([query[q, head] @ key[k, head] / math.sqrt(width) for k in seen]).softmax(0)
            rows.append(sum(weights[i] * mask * value[k, head] for i, k in enumerate(seen)))
        parts.append(torch.stack(rows))
    return torch.cat(parts, 1)


def encode(model: OriginalSasRec, ids: list[int], heads: int = 1, mask: float = 1.0) -> Tensor:
    """One user's hidden states with padding in front, [LONGEST, d]; ``mask`` is what dropout multiplies with."""
    ids = [0] * (LONGEST - len(ids)) + ids[-LONGEST:]
    real = torch.tensor([[float(item != 0)] for item in ids])
    # The padding row never learns.
    rows = torch.stack([model.item_embedding.weight[item] * (item != 0) for item in ids])
    x = (rows * math.sqrt(rows.shape[1]) + model.position_embedding.weight) * mask * real
    for block in model.blocks:
        assert isinstance(block, Block)
        queries = norm(x, block.query_norm.weight, block.query_norm.bias, EPS)
        x = queries + attention(block, queries, x, heads, mask)
        y = norm(x, block.feed_norm.weight, block.feed_norm.bias, EPS)
        inner = torch.relu(y @ block.first.weight.t() + block.first.bias) * mask
        x = (y + (inner @ block.second.weight.t() + block.second.bias) * mask) * real
    return norm(x, model.output_norm.weight, model.output_norm.bias, EPS)


def encode_all(model: OriginalSasRec, sequences: list[list[int]], heads: int = 1, mask: float = 1.0) -> Tensor:
    """Hidden states of the kept tokens alone, sequence by sequence, [T, d]."""
    return torch.cat([encode(model, ids, heads, mask)[-min(len(ids), LONGEST) :] for ids in sequences])


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("sequences", [SEQUENCES, WITH_HOLES], ids=["real", "hidden"])
def test_packed_states_are_those_of_the_padded_equations(sequences: list[list[int]], heads: int) -> None:
    model = a_model(heads=heads, hide=sequences is WITH_HOLES)
    items, offsets = flat(sequences)
    layout = model.packed(offsets, items)
    hidden = model.encode_slots(items, layout)[layout.token_slots()]
    assert torch.allclose(hidden, encode_all(model, sequences, heads), atol=1e-5)
    expected = torch.stack([encode(model, ids, heads)[-1] @ model.item_embedding.weight.t() for ids in sequences])
    assert torch.allclose(scores_of(model, items, offsets), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sequences", [SEQUENCES, WITH_HOLES], ids=["real", "hidden"])
def test_loss_and_gradients_are_those_of_the_padded_equations(sequences: list[list[int]]) -> None:
    model = a_model(hide=sequences is WITH_HOLES)
    items, offsets = flat(sequences)
    layout = model.packed(offsets, items)
    table = model.output_table()
    states = model.encode_slots(items, layout)[layout.token_slots()]
    candidates = torch.randint(1, ITEMS + 1, (2, len(states)), generator=torch.Generator().manual_seed(4))
    ours = bce(model.outputs(states), candidates, table, token_weights(states))
    right, wrong = ((encode_all(model, sequences) * table[row]).sum(1).sigmoid() for row in candidates)
    theirs = (-right.log() - (1 - wrong).log()).mean()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    named = dict(model.named_parameters())
    gradients = (torch.autograd.grad(loss, list(named.values())) for loss in (ours, theirs))
    for name, one, other in zip(named, *gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-5), name


def test_two_items_by_arithmetic() -> None:
    """d = 4, one block, ε ≈ 0, and no positions but a tiny first one: the first item's row is 0, and still a key.

    x₂ = √4 · (1, 1, −1, −1); q₂ = LayerNorm(x₂) = (1, 1, −1, −1). With W_Q = ln 3 / 4 · I and W_K = I the second key
    scores ln 3 / 4 · 8 / √4 = ln 3 and the first 0: weights ¾ and ¼. W_V takes x₂ to (8/3, 0, 0, −8/3), so attention
    gives (2, 0, 0, −2), and q₂ + that (3, 1, −1, −3), normalised y = (3, 1, −1, −3) / √5. With W₁ = √5 · I the ReLU
    leaves (3, 1, 0, 0); W₂ = diag(−2/3, 2, ·, ·) / √5 makes y + … = (1, 3, −1, −3) / √5, which LayerNorm leaves.
    """
    options = OriginalSasRecOptions(hidden_size=4, layers=1, max_length=2, layer_norm_eps=1e-30)
    model = OriginalSasRec(options, 3).eval()
    block = model.blocks[0]
    assert isinstance(block, Block)
    eye = torch.eye(4)
    with torch.no_grad():
        model.item_embedding.weight.copy_(torch.tensor([0, 0, 1, 1, 0]).view(5, 1) * torch.tensor([1.0, 1, -1, -1]))
        model.item_embedding.weight[3] = torch.tensor([0, math.sqrt(5), 0, 0])
        model.position_embedding.weight.zero_()
        model.position_embedding.weight[0, 0] = 1e-12
        block.query.weight.copy_(eye * math.log(3) / 4)
        value = torch.zeros(4, 4)
        value[0, 0], value[3, 3] = 4 / 3, 4 / 3
        block.key_value.weight.copy_(torch.cat((eye, value)))
        block.first.weight.copy_(eye * math.sqrt(5))
        block.second.weight.copy_(torch.diag(torch.tensor([-2 / 3, 2, 7, 7])) / math.sqrt(5))
    items, offsets = torch.tensor([1, 2]), torch.tensor([0, 2])
    query = model.queries(items, offsets)[0].detach()
    assert query.tolist() == pytest.approx([value / math.sqrt(5) for value in (1, 3, -1, -3)], abs=1e-5)
    assert scores_of(model, items, offsets)[0].tolist() == pytest.approx([0, 0, 8 / math.sqrt(5), 3, 0], abs=1e-5)
    seen = []
    with torch.no_grad(), watched(model, lambda _, softmaxes: seen.append(softmaxes[0][0, 0, 1].tolist())) as layers:
        model.queries(items, offsets)
    assert layers == 1
    assert seen == [pytest.approx([0.25, 0.75])]


def test_initial_weights_are_glorots_and_biases_zero() -> None:
    model = OriginalSasRec(OriginalSasRecOptions(), 2000, generator=torch.Generator().manual_seed(1))
    for name, value in model.state_dict().items():
        if name.endswith("bias"):
            assert not value.any(), name
        elif "norm" in name:
            assert (value == 1).all(), name
        else:
            rows = 50 if name.endswith("key_value.weight") else value.shape[0]  # keys and values each their own
            bound = math.sqrt(6 / (rows + 50))
            assert 0.95 * bound < float(value.abs().max()) <= bound, name
            assert float(value.std()) == pytest.approx(bound / math.sqrt(3), rel=0.05), name
    assert not model.item_embedding.weight[0].any()


def test_dropout_has_the_places_of_the_authors_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mask a half, so that a place too many or too few shows."""

    def halves(shape: tuple[int, ...], p: float, *, device: torch.device, dtype: torch.dtype) -> Tensor:
        assert p == 0.5
        return torch.full(shape, 0.5, device=device, dtype=dtype)

    monkeypatch.setattr("engine.modules.dropout.dropout_mask", halves)
    monkeypatch.setattr("engine.modules.attention.dropout_mask", halves)
    model = a_model().train()
    items, offsets = flat(SEQUENCES)
    layout = model.packed(offsets, items)
    with kernels.plain():  # the compiled code draws the same masks as `dropout_mask`, but not by it
        hidden = model.encode_slots(items, layout)[layout.token_slots()]
    assert torch.allclose(hidden, encode_all(model, SEQUENCES, mask=0.5), atol=1e-5)
    assert not torch.allclose(hidden, encode_all(model, SEQUENCES), atol=0.1)


def test_bfloat16_is_near_and_gives_float32() -> None:
    items, offsets = flat(SEQUENCES)
    whole, half = (a_model(dtype=dtype).queries(items, offsets) for dtype in (None, torch.bfloat16))
    assert half.dtype == torch.float32
    assert not torch.equal(whole, half)
    assert (whole - half).norm() / whole.norm() < 0.03


def test_a_user_without_items_gives_zero() -> None:
    model = a_model()
    assert not model.queries(torch.tensor([], dtype=torch.int64), torch.tensor([0, 0])).any()
    some = model.queries(torch.tensor([4]), torch.tensor([0, 0, 1]))
    assert not some[0].any()
    assert torch.allclose(some[1], model.queries(torch.tensor([4]), torch.tensor([0, 1]))[0], atol=1e-6)


def test_the_preset_has_the_sources_settings() -> None:
    found = preset("sasrec-paper")
    config: ExperimentConfig = found.config
    model = OriginalSasRec.from_config(config, ITEMS)
    assert found.system == "SASRec"
    assert (model.item_embedding.embedding_dim, len(model.blocks), model.max_length) == (50, 2, 50)
    train = config.train
    assert (train.batch_size, train.learning_rate, train.beta1, train.beta2) == (128, 0.001, 0.9, 0.98)
    assert (train.epochs, train.patience, train.weight_decay) == (201, 20, 0)
    assert (config.loss.next_item, config.loss.contrastive_weight) == ("bce", 0)
    assert not model.hide_padding_items
    assert OriginalSasRec.from_config(config.replace({"fidelity.mask_token": "padding"}), ITEMS).hide_padding_items
