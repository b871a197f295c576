"""SASRec in its original form (Kang and McAuley 2018; FACTS B5): options and announcement, without torch."""

from __future__ import annotations

from engine.models.heads import HeadedOptions
from engine.registry import register, setting

_SOURCE = "Kang and McAuley 2018, §IV"
_NO_PADDING = "In SASRec's original form padding is zero after every block and takes no part."


class OriginalSasRecOptions(HeadedOptions):
    """Options of SASRec's original form; the defaults are its source's, for the Amazon data sets."""

    hidden_size: int = setting(
        50,
        ge=1,
        le=4096,
        help="Width of embeddings and hidden states.",
        source=_SOURCE,
        symbol="d",
        label="Hidden size",
    )
    layers: int = setting(2, ge=1, le=64, help="Self-attention blocks.", source=_SOURCE, symbol="b", label="Blocks")
    heads: int = setting(
        1, ge=1, le=64, help="Attention heads; must divide the hidden size.", source=_SOURCE, label="Heads"
    )
    max_length: int = setting(
        50,
        ge=1,
        le=10_000,
        help="Longest input; older items are dropped.",
        source=_SOURCE,
        symbol="n",
        label="Longest input",
        unit="items",
    )
    dropout: float = setting(
        0.5,
        ge=0,
        lt=1,
        help="Dropout of embeddings, attention and both feed-forward layers.",
        source=_SOURCE,
        label="Dropout",
    )
    layer_norm_eps: float = setting(
        1e-8,
        gt=0,
        le=1,
        help="Added to the variance in LayerNorm.",
        source="the source's published code",
        label="LayerNorm ε",
        advanced=True,
    )


register(
    "model",
    "sasrec_original",
    label="SASRec, original form",
    help="Causal self-attention as its authors built it: scaled embeddings, normalised queries, a narrow ReLU layer.",
    options=OriginalSasRecOptions,
    target="engine.models.sasrec_original.module:OriginalSasRec",
    trains=True,
    task="next_item",
    views=True,
    hides=True,
    captures=True,
    padded=False,
    no_padding=_NO_PADDING,
    unused={"fidelity.padding_row": _NO_PADDING},
)
