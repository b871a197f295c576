"""Figures show what they draw: whiskers end inside of the axes, however few users are behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from engine.records import ComparedCurve, ComparedGroup, Comparison, Measure, ScatterPoint, SliceTable
from engine.reports import figures

MEANS = np.array([[0.10, 0.20], [0.12, 0.30]])
LOWS = np.array([[0.08, -0.10], [0.10, 0.02]])
HIGHS = np.array([[0.12, 0.50], [0.14, 0.95]])
"""Four users in the second bucket: their interval is far longer than any bar."""


def axes_of(draw: Any) -> Any:
    axes = Figure(layout="constrained").subplots()
    draw(axes)
    return axes


def test_the_whiskers_of_a_handful_of_users_end_inside_of_the_figure() -> None:
    users = np.array([900, 4])
    table = SliceTable("length", "HR@5", "test", ("3–5", "50+"), users, MEANS, LOWS, HIGHS, np.zeros((2, 2)))
    low, high = axes_of(figures.slice_bars(table, ["one", "other"])).get_ylim()
    assert high > HIGHS.max()
    assert low < LOWS.min()


@pytest.mark.parametrize("split", ["valid", "test"])
def test_the_whiskers_of_whole_groups_end_inside_of_the_figure(split: str) -> None:
    groups = tuple(ComparedGroup(name, (name,), (1,), "d", "f", "h", "m", "p") for name in ("one", "other"))
    measures = tuple(
        Measure(n, "HR@5", float(MEANS[n, 1]), None, float(LOWS[n, 1]), float(HIGHS[n, 1]), (0.2,)) for n in (0, 1)
    )
    found = Comparison(split, groups, ("HR@5",), 4, measures, (), 0, (), (), (), (), 0.95, 100)
    low, high = axes_of(figures.bars(found, "HR@5")).get_ylim()
    assert high > HIGHS.max()
    assert low < LOWS.min()


LONG = "CoSeRec, as the published code does: Beauty, blocks 2, dropout 0.1, hybrid after epoch 20 (n = 1)"


@pytest.mark.parametrize("name", [LONG, "a-name-without-a-blank-" * 8, "short (n = 1)"])
@pytest.mark.parametrize("width", figures.WIDTHS)
def test_names_of_any_length_are_inside_of_the_figure_and_whole(name: str, width: str) -> None:
    import matplotlib as mpl

    curves = [ComparedCurve(n, "valid/HR@5", np.arange(1.0, 4), np.ones(3), np.zeros(3), np.ones(3)) for n in range(3)]
    inches = figures.WIDTHS[width]
    with mpl.rc_context(figures._LOOK):
        figure = Figure(figsize=(inches, 0.62 * inches), layout="constrained")
        axes = figure.subplots()
        figures.lines(curves, [name] * 3, "epoch")(axes)
        figure.draw_without_rendering()
        [legend] = figure.legends
        box, whole = legend.get_window_extent(), figure.bbox
        plot = axes.get_window_extent()
    assert (box.x0 >= whole.x0, box.x1 <= whole.x1, box.y0 >= whole.y0) == (True, True, True)
    assert box.y1 < axes.xaxis.get_tightbbox().y0, "below the plot and its axis"
    assert plot.height > 0.3 * 0.62 * inches * figure.dpi, "the plot keeps its room"
    told = ["".join(text.get_text().split()) for text in legend.get_texts()]
    assert told == ["".join(name.split())] * 3


@pytest.mark.parametrize("epochs", [1, 2, 3, 40])
def test_epochs_are_whole_numbers(epochs: int) -> None:
    x = np.arange(1.0, epochs + 1)
    curve = ComparedCurve(0, "valid/HR@5", x, x / 100, np.zeros(epochs), np.ones(epochs, dtype=int))
    axes = axes_of(figures.lines([curve], ["one"], "epoch"))
    assert all(place == round(place) for place in axes.get_xticks())
    low, high = axes.get_xlim()
    assert any(low <= place <= high for place in axes.get_xticks())


@pytest.mark.parametrize(("along", "places"), [("epoch", [4.0, 4.0]), ("time", [0.5, 0.5])])
def test_curves_of_two_stages_mark_where_the_second_begins(along: str, places: list[float]) -> None:
    """The mark is named once a place, in which both groups have it; a run of one stage has none."""
    x, begins = np.arange(1.0, 7), 4.0 if along == "epoch" else 30.0
    flat, alone = np.zeros(6), np.ones(6, dtype=int)
    curves = [ComparedCurve(n, "valid/HR@5", x, x / 10, flat, alone, begins if n < 2 else None) for n in range(3)]
    axes = axes_of(figures.lines(curves, ["one", "other", "plain"], along))
    marks = [line for line in axes.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2]
    assert [mark.get_xdata()[0] for mark in marks] == places
    assert [mark.get_color() for mark in marks] == list(figures.COLOURS[:2])
    assert [text.get_text() for text in axes.texts] == ["fine-tuning"]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([64, 16, 32, 16], ["16", "32", "64"]), ([0.5, 0.1, 0.1, 0.3], ["0.1", "0.3", "0.5"]), ([1234567], ["1234567"])],
)
def test_few_values_of_a_setting_have_a_tick_each(values: list[float], ticks: list[str]) -> None:
    found = [ScatterPoint(f"r{place}", "", x, place / 10) for place, x in enumerate(values)]
    axes = axes_of(figures.points(found, "hidden size d", "HR@5", "test"))
    assert [text.get_text() for text in axes.get_xticklabels()] == ticks
    of_a_fact = axes_of(figures.points(found, "minutes", "HR@5", "test", is_setting=False))
    assert [text.get_text() for text in of_a_fact.get_xticklabels()] != ticks


@pytest.mark.parametrize("values", [range(30), [0.0001, 0.0002, 0.0003, 0.0005, 0.001]])
def test_values_that_are_many_or_close_have_the_axis_own_ticks(values: Sequence[float]) -> None:
    found = [ScatterPoint(f"r{place}", "", x, place / 10) for place, x in enumerate(values)]
    axes = axes_of(figures.points(found, "learning rate", "HR@5", "test"))
    assert set(axes.get_xticks().tolist()) != set(values)


def test_the_title_names_what_is_shown_and_counts_the_groups_beyond_four() -> None:
    groups = tuple(ComparedGroup(f"g{n}", (f"r{n}",), (1,), "d", "f", "h", "m", "p") for n in range(6))
    shown = "valid/HR@5 by epoch"
    assert figures.Provenance(groups[:2], "test", shown).title == "valid/HR@5 by epoch: g0, g1"
    assert figures.Provenance(groups, "test", shown).title == "valid/HR@5 by epoch: g0, g1, g2, g3 and 2 more"


@pytest.mark.parametrize("kind", figures.FORMATS)
def test_every_file_has_the_title_and_no_date(kind: str) -> None:
    group = ComparedGroup("one", ("r1",), (1,), "d", "f", "h", "m", "p")
    origin = figures.Provenance((group,), "test", "test HR@5")
    content = figures.render(lambda _: None, kind, "column", origin)
    assert b"test HR@5: one" in content
    assert b"CreationDate" not in content
    assert figures.render(lambda _: None, kind, "column", origin) == content
