"""'Show as table': the window's numbers, copying and saving them, and a file that cannot be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.plots.base import Plot
from workbench.theme import Theme
from workbench.widgets import tables
from workbench.widgets.plot_card import PlotCard
from workbench.widgets.tables import Columns, TableWindow

COLUMNS: Columns = [("Length", np.arange(4)), ("Share, to here", [0.25, 0.5, 1.0])]
CSV = 'Length,"Share, to here"\n0,0.25\n1,0.5\n2,1.0\n3,\n'


class Line(Plot):
    def columns(self) -> Columns:
        return COLUMNS

    def reading_at(self, point: QPointF) -> str:
        return f"at {point.x():.0f}"


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> TableWindow:
    made = TableWindow("Numbers", COLUMNS, theme)
    qtbot.addWidget(made)
    return made


def test_copying_in_pieces_gives_the_whole_table(
    qtbot: QtBot, window: TableWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 3)
    assert list(window.model.csv_parts()) == [CSV[: CSV.index("3,")], "3,\n"]
    window.csv.copy()
    qtbot.waitUntil(lambda: window.told.text() == "Copied.")
    assert QGuiApplication.clipboard().text() == CSV


def test_saving_writes_beside_and_renames(qtbot: QtBot, window: TableWindow, tmp_path: Path) -> None:
    window.csv.save(str(tmp_path / "n.csv"))
    qtbot.waitUntil(lambda: window.told.text() == "Saved as n.csv.")
    assert [path.name for path in tmp_path.iterdir()] == ["n.csv"]
    assert (tmp_path / "n.csv").read_bytes() == CSV.encode()


def test_a_file_that_cannot_be_written_is_said(qtbot: QtBot, window: TableWindow, tmp_path: Path) -> None:
    window.csv.save(str(tmp_path / "nowhere" / "n.csv"))
    qtbot.waitUntil(lambda: "cannot be written" in window.told.text())
    assert list(tmp_path.iterdir()) == []


def test_an_empty_table_has_its_header(theme: Theme) -> None:
    assert tables.ColumnsModel([("A", []), ("B", [])]).as_csv() == "A,B\n"


def test_every_plot_in_a_card_has_the_button_and_the_reading(qtbot: QtBot, theme: Theme) -> None:
    card = PlotCard(theme, "A line", Line(theme), table_title=lambda: "The line's numbers")
    qtbot.addWidget(card)
    card.show()
    card.plot.read.emit("at 3")
    assert card.reading.text() == "at 3"
    card.say("Straight.")
    assert card.words.isVisible()
    card.table_button.click()
    window = card.window().findChild(TableWindow)
    assert window is not None
    assert window.windowTitle() == "The line's numbers"
    assert window.model.data(window.model.index(2, 1)) == "1.0000"
    window.close()


def test_headers_and_cells_have_room_under_the_style_sheet(qtbot: QtBot, theme: Theme) -> None:
    """Widths were taken before the sheet's letters and edges were known: heads were cut, ids were dots."""
    parent = QWidget()
    qtbot.addWidget(parent)
    theme.dress(parent)
    parent.show()
    columns: Columns = [
        ("Rank", range(1, 700)),
        ("Item", ["130", "4711"] * 300),
        ("Title", ["x" * 200] * 9),
        ("n", [1]),
    ]
    window = TableWindow("Numbers", columns, theme, parent)
    window.show()
    header = window.view.horizontalHeader()
    for column in range(2):
        needed = max(header.sectionSizeFromContents(column).width(), window.view.sizeHintForColumn(column))
        assert window.view.columnWidth(column) >= needed
    assert window.view.columnWidth(2) == tables.WIDEST
    wide = TableWindow("Numbers", [(f"a long heading number {n}", [n]) for n in range(5)], theme, parent)
    wide.show()
    assert wide.width() > 640
    assert wide.view.horizontalHeader().length() <= wide.view.viewport().width()
