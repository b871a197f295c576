"""A context on the fake engine, for the pages that look at data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.fake_engine import fake_engine
from tests.helpers.fake_runs import FakeRuns
from workbench.context import Context, make_context
from workbench.engine_process import Errands
from workbench.theme import Theme


@pytest.fixture
def shop(theme: Theme, runs: FakeRuns, tmp_path: Path) -> Iterator[Context]:
    made = make_context(fake_engine(tmp_path, runs), theme, engine=Errands())
    yield made
    made.close()
