"""Where values stand on parallel axes: in their order, whole range used, logarithms where they span much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.records import ParallelRun, ParallelRuns
from engine.records.parallel import axis_of

NUMBERS = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=2, max_size=20)


@given(NUMBERS)
@example([5e-324, 1.0, 2.0])
def test_numbers_keep_their_order_and_use_the_whole_axis(values: list[float]) -> None:
    places = axis_of("x", values).places
    assert ((places >= 0) & (places <= 1)).all()
    for one, a in enumerate(values):
        for two, b in enumerate(values):
            assert a >= b or places[one] <= places[two]
    if len(set(values)) > 1:
        assert (places.min(), places.max()) == (0, 1)


def test_numbers_over_two_powers_of_ten_stand_by_their_logarithm() -> None:
    axis = axis_of("learning_rate", [1e-4, 1e-3, 1e-2])
    assert axis.is_log
    assert axis.places == pytest.approx([0, 0.5, 1])
    assert axis_of("x", [1, 50]).is_log is False
    assert axis_of("x", [0, 0.001, 1000]).is_log is False
    assert axis.ticks == ((0, "0.0001"), (pytest.approx(0.5), "0.001"), (1, "0.01"))


def test_ticks_do_not_stand_upon_each_other() -> None:
    axis = axis_of("NDCG@20", [0.046, 0.1, 0.101, 0.2336, 0.2348])
    assert [text for _, text in axis.ticks] == ["0.046", "0.1", "0.2348"]
    assert len(axis.places) == 5
    assert axis_of("x", [3]).ticks == ((0.5, "3"),)


def test_other_values_stand_side_by_side() -> None:
    axis = axis_of("name", ["bce", "bpr", "bce", "cross_entropy"])
    assert axis.places.tolist() == [0, 0.5, 0, 1]
    assert [text for _, text in axis.ticks] == ["bce", "bpr", "cross_entropy"]
    assert axis_of("flag", [True, False]).ticks == ((0, "no"), (1, "yes"))
    assert axis_of("one", ["a", "a"]).places.tolist() == [0.5, 0.5]


def test_words_do_not_stand_upon_each_other() -> None:
    ticks = axis_of("x", [f"word {n:03}" for n in range(101)]).ticks
    places = [place for place, _ in ticks]
    assert np.diff(places).min() >= 0.05 - 1e-9
    assert [ticks[0][1], ticks[-1][1]] == ["word 000", "word 100"]


def test_what_a_run_lacks_stands_below_all() -> None:
    axis = axis_of("rate", [0.1, None, 0.3])
    assert axis.places[1] == 0 < axis.places[0] < axis.places[2] == 1
    assert axis.ticks[0] == (0, "–")
    assert axis_of("name", [None, "a"]).places.tolist() == [0, 1]


def test_many_values_are_named_at_the_ends_only() -> None:
    axis = axis_of("seed", list(range(30)))
    assert axis.ticks == ((0, "0"), (1, "29"))


def test_axes_of_runs_are_those_asked_for_and_the_metric() -> None:
    runs = ParallelRuns(
        ("a.x", "b.y"), "NDCG@20", "test", tuple(ParallelRun(str(n), "run", (n, -n), n / 10) for n in range(3))
    )
    assert [axis.name for axis in runs.axes()] == ["a.x", "b.y", "test NDCG@20"]
    assert [axis.name for axis in runs.axes(["b.y"])] == ["b.y", "test NDCG@20"]
    assert np.allclose(runs.axes(["b.y"])[0].places, [1, 0.5, 0])


def test_axes_at_first_are_what_most_runs_have() -> None:
    rows = ((None, 1, 5, None), (None, 2, 6, 7), (3, None, 4, 8))
    runs = ParallelRuns(
        ("a", "b", "c", "d"),
        "NDCG@20",
        "test",
        tuple(ParallelRun(str(n), "run", row, 0.1) for n, row in enumerate(rows)),
    )
    assert runs.told_by_most(1) == ("c",)
    assert runs.told_by_most(2) == ("b", "c")
    assert runs.told_by_most(9) == ("a", "b", "c", "d")


def test_of_equally_common_settings_the_axes_of_a_grid_are_shown_first() -> None:
    """``a`` differs between two presets alone, ``b`` within one of them, and ``c`` has more values than both."""
    rows = (("p", (1, 8, 1)), ("p", (1, 9, 1)), ("q", (2, 8, 1)), ("q", (2, 8, 1)), ("q", (None, None, 2)))
    runs = tuple(ParallelRun(str(n), f"run {n}", row, 0.1, family) for n, (family, row) in enumerate(rows))
    found = ParallelRuns(("a", "b", "c"), "NDCG@20", "test", runs)
    assert found.told_by_most(1) == ("c",)
    assert found.told_by_most(2) == ("b", "c")
