"""Curves from points: what is drawn is what was recorded; smoothing only for losses; the crosshair reads values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from workbench.plots import metric_plot
from workbench.plots.bands import band_of
from workbench.plots.metric_plot import MetricPlot
from workbench.plots.series import RunLook, frame, reading, series_label, smoothed
from workbench.theme import DARK, Theme

NAMES = ["loss/next_item", "loss/total", "valid/HR@10", "valid/NDCG@20"]


@pytest.fixture
def plot(qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> MetricPlot:
    # On a busy machine one curve can take longer than a turn; the last test sees to several of them.
    monkeypatch.setattr(metric_plot, "TURN_SECONDS", 10.0)
    made = MetricPlot(theme, "Losses", ("loss/",))
    qtbot.addWidget(made)
    made.set_series(NAMES)
    made.set_runs({"a": RunLook("run a", 0), "b": RunLook("run b", 1, hybrid_from=2.0)})
    return made


def curve(*values: float) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(1.0, len(values) + 1), np.array(values)


def drawn(plot: MetricPlot, run_id: str) -> list[float]:
    values = plot._items[run_id].getData()[1]
    return [] if values is None else values.tolist()


def test_only_its_own_series_are_offered(plot: MetricPlot) -> None:
    assert [plot.series.itemData(row) for row in range(plot.series.count())] == NAMES[:2]
    assert plot.series.itemText(0) == "Loss: next item"


def test_the_chooser_tells_the_running_means_apart(qtbot: QtBot, theme: Theme) -> None:
    made = MetricPlot(theme, "Losses", ("running/",))
    qtbot.addWidget(made)
    made.set_series(["running/next_item", "running/total"])
    assert made.series.toolTip() == "Running mean within the epoch: next item"
    made.choose("running/total")
    assert made.series.currentText() == "Running mean: total"
    assert made.series.toolTip() == "Running mean within the epoch: total"


def test_one_redraw_for_many_changes(qtbot: QtBot, plot: MetricPlot) -> None:
    for length in range(1, 6):
        plot.set_curves({"a": curve(*range(length)), "b": curve(3.0)})
    assert plot.drawn("a") is None
    qtbot.waitUntil(lambda: plot.drawn("a") is not None)
    assert drawn(plot, "a") == [0, 1, 2, 3, 4]
    assert drawn(plot, "b") == [3.0]
    qtbot.waitUntil(lambda: not plot._timer.isActive())


def test_a_run_that_is_no_longer_ticked_leaves(plot: MetricPlot) -> None:
    plot.set_curves({"a": curve(1.0), "b": curve(2.0)})
    plot.redraw()
    plot.set_runs({"b": RunLook("run b", 1, hybrid_from=2.0)})
    assert set(plot._items) == {"b"}
    plot.set_curves({"a": curve(1.0)})
    plot.redraw()
    assert plot.drawn("a") is None


def test_a_run_that_leaves_and_comes_back_before_the_next_redraw(qtbot: QtBot, plot: MetricPlot) -> None:
    looks = dict(plot._looks)
    plot.set_curves({"a": curve(1.0), "b": curve(2.0)})
    plot.set_runs({})
    plot.set_runs(looks)
    plot.set_curves({"b": curve(3.0)})
    plot.redraw()
    assert plot.drawn("a") is None
    assert drawn(plot, "b") == [3.0]
    assert plot.plot.updatesEnabled()


def test_the_hybrid_phase_is_marked_where_it_begins(plot: MetricPlot) -> None:
    assert plot._marks.places() == {"b": {"hybrid": 2.0}}
    plot.set_runs({"a": RunLook("run a", 0, hybrid_from=5.0), "b": RunLook("run b", 1)})
    assert plot._marks.places() == {"a": {"hybrid": 5.0}}


def test_the_stages_of_a_run_are_marked_as_its_hybrid_is(plot: MetricPlot) -> None:
    plot.set_runs({"a": RunLook("run a", 0, hybrid_from=1.0, fine_tuned_from=100.0), "b": RunLook("run b", 1)})
    assert plot._marks.places() == {"a": {"hybrid": 1.0, "fine-tuning": 100.0}}
    plot.log_epochs.setChecked(True)
    assert plot._marks.places() == {"a": {"hybrid": 0.0, "fine-tuning": 2.0}}
    plot.set_runs({"b": RunLook("run b", 1, fine_tuned_from=0.0)})
    assert plot._marks.places() == {}, "0 is nowhere on a logarithmic axis"
    assert not [item for item in plot.plot.getPlotItem().items if getattr(item, "label", None) is not None]


def test_losses_are_smoothed_and_metrics_never(qtbot: QtBot, theme: Theme, plot: MetricPlot) -> None:
    plot.set_curves({"a": curve(2.0, 4.0, 6.0)})
    plot.smoothing.setValue(2)
    plot.redraw()
    assert drawn(plot, "a") == [2.0, 3.0, 5.0]
    metric = MetricPlot(theme, "Validation", ("valid/",))
    qtbot.addWidget(metric)
    metric.set_series(NAMES)
    metric.smoothing.setValue(2)
    metric.set_runs({"a": RunLook("run a", 0)})
    metric.set_curves({"a": curve(2.0, 4.0, 6.0)})
    metric.redraw()
    assert drawn(metric, "a") == [2.0, 4.0, 6.0]
    assert metric.smoothing.isHidden()


def test_the_pointer_reads_the_nearest_epoch_of_every_curve(plot: MetricPlot) -> None:
    plot.set_curves({"a": curve(2.0, 4.0, 6.0), "b": curve(1.0)})
    plot.redraw()
    assert plot.readings() == [("a", 6.0), ("b", 1.0)]
    plot._pointer = 2.2
    assert plot.readings() == [("a", 4.0), ("b", None)]


def test_a_wanted_series_is_chosen_when_it_comes(qtbot: QtBot, theme: Theme) -> None:
    made = MetricPlot(theme, "Losses", ("loss/",))
    qtbot.addWidget(made)
    made.choose("loss/total")
    made.set_series(["loss/contrastive"])
    assert made.chosen == "loss/contrastive"
    made.set_series(NAMES)
    assert made.chosen == "loss/total"


def test_another_series_is_asked_for_anew(qtbot: QtBot, plot: MetricPlot) -> None:
    plot.set_curves({"a": curve(2.0, 4.0)})
    plot.redraw()
    with qtbot.waitSignal(plot.series_changed) as told:
        plot.choose("loss/total")
    assert told.args == ["loss/total"]
    assert drawn(plot, "a") == []


def test_the_table_has_the_recorded_values(plot: MetricPlot) -> None:
    plot.smoothing.setValue(9)
    plot.set_curves({"a": curve(2.0, 4.0, 6.0)})
    plot.redraw()
    columns = dict(plot.columns())
    assert list(columns["run a: loss/next_item"]) == [2.0, 4.0, 6.0]
    assert list(columns["run a: epoch"]) == [1.0, 2.0, 3.0]


def test_plots_follow_the_theme(plot: MetricPlot, theme: Theme) -> None:
    plot.set_curves({"a": curve(1.0)})
    plot.redraw()
    theme.choose("dark")
    assert plot.plot.backgroundBrush().color().name() == DARK.surface
    assert plot._items["a"].opts["pen"].color().name() == DARK.series[0]
    theme.choose("light")


@given(st.lists(st.floats(-1e3, 1e3), max_size=60), st.integers(1, 20))
def test_smoothing_is_the_mean_of_the_last_values(values: list[float], window: int) -> None:
    naive = [float(np.mean(values[max(0, i - window + 1) : i + 1])) for i in range(len(values))]
    assert smoothed(np.array(values), window).tolist() == pytest.approx(naive, abs=1e-9)


def test_reading_outside_of_a_curve() -> None:
    assert reading(curve(1.0, 2.0), 9.0) is None
    assert reading(curve(), 1.0) is None
    assert reading(curve(1.0, 2.0), 1.4) == 1.0


def test_names_of_series() -> None:
    assert series_label("valid/NDCG@20") == "Validation NDCG@20"
    assert series_label("running/total") == "Running mean within the epoch: total"
    assert series_label("odd") == "odd"


def test_the_axis_of_epochs_has_whole_numbers_only(plot: MetricPlot) -> None:
    axis = plot.plot.getPlotItem().getAxis("bottom")
    for top in (0.3, 2.0, 7.0, 300.0):
        assert all(spacing >= 1 and spacing == int(spacing) for spacing, _ in axis.tickSpacing(0.0, top, 500.0))


def ranges(plot: MetricPlot) -> tuple[tuple[float, float], tuple[float, float]]:
    """What the axes show, once the plot has followed its items."""
    view = plot.plot.getPlotItem().vb
    view.updateAutoRange()
    (left, right), (low, high) = view.viewRange()
    return (left, right), (low, high)


def test_one_point_has_room_around_it_and_no_impossible_values(qtbot: QtBot, theme: Theme) -> None:
    metric = MetricPlot(theme, "Validation", ("valid/",))
    qtbot.addWidget(metric)
    metric.resize(500, 300)
    metric.show()
    metric.set_series(["valid/NDCG@20"])
    metric.set_runs({"a": RunLook("run a", 0)})
    metric.set_curves({"a": curve(0.02)})
    metric.redraw()
    (left, right), (low, high) = ranges(metric)
    assert left == 0
    assert 2 <= right < 2.5
    assert 0 <= low < 0.02 < high < 0.05
    metric.set_curves({"a": curve(0.0)})
    metric.redraw()
    assert ranges(metric)[1][0] == 0
    metric.log.setChecked(True)
    metric.set_curves({"a": curve(0.02, 0.04)})
    metric.redraw()
    low, high = ranges(metric)[1]
    assert -2 < low < np.log10(0.02)
    assert np.log10(0.04) < high < 0


def test_the_axis_of_epochs_holds_the_points_of_the_first_epoch(qtbot: QtBot, theme: Theme) -> None:
    losses, validation = MetricPlot(theme, "Losses", ("running/",)), MetricPlot(theme, "Validation", ("valid/",))
    for made in (losses, validation):
        qtbot.addWidget(made)
        made.resize(500, 300)
        made.show()
        made.set_series(["running/total", "valid/NDCG@20"])
        made.set_runs({"a": RunLook("run a", 0)})
    losses.plot.setXLink(validation.plot)
    losses.set_curves({"a": (np.array([0.25, 0.5, 1.0, 3.75]), np.array([3.0, 2.0, 1.5, 1.2]))})
    validation.set_curves({"a": (np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]))})
    for made in (losses, validation):
        made.cover(3.75)
        made.redraw()
        made.autoscale()
    for made in (validation, losses):
        left, right = ranges(made)[0]
        assert left <= 0.25
        assert right >= 3.75


def test_the_frame_of_what_is_drawn() -> None:
    xs, ys = frame([], 0, never_below_0=True)
    assert (xs.tolist(), ys.tolist()) == ([0, 2], [0, 1])
    xs, ys = frame([curve(0.001)], 7, never_below_0=True)
    assert xs.tolist() == [0, 7]
    assert 0 < ys[0] < 0.001 < ys[1] < 0.002
    assert frame([curve(-1.0, 2.0)], 0, never_below_0=False)[1].tolist() == [-1, 2]


def test_many_curves_take_several_turns_and_are_painted_once(
    qtbot: QtBot, plot: MetricPlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each turn hands over one curve here; the plot itself is not painted before the last."""
    monkeypatch.setattr(metric_plot, "TURN_SECONDS", 0.0)
    names = [f"r{number}" for number in range(5)]
    plot.set_runs({name: RunLook(name, place) for place, name in enumerate(names)})
    plot.set_curves({name: curve(1.0, 2.0) for name in names})
    plot.redraw()
    assert sum(plot.drawn(name) is not None for name in names) == 1
    assert not plot.plot.updatesEnabled()
    qtbot.waitUntil(lambda: all(plot.drawn(name) is not None for name in names))
    assert plot.plot.updatesEnabled()


