"""What a run is called in the window: where it started from, what differs from there, its seed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from engine.config import preset, values_of
from engine.errors import UsageError
from engine.records import RunRecord

NOT_COMPARED = ("train.seed", "data.path")
"""Never part of a preset."""
SAMPLE, SAMPLE_NAME = "sample", "Sample shop"
"""The path that stands for the bundled shop, and what people call it."""
NAMED = 2
"""More differences than these are counted, not named."""


@cache
def preset_values(name: str) -> Mapping[str, Any]:
    """Path → value of a preset; empty for a name that no preset has any more."""
    try:
        return values_of(preset(name).config)
    except UsageError:
        return {}


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Path → value of a stored configuration."""
    found: dict[str, Any] = {}
    for section, group in config.items():
        if isinstance(group, Mapping):
            found |= {f"{section}.{name}": value for name, value in group.items()}
        else:
            found[section] = group
    return found


def differing(record: RunRecord) -> dict[str, Any]:
    """Path → value of every setting of a run that its preset has otherwise, or has not."""
    base = preset_values(record.preset)
    if not base:
        return {}
    values = flat(record.config)
    return {
        path: value
        for path, value in values.items()
        if (path not in base or base[path] != value) and path not in NOT_COMPARED and "." in path
    }


def plain(value: Any) -> str:
    """A setting's value as it is read."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def run_name(record: RunRecord) -> str:
    """``sample · epochs 6 · seed 1``: short enough for a row, and different where two runs are.

    A run without a preset, or of one that is gone, keeps the name that the store has for it.
    """
    if not preset_values(record.preset):
        return record.name or record.id
    changed = differing(record)
    model = changed.get("model.name")
    if model is not None:
        # Another model has other settings, and needs no others of the rest: how many they are says nothing.
        middle = [plain(model)]
    elif len(changed) <= NAMED:
        middle = [f"{path.split('.')[1].replace('_', ' ')} {plain(value)}" for path, value in changed.items()]
    else:
        middle = [f"{len(changed)} settings changed"]
    return " · ".join([record.preset, *middle, f"seed {record.seed}"])


def with_data(name: str, data: str) -> str:
    """A run's name with the data set's, behind where it started from; as it is, where it says so already.

    >>> with_data("sasrec · seed 1", "Beauty"), with_data("coserec-paper-beauty · seed 1", "Beauty")
    ('sasrec · Beauty · seed 1', 'coserec-paper-beauty · seed 1')
    """
    first, *rest = name.split(" · ")
    is_said = data.lower() in name.lower().replace("-", " ").split()
    return name if is_said else " · ".join([first, data, *rest])


def dataset_name(record: RunRecord) -> str:
    """The data's name as the rest of the window has it: the bundled shop by its own."""
    section: Any = record.config.get("data", {})
    is_sample = isinstance(section, Mapping) and section.get("path") == SAMPLE
    return SAMPLE_NAME if is_sample else record.dataset
