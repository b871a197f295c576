"""Insert (I), Eq. 8: options and announcement, without torch."""

from __future__ import annotations

from engine.registry import Options, register, setting


class InsertOptions(Options):
    """Options of Insert."""

    insert_rate: float = setting(
        0.4,
        ge=0,
        le=1,
        help="Inserted items per item of the sequence.",
        source="Eq. 8, the authors' code",
        symbol="β",
        label="Insert ratio",
    )


register(
    "operator",
    "insert",
    label="Insert",
    help="Inserts items correlated with random items.",
    options=InsertOptions,
    target="engine.augment.insert.operator:Insert",
    letter="I",
    looks_up=True,
    rate="insert_rate",
)
