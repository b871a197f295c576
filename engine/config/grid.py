"""Grids: lists of values in any settings, and seeds, make every combination a run."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.config.effect import refuse_list_without_effect
from engine.config.experiment import ExperimentConfig, fields_of, values_of
from engine.config.grouping import has_seeds
from engine.errors import ConfigurationError

MOST_RUNS = 2000
"""More is more likely a slip of the finger than a plan."""


def parse_list(config: ExperimentConfig, path: str, text: str) -> tuple[Any, ...]:
    """The values that ``text`` lists for a setting: ``0.1, 0.2``; of a whole number also ranges, ``1-3, 10``.

    Each is checked by itself. Raises ``ConfigurationError`` naming the field and the wrong value.

    >>> parse_list(ExperimentConfig(), "model.layers", "1-3")
    (1, 2, 3)
    >>> parse_list(ExperimentConfig(), "augment.short_operators", "SIM, SIMCR")
    ('SIM', 'SIMCR')
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ConfigurationError("a value is missing in the list.", "Write e.g. 0.1, 0.2.", field=path)
    is_whole = any(info.path == path and info.annotation is int for info in fields_of(config))
    texts: list[str] = []
    for part in parts:
        span = re.fullmatch(r"(\d+)\s*-\s*(\d+)", part) if is_whole else None
        if span is None:
            texts.append(part)
            continue
        first, last = int(span[1]), int(span[2])
        if last < first:
            raise ConfigurationError(f"'{part}' runs backwards.", f"Write {last}-{first}.", field=path)
        if last - first >= MOST_RUNS:
            raise ConfigurationError(f"'{part}' is more than {MOST_RUNS:,} values.", "Write fewer.", field=path)
        texts += [str(number) for number in range(first, last + 1)]
    values = tuple(config.replace({path: one}).value(path) for one in texts)
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise ConfigurationError(f"{twice} stands twice in the list.", "Name each value once.", field=path)
    return values


def grid(
    config: ExperimentConfig, lists: Mapping[str, Sequence[Any]], seeds: Sequence[int] = ()
) -> tuple[ExperimentConfig, ...]:
    """Every combination of the lists' values, each with every seed; the seeds of a combination follow each other.

    A combination that has no seeds, because its model does not train, is one run.

    Raises ``ConfigurationError`` for a combination that is refused, or in which a listed setting changes nothing, and
    for more than `MOST_RUNS` runs.
    """
    every = dict(lists)
    if seeds:
        every["train.seed"] = tuple(seeds)
    count = math.prod(len(values) for values in every.values())
    if count > MOST_RUNS:
        raise ConfigurationError(
            f"the lists and seeds make {count:,} runs; at most {MOST_RUNS:,} are queued at once.",
            "Shorten a list.",
            field=next(iter(every)),
        )
    begun = values_of(config)
    made = []
    for place, chosen in enumerate(itertools.product(*every.values())):
        one = config.replace(dict(zip(every, chosen, strict=True)))
        for path, values in lists.items():
            refuse_list_without_effect(one, path, values, begun.get(path))
        if place % max(len(seeds), 1) == 0 or has_seeds(_stored(one)):
            made.append(one)
    return tuple(made)


def run_count(config: ExperimentConfig, lists: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> int:
    """How many runs `grid` makes, without making them: settings that decide whether there are seeds are looked at."""
    deciding = {path: values for path, values in lists.items() if path in _DECIDING}
    others = math.prod(len(values) for path, values in lists.items() if path not in _DECIDING)
    total = 0
    for chosen in itertools.product(*deciding.values()):
        tree = config.model_dump(mode="json")
        for path, value in zip(deciding, chosen, strict=True):
            section, _, name = path.partition(".")
            tree[section][name] = value
        total += others * (len(seeds) if has_seeds(tree) else min(len(seeds), 1))
    return total


_DECIDING = ("model.name", "evaluate.noise_rate")


def _stored(config: ExperimentConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"model": {"name"}, "evaluate": {"noise_rate"}})
