"""What a run is called in the window: by the words of `engine.config.naming`, with its data where that is needed."""

from __future__ import annotations

import re

from engine.config.naming import (
    NOT_COMPARED,
    dataset_name,
    differing,
    flat,
    given_name,
    nobodys_name,
    plain,
    preset_values,
    run_name,
)

__all__ = [
    "NOT_COMPARED",
    "dataset_name",
    "differing",
    "flat",
    "given_name",
    "group_name",
    "nobodys_name",
    "plain",
    "preset_values",
    "run_name",
    "with_data",
]

_SEED = re.compile(r",? seed \d+$")
"""At the end of a stored name's part."""


def with_data(name: str, data: str) -> str:
    """A run's name with the data set's, behind its preset or its model; as it is, where it says so already.

    >>> with_data("sasrec · seed 1", "Beauty"), with_data("coserec-paper-beauty · seed 1", "Beauty")
    ('sasrec · Beauty · seed 1', 'coserec-paper-beauty · seed 1')
    """
    first, *rest = name.split(" · ")
    is_said = data.lower() in name.lower().replace("-", " ").split()
    return name if is_said else " · ".join([first, data, *rest])


def group_name(name: str) -> str:
    """A run's name without its seed.

    >>> group_name("sample · epochs 6 · seed 1")
    'sample · epochs 6'
    >>> group_name("transformer seed 1 · Beauty"), group_name("best seed 7 · seed 1"), group_name("seed 3")
    ('transformer · Beauty', 'best seed 7', 'seed 3')
    """
    front, _, last = name.rpartition(" · ")
    if front and _SEED.fullmatch(f" {last}"):
        return front
    return " · ".join(filter(None, (_SEED.sub("", part) for part in name.split(" · ")))) or name
