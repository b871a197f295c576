"""The Transformer encoder of SASRec, CL4SRec and CoSeRec (§3.2, FACTS F6): options and announcement, without torch."""

from __future__ import annotations

from typing import Literal

from engine.models.heads import HeadedOptions
from engine.registry import register, setting


class TransformerOptions(HeadedOptions):
    """Options of the encoder."""

    hidden_size: int = setting(
        64,
        ge=1,
        le=4096,
        help="Width of embeddings and hidden states.",
        source="§5.1.4",
        symbol="d",
        label="Hidden size",
    )
    layers: int = setting(2, ge=1, le=64, help="Self-attention blocks.", source="§5.1.4", label="Blocks")
    heads: int = setting(
        2, ge=1, le=64, help="Attention heads; must divide the hidden size.", source="§5.1.4", label="Heads"
    )
    max_length: int = setting(
        50,
        ge=1,
        le=10_000,
        help="Longest input; older items are dropped.",
        source="§5.1.4",
        label="Longest input",
        unit="items",
    )
    dropout: float = setting(
        0.5,
        ge=0,
        lt=1,
        help="Dropout of hidden states and attention.",
        source="§5.1.4, the authors' code",
        label="Dropout",
    )
    feed_forward: int = setting(
        4,
        ge=1,
        le=64,
        help="Width of the feed-forward layer, in hidden sizes.",
        source="§5.1.4, the authors' code",
        label="Feed-forward width",
        unit="× d",
        advanced=True,
    )
    activation: Literal["gelu", "relu"] = setting(
        "gelu",
        help="Activation of the feed-forward layer.",
        source="§5.1.4, the authors' code",
        label="Activation",
        advanced=True,
        choices={"gelu": "GELU", "relu": "ReLU"},
    )
    initializer_range: float = setting(
        0.02,
        gt=0,
        le=10,
        help="Standard deviation of the initial weights.",
        source="§5.1.4, the authors' code",
        label="Initial deviation",
        advanced=True,
    )
    layer_norm_eps: float = setting(
        1e-12,
        gt=0,
        le=1,
        help="Added to the variance in LayerNorm.",
        source="§5.1.4, the authors' code",
        label="LayerNorm ε",
        advanced=True,
    )


register(
    "model",
    "transformer",
    label="Transformer (SASRec, CL4SRec, CoSeRec)",
    help="Causal self-attention over the user's items; with views and λ > 0 it is CoSeRec.",
    options=TransformerOptions,
    target="engine.models.transformer.module:Transformer",
    trains=True,
    task="next_item",
    views=True,
    padded=True,
    hides=True,
    captures=True,
)
