"""What Compare's tables say beside their numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.records import ComparedGroup, Comparison, PairedTest
from workbench.theme import Theme
from workbench.widgets import compare_tables

GROUP = ComparedGroup("SASRec", ("a",), (1,), "Beauty", "f", "c", "transformer", "sasrec")
TEST = PairedTest("NDCG@20", 0, 1, 0.01, 0.002, 0.018, 0.1, 0.001, 0.001, 0.1, 0.1, 60, 40, 0, None)


@pytest.mark.parametrize(
    ("low", "p", "is_apart"),
    [(0.002, 0.001, False), (-0.002, 0.3, False), (0.002, 0.3, True), (-0.002, 0.001, True)],
)
def test_where_interval_and_p_disagree_it_is_said_why(low: float, p: float, is_apart: bool) -> None:
    tests = (replace(TEST, low=low, p=p),)
    found = Comparison("test", (), ("NDCG@20",), 100, (), tests, 1, (), (), (), (), 0.95, 1000)
    assert (compare_tables.APART in compare_tables.tests_words(found)) is is_apart


def test_every_negative_number_has_the_true_minus() -> None:
    tests = (replace(TEST, difference=-0.01, low=-0.02, high=-0.001, relative=-0.1, effect=-0.1, rank_biserial=-0.2),)
    found = Comparison("test", (GROUP, GROUP), ("NDCG@20",), 100, (), tests, 1, (), (), (), (), 0.95, 1000)
    texts = [str(values[0]) for name, values in compare_tables.tests_columns(found) if name != "Metric"]
    assert not any("-" in text for text in texts)
    assert sum("−" in text for text in texts) == 5


def test_heads_stand_as_their_cells_and_are_whole(qtbot: QtBot, theme: Theme) -> None:
    card = compare_tables.TableCard(theme, "Results")
    qtbot.addWidget(card)
    card.resize(900, 300)
    card.set_columns([("Group", ["a", "b"]), ("Rank-biserial", ["+0.1"]), ("Seeds", [3, ""]), ("Last", [""])])
    card.show()
    header, model = card.view.horizontalHeader(), card.model
    for column in range(3):
        in_cell = model.index(0, column).data(Qt.ItemDataRole.TextAlignmentRole)
        assert model.headerData(column, header.orientation(), Qt.ItemDataRole.TextAlignmentRole) == in_cell
        assert card.view.columnWidth(column) >= header.sectionSizeHint(column)
    right = model.headerData(2, header.orientation(), Qt.ItemDataRole.TextAlignmentRole)
    assert right & Qt.AlignmentFlag.AlignRight.value


def test_the_results_say_which_groups_have_not_trained_to_their_end() -> None:
    groups = (GROUP, replace(GROUP, label="CoSeRec", run_ids=("b", "c"), unfinished=1))
    found = Comparison("test", groups, (), 100, (), (), 0, (), (), (), (), 0.95, 1000)
    columns = dict(compare_tables.results_columns(found, None))
    assert list(columns["Seeds"]) == [1, "2 · 1 unfinished"]
