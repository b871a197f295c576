"""Runs that differ in their seed alone are one group: what mean ± std over seeds is taken over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def group_key(config: Mapping[str, Any]) -> str:
    """Canonical JSON of a stored configuration without ``train.seed``.

    Stored values are taken as they are: a configuration that today's code no longer parses has its key too.

    >>> group_key({"train": {"seed": 1, "epochs": 3}, "data": {"path": "sample"}})
    '{"data":{"path":"sample"},"train":{"epochs":3}}'
    """
    tree = {
        section: {name: value for name, value in values.items() if (section, name) != ("train", "seed")}
        if isinstance(values, Mapping)
        else values
        for section, values in config.items()
    }
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), default=str)
