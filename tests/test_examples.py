"""The worked examples of docstrings are run: what is not executed drifts."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _with_examples() -> list[str]:
    paths = [path for package in ("engine", "workbench") for path in sorted((ROOT / package).rglob("*.py"))]
    found = [path for path in paths if re.search(r"^\s+>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in found]


@pytest.mark.parametrize("name", _with_examples())
def test_the_examples_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert result.failed == 0
