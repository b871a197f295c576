"""BERT4Rec: a Transformer that guesses masked items (FACTS B6): options and announcement, without torch."""

from __future__ import annotations

from engine.models.heads import HeadedOptions
from engine.registry import register, setting


class Bert4RecOptions(HeadedOptions):
    """Options of BERT4Rec."""

    hidden_size: int = setting(
        64,
        ge=1,
        le=4096,
        help="Width of embeddings and states.",
        source="Sun et al. 2019",
        symbol="d",
        label="Hidden size",
    )
    layers: int = setting(2, ge=1, le=64, help="Self-attention blocks.", source="Sun et al. 2019", label="Blocks")
    heads: int = setting(
        2, ge=1, le=64, help="Attention heads; must divide the hidden size.", source="Sun et al. 2019", label="Heads"
    )
    max_length: int = setting(
        50,
        ge=2,
        le=10_000,
        help="Longest input, the mask at its end included; older items are dropped.",
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
    mask_rate: float = setting(
        0.6, gt=0, le=1, help="Share of a sequence's items that is masked.", source="Sun et al. 2019", label="Mask rate"
    )
    last_only: float = setting(
        0.1,
        ge=0,
        le=1,
        help="Chance that only a sequence's last item is masked, as when the next item is asked for.",
        source="Sun et al. 2019",
        label="Only the last masked",
        advanced=True,
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


register(
    "model",
    "bert4rec",
    label="BERT4Rec",
    help="Self-attention in both directions; guesses masked items, with any next-item loss.",
    options=Bert4RecOptions,
    target="engine.models.bert4rec.module:Bert4Rec",
    trains=True,
    task="cloze",
    views=True,
    padded=False,
    no_padding="BERT4Rec's encoder works on real positions only.",
    hides=False,
    no_hiding="BERT4Rec's attention sees every item of a view: it cannot hide masked ones.",
)
