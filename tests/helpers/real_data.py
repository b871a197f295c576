"""The paper's data sets, where a checkout has them beside it: for development only, never part of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def real_data(name: str) -> Path:
    """Path of a real data file; the calling test skips, saying so, where it is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not here: tests on real data look for ../shared/data")
    return path
