"""The bars equal the summary, linear and logarithmic; the K line snaps, says the short share and tells the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.data.columns import item_table
from engine.data.dataset import load
from engine.data.summary import summarise
from tests.helpers.fake_engine import LENGTHS, make_summary
from workbench.plots.distribution_plot import LengthPlot, PopularityPlot, tail_in_words
from workbench.theme import Theme


@pytest.fixture
def plot(qtbot: QtBot, theme: Theme) -> LengthPlot:
    made = LengthPlot(theme)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    made.set_summary(make_summary())
    return made


def histogram(lengths: tuple[int, ...]) -> dict[int, int]:
    return {length: lengths.count(length) for length in set(lengths)}


@pytest.mark.parametrize("is_log", [False, True])
def test_bars_and_outline_equal_the_summary(plot: LengthPlot, is_log: bool) -> None:
    plot.set_log(is_log)
    assert plot.bars() == histogram(tuple(length - 3 for length in LENGTHS))
    assert plot.outline() == histogram(LENGTHS)
    _, heights = plot._raw_line.getData()
    assert heights[-1] == heights.min()  # it comes down after the longest


def test_a_single_user_can_be_seen_on_the_logarithmic_axis(plot: LengthPlot) -> None:
    plot.set_log(True)
    heights = np.concatenate([plot._short_bars.opts["height"], plot._long_bars.opts["height"]])
    assert heights[heights > 0].min() > 0.25


@pytest.mark.parametrize("k", [0, 1, 4, 12, 37])
def test_the_text_is_the_summarys_short_share(plot: LengthPlot, k: int) -> None:
    plot.set_k(k)
    by_hand = 100 * sum(length - 3 <= k for length in LENGTHS) / len(LENGTHS)
    assert plot.text == f"K = {k} · {by_hand:.1f} % short"
    assert plot._text.toPlainText() == plot.text


def test_dragging_the_line_snaps_to_integers_and_tells(qtbot: QtBot, plot: LengthPlot) -> None:
    with qtbot.waitSignal(plot.k_changed) as told:
        plot._line.setValue(9.9)
    assert told.args == [9]
    assert plot._line.value() == 9.5
    assert plot.text.startswith("K = 9 · ")
    assert set(plot._short_bars.opts["x"]) == set(range(10))
    plot._line.setValue(-40)
    assert plot.k == 0


def test_setting_k_from_outside_moves_the_line_without_telling(qtbot: QtBot, plot: LengthPlot) -> None:
    with qtbot.assertNotEmitted(plot.k_changed):
        plot.set_k(7)
    assert plot._line.value() == 7.5


def test_the_view_holds_most_users_and_on_demand_all(plot: LengthPlot) -> None:
    plot.set_summary(make_summary(lengths=(5,) * 500 + (290,)))
    assert plot.getViewBox().viewRange()[0][1] < 20
    plot.set_tail(True)
    assert plot.getViewBox().viewRange()[0][1] > 290


def test_the_table_holds_every_length(plot: LengthPlot) -> None:
    columns = dict(plot.columns())
    assert sum(columns["Users, raw sequence"]) == sum(columns["Users, training input"]) == len(LENGTHS)  # type: ignore[arg-type]
    assert columns["Share up to here"][4] == pytest.approx(make_summary().short_share(4))


def test_popularity_is_drawn_on_both_logarithmic_axes(qtbot: QtBot, theme: Theme) -> None:
    made = PopularityPlot(theme)
    qtbot.addWidget(made)
    summary = make_summary()
    made.set_summary(summary)
    ranks, actions = made.curve()
    assert ranks == pytest.approx(np.arange(1, 31))
    assert actions == pytest.approx(summary.popularity)
    assert made.getAxis("left").logMode
    assert made.getAxis("bottom").logMode
    assert list(dict(made.columns())["Actions"]) == summary.popularity.tolist()
    assert [name for name, _ in made.columns()] == ["Rank", "Actions", "Share of all actions up to here"]


def test_the_table_of_popularity_names_its_items(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    path = tmp_path / "shop.txt"
    path.write_text("1 30 7 7 30 5\n2 7 30 9 7 2\n3 7 5 5 30 9\n", encoding="ascii")
    path.with_name("shop.titles.tsv").write_text("7\tTent\n", encoding="ascii")
    dataset = load(path)
    made = PopularityPlot(theme)
    qtbot.addWidget(made)
    made.set_summary(summarise(dataset))
    made.items = item_table(dataset)
    table = dict(made.columns())
    assert list(table["Item"]) == ["7", "30", "5", "9", "2"]
    assert list(table["Title"])[:2] == ["Tent", ""]
    assert list(table["Actions"]) == [5, 4, 3, 2, 1]
    assert made.reading_at(QPointF(0.0, 0.0)) == "item of rank 1, 7 (Tent): 5 actions"
    made.set_summary(summarise(dataset))  # another data set: its items come later
    assert "Item" not in dict(made.columns())


def test_the_tail_in_words() -> None:
    summary = make_summary()
    rare = 100 * (summary.popularity <= 5).mean()
    top = 100 * summary.popularity[0] / summary.popularity.sum()
    assert tail_in_words(summary).replace("\u00a0", " ") == (
        f"The most popular 1 % of the items (1) hold {top:.1f} % of all actions; "
        f"{rare:.1f} % of the items have at most 5."
    )


def test_both_palettes_can_be_worn(plot: LengthPlot, theme: Theme) -> None:
    before = plot._short_bars.opts["brush"]
    theme.choose("dark")
    assert plot._short_bars.opts["brush"] != before
    theme.choose("light")
    assert plot._short_bars.opts["brush"] == before


@pytest.mark.parametrize("is_log", [False, True])
def test_users_that_are_all_too_short_leave_the_outline_alone(plot: LengthPlot, is_log: bool) -> None:
    summary = replace(make_summary(), raw_lengths=np.array([0, 0, 1]), training_lengths=np.array([], dtype=np.int64))
    plot.set_summary(summary)
    plot.set_log(is_log)
    assert plot.bars() == {}
    assert plot.outline() == {2: 1}
    assert plot.text == "K = 4 · 0.0 % short"


@pytest.mark.parametrize("zooms", [False, True])
def test_the_wheel_belongs_to_the_page_and_zooms_with_ctrl_only(qtbot: QtBot, theme: Theme, zooms: bool) -> None:
    plot = LengthPlot(theme)
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.set_summary(make_summary())
    plot.show()
    before = plot.getViewBox().viewRange()[0]
    centre = QPointF(plot.width() / 2, plot.height() / 2)
    key = Qt.KeyboardModifier.ControlModifier if zooms else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        *(centre, plot.mapToGlobal(centre), QPoint(0, 0), QPoint(0, 120)),
        *(Qt.MouseButton.NoButton, key, Qt.ScrollPhase.NoScrollPhase, False),
    )
    QApplication.sendEvent(plot.viewport(), event)
    assert (plot.getViewBox().viewRange()[0] != before) == zooms
    assert event.isAccepted() == zooms