def test_a_mean_tells_how_many_runs_are_behind_it_there(qtbot: QtBot, theme: Theme) -> None:
    made = MetricPlot(theme, "Validation", ("valid/",))
    qtbot.addWidget(made)
    made.set_series(["valid/NDCG@20"])
    made.set_runs({"g": RunLook("group", 0)})
    longer, shorter = (np.array([1.0, 2.0]), np.array([0.1, 0.3])), (np.array([1.0]), np.array([0.2]))
    band = band_of([longer, shorter])
    made.set_curves({"g": band.curve})
    made.set_bands({"g": band})
    made.redraw()
    assert "0.3000 (n = 1)" in made.reading.text(), "one seed alone has reached the latest epoch"
    assert [band.count_at(at) for at in (0.9, 1.4, 1.6, None)] == [2, 2, 1, 1]


def turn_the_wheel(plot: MetricPlot, notches: int) -> None:
    """As pyqtgraph does for the wheel over the plot: by a factor of 1.02^(delta / 8) around the middle."""
    view = plot.plot.getViewBox()
    for _ in range(abs(notches)):
        view._resetTarget()
        view.scaleBy([1.02 ** (-120 / 8 * np.sign(notches) * -1), None], view.viewRect().center())


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("notches", [40, -200])
def test_no_zoom_loses_the_curves_for_good(qtbot: QtBot, plot: MetricPlot, notches: int, is_log: bool) -> None:
    plot.resize(500, 300)
    plot.show()
    plot.set_curves({"a": curve(2.0, 4.0, 6.0, 3.0), "b": curve(9.0)})
    plot.redraw()
    plot.log_epochs.setChecked(is_log)
    before = ranges(plot)
    turn_the_wheel(plot, notches)
    left, right = plot.plot.getViewBox().viewRange()[0]
    assert right < 10
    assert left >= -1
    assert right - left >= 0.0099
    plot.autoscale()
    qtbot.waitUntil(lambda: ranges(plot) == (pytest.approx(before[0]), pytest.approx(before[1])))


