"""A table that paints itself draws what Qt would have drawn, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPaintEvent
from pytestqt.qtbot import QtBot

from engine.data.columns import text_column
from workbench.item_models.columnar import ArrayColumn
from workbench.theme import Theme
from workbench.widgets import filter_table
from workbench.widgets.filter_table import FilterTable
from workbench.widgets.row_list import RowList

ROWS = 60


class _DrawnByQt(filter_table.SortedList):
    def paintEvent(self, event: QPaintEvent) -> None:
        RowList.paintEvent(self, event)


def _table(qtbot: QtBot, theme: Theme) -> FilterTable:
    made = FilterTable(theme, "Users", "user")
    theme.dress(made)
    qtbot.addWidget(made)
    chance = np.random.default_rng(1)
    names = [f"user {'long ' * int(n)}{at}" for at, n in enumerate(chance.integers(0, 12, ROWS))]
    made.set_columns(
        [
            ArrayColumn("user", "User", text_column(names)),
            ArrayColumn("actions", "Actions", chance.integers(0, 10**6, ROWS)),
            ArrayColumn("share", "Share", chance.random(ROWS)),
            ArrayColumn("blank", "Blank", np.zeros(ROWS, dtype=bool), text=lambda value: "yes" if value else ""),
        ],
        stretched=-1,
    )
    made.resize(460, 330)
    with qtbot.waitExposed(made):
        made.show()
    return made


def _picture(table: FilterTable, state: str) -> QImage:
    view = table.view
    if state in ("selected", "focused"):
        view.selectRow(3)
    if state == "focused":
        view.setFocus()
    if state == "scrolled":
        view.verticalScrollBar().setValue(7)
        view.horizontalScrollBar().setValue(40)
    if state == "narrow":
        view.setColumnWidth(0, 50)
        view.setColumnWidth(1, 30)
    if state == "swapped":
        view.horizontalHeader().moveSection(0, 2)
        view.setColumnHidden(1, True)
    table.setDisabled(state == "disabled")
    return view.viewport().grab().toImage()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("state", ["plain", "selected", "focused", "scrolled", "narrow", "swapped", "disabled"])
def test_it_draws_what_qt_draws(qtbot: QtBot, colours: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theme = Theme(colours)
    own = _picture(_table(qtbot, theme), state)
    monkeypatch.setattr(filter_table, "SortedList", _DrawnByQt)
    table = _table(qtbot, theme)
    assert isinstance(table.view, _DrawnByQt)
    qts = _picture(table, state)
    points = [(x, y) for x in range(own.width()) for y in range(own.height())]
    assert [point for point in points if own.pixel(*point) != qts.pixel(*point)] == []
    assert len({own.pixel(*point) for point in points}) > 3  # texts and stripes, not an empty table


def test_only_what_is_in_sight_becomes_text(qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(qtbot, theme)
    asked: set[int] = set()
    text = table.model.text
    monkeypatch.setattr(table.model, "text", lambda row, column: asked.add(row) or text(row, column))
    table.view.viewport().grab()
    assert asked == set(range(table.view.rowAt(table.view.viewport().height() - 1) + 1))
    assert len(asked) < ROWS
