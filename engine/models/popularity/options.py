"""PopRec: rank by frequency (FACTS B1, F21): options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class PopularityOptions(Options):
    """Options of PopRec."""

    count_everything: bool = setting(
        False,
        help="Count the held-out items too, as the paper's PopRec column does.",
        source="Table 2's PopRec column",
        label="Count everything",
    )


register(
    "model",
    "popularity",
    label="PopRec",
    help="Ranks items by how often they were chosen; proves the evaluation.",
    options=PopularityOptions,
    target="engine.models.popularity.module:Popularity",
    trains=False,
    task="none",
    views=False,
    unused={
        "augment": "PopRec does not train and makes no views.",
        "similarity": "PopRec does not train and makes no views.",
        "loss": "PopRec does not train: it has no loss.",
    },
)
