"""Each recommender against its equations, written for one user, one window, one item at a time (FACTS B2–B6)."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from engine import registry
from engine.models.bert4rec.module import Bert4Rec
from engine.models.bpr_mf.module import BprMf
from engine.models.caser.module import Caser
from engine.models.contract import Batch
from engine.models.gru4rec.module import Gru4Rec
from tests.engine.models.scored import scores_of
from tests.engine.modules.naive import gelu, norm

ITEMS, USERS = 11, 5
SEQUENCES = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [3, 3], [2, 9, 4, 1, 7]]


def options(name: str, **values: Any) -> Any:
    return registry.entry("model", name).options(**values)


def flat(sequences: list[list[int]]) -> tuple[Tensor, Tensor]:
    offsets = torch.tensor([0, *(len(s) for s in sequences)]).cumsum(0)
    return torch.tensor([item for s in sequences for item in s]), offsets


def randomised(model: Any, seed: int = 0) -> Any:
    """Weights so large that a wrong one shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5, generator=generator)
        if getattr(model.item_embedding, "padding_idx", None) == 0:
            model.item_embedding.weight[0].zero_()
    return model.eval()


class Listed:
    """Negatives that are given."""

    def __init__(self, items: list[int]) -> None:
        self.items = items

    def __call__(self, users: Tensor, _: torch.Generator) -> Tensor:
        assert len(users) == len(self.items)
        return torch.tensor(self.items)


def test_bpr_mf() -> None:
    model = randomised(BprMf(options("bpr_mf", hidden_size=6, embedding_decay=0.1), ITEMS, USERS))
    users, positives, negatives = [0, 3, 3], [2, 5, 7], [9, 1, 4]
    u, v = model.user_embedding.weight.detach(), model.item_embedding.weight.detach()
    expected = 0.0
    for user, i, j in zip(users, positives, negatives, strict=True):
        margin = float(sum(u[user, k] * v[i, k] for k in range(6)) - sum(u[user, k] * v[j, k] for k in range(6)))
        lengths = sum(float((row**2).sum()) for row in (u[user], v[i], v[j]))
        expected += -math.log(1 / (1 + math.exp(-margin))) + 0.1 * lengths
    targets = torch.tensor(positives)
    batch = Batch(torch.tensor(users), torch.arange(4), targets, targets, after=1)
    loss = model.loss(batch, Listed(negatives), torch.Generator()).item()
    assert loss == pytest.approx(expected / 3, rel=1e-5)
    scores = scores_of(model, *flat([[1], [2]]), torch.tensor([4, 0]))
    assert torch.allclose(scores, torch.stack((v @ u[4], v @ u[0])), atol=1e-5)


