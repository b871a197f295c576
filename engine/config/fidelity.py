"""Where the authors' published code departs from the paper: each departure one switch."""

from __future__ import annotations

from typing import Literal

from engine.registry import Options, setting


class FidelityOptions(Options):
    """Where the authors' published code departs from the paper: each departure one switch (FACTS F3, F7, F9–F18)."""

    counts: Literal["ceiling", "floor"] = setting(
        "ceiling",
        help="Rounding of ratio × length.",
        source="Eq. 4–8, the authors' code",
        label="Counts",
        paper="ceiling",
        published="floor",
        choices={"ceiling": "ceiling", "floor": "floor; at least 1 for Crop, Substitute and Insert"},
    )
    mask_token: Literal["mask", "padding"] = setting(
        "mask",
        help="What Mask writes; padding is hidden from attention.",
        source="Eq. 5, the authors' code",
        label="Masked item",
        paper="mask",
        published="padding",
        choices={"mask": "the mask token", "padding": "the padding id"},
    )
    start_positions: Literal["every", "never_last"] = setting(
        "every",
        help="Where Crop and Reorder may begin.",
        source="Eq. 4, 6, the authors' code",
        label="Start positions",
        paper="every",
        published="never_last",
        choices={"every": "every possible start", "never_last": "never the last possible start"},
    )
    operator_pairs: Literal["independent", "distinct"] = setting(
        "independent",
        help="Whether the two views of a user may use the same operator.",
        source="Algorithm 1, the authors' code",
        label="Operator pairs",
        paper="independent",
        published="independent",
        choices={"independent": "drawn independently", "distinct": "always two different ones"},
    )
    augment_input: Literal["untruncated", "truncated"] = setting(
        "untruncated",
        help="Whether operators see the whole training input or its last items only.",
        source="the authors' code",
        label="Operators act on",
        paper="untruncated",
        published="untruncated",
        choices={"untruncated": "the whole training input", "truncated": "its last max_length items"},
    )
    short_reorder_rate: Literal["reorder_rate", "mask_rate"] = setting(
        "reorder_rate",
        help="Ratio that Reorder has on short sequences.",
        source="Eq. 6, the authors' code",
        label="Reorder, short",
        paper="reorder_rate",
        published="mask_rate",
        choices={"reorder_rate": "the reorder ratio", "mask_rate": "the mask ratio"},
    )
    # FACTS F12 names three short sets; the authors' code gives Reorder the mask ratio in every set that it draws from
    # once it tells short sequences from long ones.
    long_reorder_rate: Literal["reorder_rate", "mask_rate"] = setting(
        "reorder_rate",
        help="Ratio that Reorder has on long sequences.",
        source="Eq. 6, the authors' code",
        label="Reorder, long",
        paper="reorder_rate",
        published="mask_rate",
        choices={"reorder_rate": "the reorder ratio", "mask_rate": "the mask ratio"},
    )
    insert_side: Literal["before", "after"] = setting(
        "before",
        help="Side of the chosen item on which Insert puts the correlated one.",
        source="Eq. 8, the authors' code",
        label="Insert",
        paper="before",
        published="before",
        choices={"before": "before the chosen item", "after": "after the chosen item"},
    )
    padding_row: Literal["zero", "random"] = setting(
        "zero",
        help="The padding item's embedding, which never learns.",
        source="the authors' code",
        label="Padding embedding",
        paper="zero",
        published="random",
        choices={"zero": "zero", "random": "its random initial value"},
    )
    correlation_items: Literal["inputs", "training"] = setting(
        "inputs",
        help="Items that memory-based correlation counts: training inputs, or inputs and their last target.",
        source="the authors' code",
        label="Correlations count",
        paper="inputs",
        published="inputs",
        choices={"inputs": "training inputs", "training": "training inputs and targets"},
    )
    missing_neighbour: Literal["keep", "random"] = setting(
        "keep",
        help="What stands in for an item without neighbours.",
        source="the authors' code",
        label="No neighbour",
        paper="keep",
        published="random",
        choices={"keep": "nothing: the item stays as it is", "random": "a random item that has neighbours"},
    )
    hybrid_switch: Literal["at_epoch", "after_epoch"] = setting(
        "at_epoch",
        help="Memory-based epochs before the hybrid: E, or E + 1.",
        source="Algorithm 1, the authors' code",
        label="Hybrid starts",
        paper="at_epoch",
        published="after_epoch",
        choices={"at_epoch": "after E epochs", "after_epoch": "after E + 1 epochs"},
    )
    hybrid_candidates: Literal["items", "all_rows"] = setting(
        "items",
        help="What the model-based part ranks and normalises over.",
        source="the authors' code",
        label="Hybrid candidates",
        paper="items",
        published="all_rows",
        choices={"items": "real items, without self-products", "all_rows": "padding, mask and self-products too"},
    )
    negatives_exclude: Literal["training", "whole"] = setting(
        "training",
        help="Items that are never drawn as a negative.",
        source="the authors' code",
        label="Negatives avoid",
        paper="training",
        published="whole",
        choices={"training": "the user's training items", "whole": "the user's whole sequence, held-out targets too"},
    )
    negatives_draw_mask: bool = setting(
        False,
        help="Whether the mask token can be drawn as a negative.",
        source="the authors' code",
        label="Mask as negative",
        paper=False,
        published=True,
    )
    next_item_mean: Literal["tokens", "users"] = setting(
        "tokens",
        help="What the next-item loss is averaged over.",
        source="Algorithm 1 line 15, the authors' code",
        label="Next-item mean",
        paper="tokens",
        published="tokens",
        choices={"tokens": "the batch's real tokens", "users": "users (each user's mean counts once)"},
    )
    rank_special_tokens: bool = setting(
        False,
        help="Whether the padding and mask ids take part in the ranking.",
        source="the authors' code",
        label="Rank padding and mask",
        paper=False,
        published=True,
    )
    train_subset: Literal["first", "random"] = setting(
        "random",
        help="Which users a training share keeps.",
        source="the authors' code",
        label="Training share keeps",
        paper="random",
        published="first",
        choices={"first": "the first users of the file", "random": "a random sample"},
    )
    train_subset_after_switch: Literal["keep", "whole"] = setting(
        "keep",
        help="Users trained on once the hybrid has taken over.",
        source="the authors' code",
        label="Training share after E",
        paper="keep",
        published="whole",
        choices={"keep": "the same share", "whole": "all users"},
    )
