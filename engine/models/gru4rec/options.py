"""GRU4Rec: a recurrent encoder of sequences (FACTS B3): options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class Gru4RecOptions(Options):
    """Options of GRU4Rec."""

    hidden_size: int = setting(
        64,
        ge=1,
        le=4096,
        help="Width of embeddings and states.",
        source="Hidasi et al. 2016",
        symbol="d",
        label="Hidden size",
    )
    layers: int = setting(
        1, ge=1, le=16, help="GRU layers, one on the other.", source="Hidasi et al. 2016", label="Layers"
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
    window: int = setting(
        0,
        ge=0,
        le=10_000,
        help="Train on every stretch of so many items and its next one, and rank by the last so many; 0 trains on "
        "whole sequences, every position at once.",
        source="Hidasi et al. 2016",
        label="Window",
        unit="items (0: whole)",
        zero="whole sequences",
    )
    input_dropout: float = setting(
        0.0, ge=0, lt=1, help="Dropout of the embedded items.", source="Hidasi et al. 2016", label="Input dropout"
    )
    dropout: float = setting(
        0.3,
        ge=0,
        lt=1,
        help="Dropout of the states that score the items.",
        source="Hidasi et al. 2016",
        label="Output dropout",
    )
    tied: bool = setting(
        False,
        help="Score with the table that embeds the inputs; otherwise with a table of its own.",
        source="Hidasi et al. 2016",
        label="Tied tables",
    )
    bias: bool = setting(
        True, help="A bias for each item.", source="Hidasi et al. 2016", label="Item bias", advanced=True
    )
    initializer_range: float = setting(
        0.02,
        gt=0,
        le=10,
        help="Standard deviation of the tables' initial weights.",
        source="§5.1.4, the authors' code",
        label="Initial deviation",
        advanced=True,
    )


register(
    "model",
    "gru4rec",
    label="GRU4Rec",
    help="A recurrent network over the user's items; trains with any next-item loss and any views.",
    options=Gru4RecOptions,
    target="engine.models.gru4rec.module:Gru4Rec",
    trains=True,
    task="next_item",
    views=True,
    padded=False,
    no_padding="GRU4Rec has no padding that could take part.",
    hides=False,
    no_hiding="GRU4Rec has no attention that a masked item could be hidden from.",
)
