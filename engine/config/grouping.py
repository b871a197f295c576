"""Runs on the same data that differ in their seed alone, or in what changes nothing, are one group: mean ± std over
seeds is taken over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from engine.config.experiment import SECTIONS, ExperimentConfig, model_section
from engine.config.fitting import LOSSES, without_effect
from engine.config.stages import makes_views_as_stored
from engine.errors import ConfigurationError


def group_key(config: Mapping[str, Any]) -> str:
    """Canonical JSON of a stored configuration without ``train.seed`` and ``data.path``, `filled`, and
    without the settings that change nothing in it.

    Where a file lies says nothing of a run, and is another place on another machine: what the data are, a run's
    fingerprint says, and who groups runs asks for it too.

    A configuration that today's code no longer parses has its key too.

    >>> group_key({"train": {"seed": 1}}) == group_key({"train": {"seed": 2, "batch_size": 256}})
    True
    """
    tree = filled(config)
    whole, single = _left_out(*_decides(tree))
    for section in whole:
        tree.pop(section, None)
    for section, names in single.items():
        values = tree.get(section)
        if isinstance(values, Mapping):
            tree[section] = {name: value for name, value in values.items() if name not in names}
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), default=str)


def filled(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the settings that it does not have yet, because they are newer, at their defaults: that is
    what it was trained by, and how it would be read today. Everything else is left as it is stored."""
    model = config.get("model")
    defaults = _defaults(str(model.get("name", "")) if isinstance(model, Mapping) else "")
    return {
        section: {**defaults.get(section, {}), **values} if isinstance(values, Mapping) else values
        for section, values in config.items()
    }


def changes_nothing(config: Mapping[str, Any]) -> Callable[[str], bool]:
    """Whether a setting of this stored configuration, by its dotted path, has no part in what the run is."""
    whole, single = _left_out(*_decides(filled(config)))

    def asked(path: str) -> bool:
        section, _, name = path.partition(".")
        return path not in _NO_SETTINGS and (section in whole or name in single.get(section, ()))

    return asked


_NO_SETTINGS = ("train.seed", "data.path")
"""They tell no groups apart, though a run depends on them."""


def _decides(tree: Mapping[str, Any]) -> tuple[str, bool, tuple[str, ...]]:
    """What of a stored configuration says which settings change nothing: its model, views, losses."""
    model, loss = tree.get("model"), tree.get("loss")
    name = model.get("name") if isinstance(model, Mapping) else ""
    chosen = tuple(str(loss.get(field, "")) for _, field in LOSSES) if isinstance(loss, Mapping) else ()
    return str(name), makes_views_as_stored(tree), chosen


@cache
def _left_out(
    model: str, has_views: bool, losses: tuple[str, ...]
) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Whole sections, and section → settings, that are no part of a group's key."""
    found: Mapping[str, str] = {}
    with suppress(ConfigurationError, ValueError):  # one that is no longer there: all is kept
        found = without_effect(model, has_views, losses)
    single: dict[str, set[str]] = {}
    whole = frozenset(path for path in found if "." not in path)
    for path in (*found, *_NO_SETTINGS):
        section, dot, name = path.partition(".")
        if dot and section not in whole:
            single.setdefault(section, set()).add(name)
    return whole, {section: frozenset(names) for section, names in single.items()}


@cache
def _defaults(model: str) -> dict[str, dict[str, Any]]:
    tree = ExperimentConfig().model_dump(mode="json")
    found = {section: dict(tree[section]) for section in SECTIONS if section != "model"}
    with suppress(ConfigurationError):  # a model that is no longer there: its section stays as it is
        found["model"] = model_section(model)(name=model).model_dump(mode="json")
    return found
