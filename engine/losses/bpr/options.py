"""BPR with k negatives a position: options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class BPROptions(Options):
    """Its negatives."""

    bpr_negatives: int = setting(
        1,
        ge=1,
        le=10_000,
        help="Uniform negatives of each position, drawn one by one; the mean over them counts.",
        source="Rendle et al. 2009 (one), Hidasi et al. 2016 (ten)",
        symbol="k",
        label="Negatives (BPR)",
    )


register(
    "next_item_loss",
    "bpr",
    label="BPR",
    help="−log σ(score of the next item − score of a negative): only the order of the two counts (Rendle et al. 2009).",
    options=BPROptions,
    target="engine.losses.bpr.loss:BPR",
    negatives="bpr_negatives",
)
