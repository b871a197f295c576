"""Runs on the same data that differ in their seed alone are one group: what mean ± std over seeds is taken over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from engine.config.experiment import SECTIONS, ExperimentConfig, model_section
from engine.errors import ConfigurationError


def group_key(config: Mapping[str, Any]) -> str:
    """Canonical JSON of a stored configuration without ``train.seed`` and ``data.path``, `filled`.

    Where a file lies says nothing of a run, and is another place on another machine: what the data are, a run's
    fingerprint says, and who groups runs asks for it too.

    A configuration that today's code no longer parses has its key too.

    >>> group_key({"train": {"seed": 1}}) == group_key({"train": {"seed": 2, "batch_size": 256}})
    True
    """
    tree = filled(config)
    for section, left_out in (("train", "seed"), ("data", "path")):
        if isinstance(tree.get(section), Mapping):
            tree[section] = {name: value for name, value in tree[section].items() if name != left_out}
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


@cache
def _defaults(model: str) -> dict[str, dict[str, Any]]:
    tree = ExperimentConfig().model_dump(mode="json")
    found = {section: dict(tree[section]) for section in SECTIONS if section != "model"}
    with suppress(ConfigurationError):  # a model that is no longer there: its section stays as it is
        found["model"] = model_section(model)(name=model).model_dump(mode="json")
    return found
