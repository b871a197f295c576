"""Actions over time: what is drawn and read is what was counted; dates that no calendar has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from engine.records import Timeline
from workbench.plots.timeline_plot import TimelinePlot, moment, times_in_words
from workbench.theme import Theme

DAY = 86400
TIMES = Timeline(
    unit="day",
    starts=np.array([0, DAY, 2 * DAY]),
    actions=np.array([5, 0, 7]),
    valid_targets=np.array([1, 0, 1]),
    test_targets=np.array([0, 0, 2]),
    users=np.array([2, 0, 3]),
    first=60,
    last=2 * DAY + 5,
    unordered_users=0,
    training_after=0.25,
)


@pytest.fixture
def plot(qtbot: QtBot, theme: Theme) -> TimelinePlot:
    made = TimelinePlot(theme)
    qtbot.addWidget(made)
    assert made.columns() == []
    assert not made.has_data
    made.set_timeline(TIMES)
    return made


def test_three_curves_are_the_three_counts(plot: TimelinePlot) -> None:
    assert plot.drawn() == ([5, 0, 7], [1, 0, 1], [0, 0, 2])
    columns = dict(plot.columns())
    assert list(columns["Day (UTC)"]) == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert list(columns["Actions"]) == [5, 0, 7]
    left, right = plot.getViewBox().viewRange()[0]
    assert left <= 0 < 3 * DAY <= right


def test_no_two_dates_stand_upon_each_other(qtbot: QtBot, plot: TimelinePlot) -> None:
    """Days are named every five, months at their first: "30" and "Oct" made one word."""
    first = 1_600_000_000 // DAY * DAY  # 13 September 2020
    days = np.arange(117)
    nothing = np.zeros(117, dtype=np.int64)
    plot.set_timeline(
        replace(
            TIMES,
            starts=first + days * DAY,
            actions=nothing + 5,
            valid_targets=nothing,
            test_targets=nothing,
            users=nothing + 2,
            first=first,
            last=first + 117 * DAY - 1,
        )
    )
    plot.resize(1400, 240)
    plot.show()
    axis = plot.getAxis("bottom")
    qtbot.waitUntil(lambda: axis._specs is not None)
    words = axis._specs[2]
    assert {"Oct", "Nov", "Dec", "15"} <= {text for _, _, text in words}
    rooms = [room for room, _, _ in words]
    assert not any(a.intersects(b) for n, a in enumerate(rooms) for b in rooms[:n])


def test_the_pointer_reads_its_bin(plot: TimelinePlot) -> None:
    read = plot.reading_at(QPointF(2.5 * DAY, 1))
    assert read == "1970-01-03: 7 actions of 3 users, 1 validation and 2 test targets"
    assert plot.reading_at(QPointF(-1, 1)) == ""
    assert plot.reading_at(QPointF(9 * DAY, 1)) == ""


def test_one_bin_and_impossible_years_are_drawn_too(plot: TimelinePlot) -> None:
    one = replace(TIMES, unit="400 years", starts=np.array([10**15]), **{
        name: np.array([3]) for name in ("actions", "valid_targets", "test_targets", "users")
    })  # fmt: skip
    plot.set_timeline(one)
    assert plot.drawn()[0] == [3]
    assert list(dict(plot.columns())["400 years (UTC)"]) == ["1,000,000,000,000,000 s"]
    plot.resize(400, 300)
    plot.show()
    assert not plot.grab().isNull()


def test_moments() -> None:
    assert moment(-1) == "1969-12-31"
    assert moment(1_400_000_000, "%Y-%m-%d %H:%M") == "2014-05-13 16:53"


def test_words() -> None:
    words = times_in_words(TIMES).replace("\u00a0", " ")
    assert words.startswith("From 1970-01-01 to 1970-01-03 (UTC). 25.0 % of the training part is later")
    assert "in the order" not in words
    assert "1 user's sequence is not" in times_in_words(replace(TIMES, unordered_users=1))
    assert "No training action" in times_in_words(replace(TIMES, training_after=0.0))
