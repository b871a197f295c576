"""The encoder written from its equations, one sequence and one head at a time: what the packed one must equal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.models.transformer.module import Transformer


def norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-12) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def blocks(model: Transformer, x: Tensor, mask: Tensor) -> Tensor:
    """x [L, d], additive mask [L, L] → [L, d], from the weights under their published names."""
    names = {name: value for name, value in live_views(model).items() if name.startswith("item_encoder")}
    heads = model.encoder.blocks[0].attention.heads
    width = x.shape[1] // heads
    for layer in range(len(model.encoder.blocks)):

        def linear(name: str, value: Tensor, stem: str = f"item_encoder.layer.{layer}") -> Tensor:
            return value @ names[f"{stem}.{name}.weight"].t() + names[f"{stem}.{name}.bias"]

        stem = f"item_encoder.layer.{layer}"
        query, key, value = (linear(f"attention.{part}", x) for part in ("query", "key", "value"))
        contexts = []
        for head in range(heads):
            own = slice(head * width, (head + 1) * width)
            scores = query[:, own] @ key[:, own].t() / math.sqrt(width) + mask
            contexts.append(torch.softmax(scores, -1) @ value[:, own])
        attended = linear("attention.dense", torch.cat(contexts, -1))
        x = norm(
            x + attended,
            names[f"{stem}.attention.LayerNorm.weight"],
            names[f"{stem}.attention.LayerNorm.bias"],
        )
        inner = linear("intermediate.dense_2", gelu(linear("intermediate.dense_1", x)))
        x = norm(
            x + inner, names[f"{stem}.intermediate.LayerNorm.weight"], names[f"{stem}.intermediate.LayerNorm.bias"]
        )
    return x


def live_views(model: Transformer) -> dict[str, Tensor]:
    """Published names → values that autograd follows back to the model's parameters."""
    values = dict(model._published_views())
    for layer, block in enumerate(model.encoder.blocks):
        joint = block.attention.query_key_value
        stem = f"item_encoder.layer.{layer}.attention"
        for part, weight, bias in zip(
            ("query", "key", "value"), joint.weight.chunk(3), joint.bias.chunk(3), strict=True
        ):
            values[f"{stem}.{part}.weight"], values[f"{stem}.{part}.bias"] = weight, bias
    return values


def embed(model: Transformer, ids: list[int], positions: list[int]) -> Tensor:
    table, places = model.item_embedding.weight, model.position_embedding.weight
    rows = [table[item] if item else table[0].detach() for item in ids]  # the padding row never learns
    x = torch.stack(rows) + places[torch.tensor(positions)]
    return norm(x, model.embedding_norm.weight, model.embedding_norm.bias)


def encode_one(model: Transformer, ids: list[int], *, hide_zero: bool = False) -> Tensor:
    """One sequence on its own, real tokens only: [min(len, L), d]."""
    longest = model.max_length
    ids = ids[-longest:]
    n = len(ids)
    mask = torch.zeros(n, n, dtype=model.item_embedding.weight.dtype)
    for query in range(n):
        seen = [key for key in range(query + 1) if not (hide_zero and ids[key] == 0)]
        if seen:
            for key in range(n):
                if key not in seen:
                    mask[query, key] = -1e9
    return blocks(model, embed(model, ids, list(range(longest - n, longest))), mask)


def encode_one_padded(model: Transformer, ids: list[int]) -> Tensor:
    """One sequence as the published code sees it (FACTS F14): [L, d]. Zeros, padding or masked, get −10 000."""
    longest = model.max_length
    padded = [0] * (longest - len(ids)) + ids[-longest:]
    mask = torch.zeros(longest, longest, dtype=model.item_embedding.weight.dtype)
    for query in range(longest):
        for key in range(longest):
            if key > query or padded[key] == 0:
                mask[query, key] = -10_000.0
    return blocks(model, embed(model, padded, list(range(longest))), mask)
