"""BPR-MF: matrix factorisation by pairwise ranking (FACTS B2): options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class BprMfOptions(Options):
    """Options of BPR-MF."""

    hidden_size: int = setting(
        64,
        ge=1,
        le=4096,
        help="Width of the embeddings.",
        source="Rendle et al. 2009",
        symbol="d",
        label="Embedding size",
    )
    embedding_decay: float = setting(
        1e-5,
        ge=0,
        le=10,
        help="Weight of the squared lengths of the batch's embeddings, mean over the batch.",
        source="Rendle et al. 2009",
        label="L2 of embeddings",
    )


_NO_ORDER = "BPR-MF knows no order of a user's items, so it has no views to compare."

register(
    "model",
    "bpr_mf",
    label="BPR-MF",
    help="A vector for every user and every item; each action is ranked above one negative.",
    options=BprMfOptions,
    target="engine.models.bpr_mf.module:BprMf",
    trains=True,
    task="own",
    negatives=1,
    views=False,
    knows_users=True,
    unused={
        "augment": _NO_ORDER,
        "similarity": _NO_ORDER,
        "loss": "BPR-MF is its pairwise loss, −log σ(positive − negative): another would be another model.",
        "evaluate.noise_rate": "BPR-MF knows a user by number: what is added to the input changes nothing.",
    },
    no_views=_NO_ORDER,
)
