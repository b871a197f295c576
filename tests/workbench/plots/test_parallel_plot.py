"""Parallel axes: which lines a range keeps, by a loop; dragging, clicking, what the pointer reads."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.records import ParallelRun, ParallelRuns
from workbench.plots.parallel_plot import ParallelPlot
from workbench.theme import Theme

CHANCE = np.random.default_rng(3)
RUNS = ParallelRuns(
    ("augment.crop_rate", "loss.name"),
    "NDCG@20",
    "test",
    tuple(
        ParallelRun(f"id{n}", "coserec", (float(rate), ("bce", "bpr")[n % 2]), float(rate) / 10)
        for n, rate in enumerate(CHANCE.permutation(np.linspace(0, 1, 30)))
    ),
)


@pytest.fixture
def plot(qtbot: QtBot, theme: Theme) -> ParallelPlot:
    made = ParallelPlot(theme)
    qtbot.addWidget(made)
    made.resize(600, 300)
    assert not made.has_data
    assert made.columns() == []
    assert made.reading_at(QPointF(0, 0)) == ""
    with qtbot.waitExposed(made):
        made.show()
    made.set_runs(RUNS)
    return made


def _place(plot: ParallelPlot, x: float, y: float) -> QPoint:
    return plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x, y)))


def _drag(plot: ParallelPlot, x: float, low: float, high: float) -> None:
    start, end = _place(plot, x, low), _place(plot, x, high)
    QTest.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(plot.viewport(), end)
    QTest.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=end)


def test_a_range_keeps_the_lines_through_it(plot: ParallelPlot) -> None:
    plot.ranges = {"augment.crop_rate": (0.2, 0.6), "loss.name": (0.9, 1.0)}
    loop = [0.2 <= run.values[0] <= 0.6 and run.values[1] == "bpr" for run in RUNS.runs]
    assert plot.kept().tolist() == loop
    assert 0 < sum(loop) < 30
    best = max((run for run, one in zip(RUNS.runs, loop, strict=True) if one), key=lambda run: run.y)
    assert plot.best is not None
    assert RUNS.runs[plot.best] == best
    plot.clear_ranges()
    assert plot.kept().all()


def test_a_drag_makes_a_range_and_a_click_takes_it_away(qtbot: QtBot, plot: ParallelPlot) -> None:
    with qtbot.waitSignal(plot.kept_changed):
        _drag(plot, 0, 0.25, 0.75)
    low, high = plot.ranges["augment.crop_rate"]
    assert (low, high) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.75, abs=0.02))
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=_place(plot, 0, 0.5))
    assert plot.ranges == {}
    _drag(plot, 0.5, 0.2, 0.8)  # between two axes
    assert plot.ranges == {}


def test_the_pointer_reads_the_nearest_kept_line(plot: ParallelPlot) -> None:
    run = next(run for run in RUNS.runs if run.values[1] == "bpr")
    assert run.run_id in plot.reading_at(QPointF(0, run.values[0]))
    assert "crop_rate" in plot.reading_at(QPointF(0, 0.5))
    plot.ranges = {"loss.name": (0.0, 0.1)}
    near = plot.reading_at(QPointF(0, run.values[0]))
    assert "bce" in near
    assert run.run_id not in near


def test_the_table_has_every_run_and_which_are_kept(plot: ParallelPlot) -> None:
    plot.ranges = {"augment.crop_rate": (0.5, 1.0)}
    columns = dict(plot.columns())
    assert list(columns["augment.crop_rate"]) == [run.values[0] for run in RUNS.runs]
    assert list(columns["test NDCG@20"]) == [run.y for run in RUNS.runs]
    assert list(columns["kept"]).count("yes") == int(plot.kept().sum()) == 15


def test_axes_that_are_not_shown_keep_nothing_out(plot: ParallelPlot) -> None:
    plot.ranges = {"loss.name": (0.0, 0.1)}
    plot.set_runs(RUNS, ["augment.crop_rate"])
    assert plot.ranges == {}
    assert len(plot.axes) == 2


def test_settings_of_one_name_in_two_sections_keep_their_sections(plot: ParallelPlot) -> None:
    runs = tuple(ParallelRun(f"id{n}", "coserec", (name, "bce", 0.1), 0.1) for n, name in enumerate("ab"))
    plot.set_runs(ParallelRuns(("model.name", "loss.name", "augment.crop_rate"), "NDCG@20", "test", runs))
    told = plot.reading_at(QPointF(0, 0))
    assert "model.name a" in told
    assert "loss.name bce" in told
    assert " crop_rate 0.1" in told