def test_show_all_finds_the_curves_from_a_range_that_shows_none(qtbot: QtBot, plot: MetricPlot) -> None:
    """pyqtgraph thins curves out to the range in sight; where that is 10^12 wide nothing remains to be measured."""
    plot.resize(500, 300)
    plot.show()
    plot.set_curves({"a": curve(2.0, 4.0, 6.0, 3.0), "b": curve(9.0)})
    plot.redraw()
    plot._lift_limits()
    plot.plot.setXRange(-1e12, 1e12)
    plot.plot.setYRange(-1e12, 1e12)
    assert ranges(plot)[0][1] > 1e11
    plot.autoscale()
    (left, right), (low, high) = ranges(plot)
    assert -1 < left <= 0
    assert 4 <= right < 5
    assert 1 < low <= 2
    assert 9 <= high < 10
    assert len(plot._items["a"].getData()[0]) == 4


def test_the_limits_follow_what_is_drawn(plot: MetricPlot) -> None:
    plot.set_curves({"a": curve(*range(100))})
    plot.redraw()
    plot.plot.setXRange(0, 1000)
    assert 100 <= plot.plot.getViewBox().viewRange()[0][1] < 120
    plot.cover(300)
    plot.plot.setXRange(0, 1000)
    assert 300 <= plot.plot.getViewBox().viewRange()[0][1] < 400


def test_show_all_holds_the_whole_band(qtbot: QtBot, theme: Theme) -> None:
    made = MetricPlot(theme, "Losses", ("loss/",))
    qtbot.addWidget(made)
    made.set_series(NAMES)
    made.set_runs({"g": RunLook("group", 0)})
    band = band_of([curve(1.0, 2.0), curve(5.0, 9.0)])
    made.set_curves({"g": band.curve})
    made.redraw()
    made.set_bands({"g": band})
    low, high = made._frame.getData()[1]
    assert low <= band.mean[0] - band.deviation[0]
    assert high >= band.mean[1] + band.deviation[1]
