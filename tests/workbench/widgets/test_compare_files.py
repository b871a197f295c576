"""An export says which figure it writes where the tab in sight has none."""

from __future__ import annotations

import re

import pytest

from workbench.pages.compare import TABS
from workbench.widgets.compare_files import FIGURES, FILES, figures_of, file_name, kinds_of, note_on

WITHOUT = [tab for tab in TABS if tab not in FIGURES]


@pytest.mark.parametrize("tab", WITHOUT)
def test_a_tab_without_a_figure_names_the_one_that_is_written(tab: str) -> None:
    assert "Figure as" not in kinds_of(tab)
    assert "Overview's bars as PDF (*.pdf)" in kinds_of(tab)
    assert note_on(tab) == f"{tab} has no figure of its own; this is the Overview's bars."
    assert figures_of(tab) == FIGURES["Overview"]
    assert re.findall(r"\*\.\w+", kinds_of(tab)) == re.findall(r"\*\.\w+", FILES), "the same kinds of file"


@pytest.mark.parametrize("tab", FIGURES)
def test_a_tab_with_a_figure_writes_its_own(tab: str) -> None:
    assert tab in TABS
    assert kinds_of(tab) == FILES
    assert note_on(tab) == ""
    assert file_name(tab) == f"{figures_of(tab)[0]}.pdf"
