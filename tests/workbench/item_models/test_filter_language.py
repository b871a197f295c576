"""The window's filter of runs and the command line's read one language."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config.filtering import numbers, run_filter
from engine.records.query import QueryError
from workbench.item_models import run_filter as in_window


def test_it_is_the_windows_language() -> None:
    theirs: Any = in_window._settings() | in_window._NUMBERS
    assert set(numbers()) == set(theirs)
    for wrong in ("foo>3", "HR@5>x", "seed="):
        said = []
        for read in (run_filter, in_window.parse_filter):
            with pytest.raises(QueryError) as error:
                read(wrong)
            said.append(str(error.value))
        assert said[0] == said[1]