@pytest.mark.parametrize(("tied", "bias", "layers", "window"), [(False, True, 1, 0), (True, False, 2, 0), (0, 1, 1, 3)])
def test_gru4rec(tied: bool, bias: bool, layers: int, window: int) -> None:
    chosen = options("gru4rec", hidden_size=6, layers=layers, max_length=5, tied=tied, bias=bias, window=window)
    model = randomised(Gru4Rec(chosen, ITEMS))
    named = dict(model.gru.named_parameters())
    longest = window or 5

    def state(items: list[int]) -> Tensor:
        inputs = [model.item_embedding.weight[item] for item in items]
        for layer in range(layers):
            h, states = torch.zeros(6), []
            w, u = named[f"weight_ih_l{layer}"], named[f"weight_hh_l{layer}"]
            b, c = named[f"bias_ih_l{layer}"], named[f"bias_hh_l{layer}"]
            for x in inputs:
                a, e = w @ x + b, u @ h + c
                reset, update = torch.sigmoid(a[:6] + e[:6]), torch.sigmoid(a[6:12] + e[6:12])
                new = torch.tanh(a[12:] + reset * e[12:])
                h = (1 - update) * new + update * h
                states.append(h)
            inputs = states
        return inputs[-1]

    table = model.item_embedding.weight if tied else model.output_embedding.weight
    expected = [table @ state(s[-longest:]) + (model.output_bias if bias else 0) for s in SEQUENCES]
    items, offsets = flat(SEQUENCES)
    assert torch.allclose(scores_of(model, items, offsets), torch.stack(expected), atol=1e-5)
    # Every position of training is the state after the items so far.
    layout = model.packed(offsets, items)
    hidden = model.encode_slots(items, layout)[layout.token_slots()]
    prefixes = [s[-longest:][: end + 1] for s in SEQUENCES for end in range(len(s[-longest:]))]
    assert torch.allclose(hidden, torch.stack([state(prefix) for prefix in prefixes]), atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_caser(activation: str) -> None:
    chosen = options("caser", hidden_size=6, window=4, targets=2, vertical=3, horizontal=5, activation=activation)
    model = randomised(Caser(chosen, ITEMS, USERS))
    act = torch.relu if activation == "relu" else torch.tanh

    def encode(items: list[int], user: int) -> Tensor:
        padded = [0] * (4 - len(items[-4:])) + items[-4:]
        image = torch.stack([model.item_embedding.weight[item] for item in padded])  # [L, d]
        answers = []
        for f in range(3):  # a filter weighs the items, dimension by dimension
            answers.append(sum(model.vertical.weight[f, t] * image[t] for t in range(4)) + model.vertical.bias[f])
        for height, filters in enumerate(model.horizontal, 1):
            for f in range(5):  # slides over neighbouring items; its highest answer counts
                found = [
                    act((filters.weight[f].t() * image[t : t + height]).sum() + filters.bias[f])
                    for t in range(4 - height + 1)
                ]
                answers.append(torch.stack(found).max().view(1))
        z = act(model.dense.weight @ torch.cat(answers) + model.dense.bias)
        return torch.cat((z, model.user_embedding.weight[user]))

    users = [0, 1, 2, 3, 4]
    items, offsets = flat(SEQUENCES)
    expected = [
        (model.output_embedding.weight @ encode(s, user) + model.output_bias).detach()
        for s, user in zip(SEQUENCES, users, strict=True)
    ]
    with torch.no_grad():
        assert torch.allclose(scores_of(model, items, offsets, torch.tensor(users)), torch.stack(expected), atol=1e-5)

    targets = [[5, 6], [0, 2], [1, 1], [9, 8], [0, 0]]  # 0: there is none
    negatives = [[10, 4, 8], [7, 6, 5], [3, 2, 1], [4, 4, 4], [1, 2, 3]]
    right, wrong = [], []
    for row, scores in enumerate(expected):
        right += [-math.log(1 / (1 + math.exp(-float(scores[item])))) for item in targets[row] if item]
        wrong += [-math.log(1 - 1 / (1 + math.exp(-float(scores[item])))) for item in negatives[row]]
    batch = Batch(torch.tensor(users), offsets, items, torch.tensor(targets).view(-1), after=2)
    loss = model.loss(batch, Listed([item for row in negatives for item in row]), torch.Generator())
    assert loss.item() == pytest.approx(sum(right) / len(right) + sum(wrong) / len(wrong), rel=1e-5)


def test_bert4rec() -> None:
    model = randomised(Bert4Rec(options("bert4rec", hidden_size=8, layers=2, heads=2, max_length=6), ITEMS))
    table, places = model.item_embedding.weight, model.position_embedding.weight

    def encode(ids: list[int]) -> Tensor:
        ids = ids[-6:]
        n = len(ids)
        x = torch.stack([table[item] for item in ids]) + places[6 - n :]
        x = norm(x, model.embedding_norm.weight, model.embedding_norm.bias)
        for block in model.encoder.blocks:
            joint = block.attention.query_key_value
            query, key, value = (x @ joint.weight.t() + joint.bias).chunk(3, 1)
            contexts = []
            for head in (slice(0, 4), slice(4, 8)):
                rows = []
                for q in range(n):  # every item sees every item
                    weights = torch.stack([query[q, head] @ key[k, head] / 2 for k in range(n)]).exp()
                    rows.append(sum(weights[k] / weights.sum() * value[k, head] for k in range(n)))
                contexts.append(torch.stack(rows))
            attended = torch.cat(contexts, 1) @ block.attention.dense.weight.t() + block.attention.dense.bias
            x = norm(x + attended, block.attention_norm.weight, block.attention_norm.bias)
            wide = gelu(x @ block.feed_forward.widen.weight.t() + block.feed_forward.widen.bias)
            narrow = wide @ block.feed_forward.narrow.weight.t() + block.feed_forward.narrow.bias
            x = norm(x + narrow, block.output_norm.weight, block.output_norm.bias)
        return x

    def scores(hidden: Tensor) -> Tensor:
        head = norm(gelu(model.head.weight @ hidden + model.head.bias), model.head_norm.weight, model.head_norm.bias)
        return table @ head + model.output_bias

    with torch.no_grad():
        items, offsets = flat(SEQUENCES)
        expected = torch.stack([scores(encode([*s, ITEMS + 1])[-1]) for s in SEQUENCES])
        assert torch.allclose(scores_of(model, items, offsets), expected, atol=1e-5, rtol=1e-5)
        layout = model.packed(offsets, items)
        hidden = model.encode_slots(items, layout)[layout.token_slots()]
        assert torch.allclose(hidden, torch.cat([encode(s) for s in SEQUENCES]), atol=1e-5)
