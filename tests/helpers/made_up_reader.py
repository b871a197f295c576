"""A reader as somebody else would add one: ``.jlists``, a JSON list a line, ``[user, item, item, …]``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.data.dataset import Dataset, build
from engine.errors import DataError

TEXT = "[7, 3, 12, 5]\n[2, 12, 5, 3]\n"


def read(path: Path) -> Dataset:
    """Raises ``DataError`` with its own words."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            rows.append([int(word) for word in json.loads(line)])
        except (ValueError, TypeError):
            raise DataError("this is no list of numbers.", "Write [user, item, …].", path=path, line=number) from None
    offsets = np.cumsum([0, *(len(row) - 1 for row in rows)])
    items = np.array([item for row in rows for item in row[1:]])
    return build(path, np.array([row[0] for row in rows]), items, offsets)


def announce(monkeypatch: pytest.MonkeyPatch, *names: str, suffixes: object = (".jlists",), **facts: object) -> None:
    """Readers of these names beside the others, until the test ends."""
    known = registry.entries
    made = tuple(
        registry.Entry(
            "reader",
            name,
            label=name,
            help=f"{name}.",
            options=registry.Options,
            target=f"{__name__}:read",
            facts={"suffixes": suffixes, **facts},
        )
        for name in names
    )
    monkeypatch.setattr(registry, "entries", lambda kind: known(kind) + (made if kind == "reader" else ()))
