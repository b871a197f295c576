"""What Compare's tables say beside their numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from engine.records import ComparedGroup, Comparison, PairedTest
from workbench.context import Context
from workbench.theme import Theme
from workbench.widgets import compare_tables
from workbench.widgets.compare_parts import TestsTab
from workbench.widgets.name_delegate import MARGIN

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


def test_names_that_are_cut_keep_what_tells_the_groups_apart(qtbot: QtBot, context: Context) -> None:
    """As the tab of tests has them; the tool tip has the whole name."""
    title = "CoSeRec for the sample shop"
    words = ("d 16, blocks 2", "d 32, blocks 2")
    groups = tuple(replace(GROUP, label=f"{title}, {word}", told_first=f"{word} · {title}") for word in words)
    found = Comparison("test", groups, ("NDCG@20",), 100, (), (TEST,), 1, (), (), (), (), 0.95, 1000)
    tab = TestsTab(context)
    qtbot.addWidget(tab)
    tab.resize(900, 400)
    tab.show()
    tab.show_comparison(found, (("a",), ("b",)), "NDCG@20", is_next=True)
    view, drawn = tab.table.view, []
    for column in (compare_tables.GROUP, compare_tables.AGAINST):
        option = QStyleOptionViewItem()
        option.widget = view  # type: ignore[attr-defined]
        index = view.model().index(0, column)
        tab.names.initStyleOption(option, index)
        metrics, room = view.fontMetrics(), view.columnWidth(column) - MARGIN
        drawn.append(metrics.elidedText(option.text, option.textElideMode, room))  # type: ignore[attr-defined]
        assert str(index.data(Qt.ItemDataRole.ToolTipRole)).startswith(title)
    assert [text.partition(" · ")[0] for text in drawn] == ["d 32, blocks 2", "d 16, blocks 2"]


def test_the_names_have_the_room_that_what_tells_them_apart_needs() -> None:
    def room(word: str) -> int:
        groups = (replace(GROUP, told_first=f"{word} · CoSeRec for the sample shop"),)
        found = Comparison("test", groups, (), 100, (), (), 0, (), (), (), (), 0.95, 1000)
        return compare_tables.room_of_names(found, lambda text: 7 * len(text))

    assert room("d 16") == compare_tables.NAMES_WIDTH
    assert room("d 16, dropout 0.1, λ 0.1") == 2 * (7 * 26 + compare_tables.CELL_MARGIN)
    assert room("x" * 200) == compare_tables.MOST_NAMES_WIDTH


def test_of_names_with_as_many_letters_the_wider_one_has_room(qtbot: QtBot, theme: Theme) -> None:
    card = compare_tables.TableCard(theme, "Results")
    qtbot.addWidget(card)
    width = card.view.fontMetrics().horizontalAdvance
    narrow, wide = sorted(("iiiillll", "mmmmwwww"), key=width)
    card.set_columns([("", [narrow, wide]), ("Seeds", [1, 2]), ("Last", ["", ""])])
    assert card.view.columnWidth(0) >= width(wide) + compare_tables.CELL_MARGIN
