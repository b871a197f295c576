"""The columnar table against loops over rows: order, filter, words; and how long a hundred thousand rows take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from engine.records import TextColumn
from engine.records.filtering import numbers_of, rows_with
from engine.records.query import Comparison, Query, QueryError, parse
from workbench.item_models.columnar import ArrayColumn, ColumnarModel, argsort

DOWN, UP = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder


def column_of(texts: list[str]) -> TextColumn:
    """As the engine makes it, by loops."""

    def packed(rows: list[str]) -> tuple[np.ndarray, np.ndarray]:
        parts = [f"{row}\n".encode() for row in rows]
        offsets = np.cumsum([0, *(len(part) for part in parts)])
        return np.frombuffer(b"".join(parts), dtype=np.uint8), offsets

    order = sorted(set(texts), key=lambda text: (not text, text.casefold()))
    ranks = np.array([order.index(text) for text in texts], dtype=np.int32)
    return TextColumn(*packed(texts), *packed([text.casefold() for text in texts]), ranks)


def shop() -> ColumnarModel:
    model = ColumnarModel()
    model.set_columns(
        [
            ArrayColumn("item", "Item", column_of(["3", "12", "7", "40"])),
            ArrayColumn("title", "Title", column_of(["Tent for two", "", "Gas stove", "TENT pegs"])),
            ArrayColumn("users", "Users", np.array([5, 1, 5, 1200]), "Of the training part"),
            ArrayColumn("cold", "Cold", np.array([False, True, False, False])),
        ]
    )
    return model


def shown(model: ColumnarModel, column: int = 0) -> list[object]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_cells_and_headers() -> None:
    model = shop()
    assert shown(model, 1) == ["Tent for two", "", "Gas stove", "TENT pegs"]
    assert shown(model, 2) == ["5", "1", "5", "1,200"]
    assert shown(model, 3) == ["no", "yes", "no", "no"]
    heads = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(4)]
    assert heads == ["Item", "Title", "Users", "Cold"]
    tip = model.headerData(2, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert str(tip).startswith("Of the training part\nFilter: users>10")
    assert "".join(model.csv_parts()).splitlines()[4] == "40,TENT pegs,1200,False"


def test_sorting_is_stable_both_ways_and_can_be_undone() -> None:
    model = shop()
    model.sort(2, UP)
    assert shown(model) == ["12", "3", "7", "40"]
    model.sort(2, DOWN)
    assert shown(model) == ["40", "3", "7", "12"]
    model.sort(-1)
    assert shown(model) == ["3", "12", "7", "40"]


def test_a_filter_keeps_the_order_and_the_order_keeps_the_filter() -> None:
    model = shop()
    model.sort(2, DOWN)
    model.set_filter("tent")
    assert shown(model) == ["40", "3"]
    model.sort(2, UP)
    assert shown(model) == ["3", "40"]
    model.set_filter("tent users>=10")
    assert shown(model) == ["40"]
    model.set_filter("cold=yes")
    assert shown(model) == ["12"]
    model.set_filter("item>7 users != 5")
    assert shown(model) == ["12", "40"]
    assert (model.row_of(3), model.row_of(0), model.total) == (1, -1, 4)
    model.set_filter("")
    assert model.rowCount() == 4


def test_a_filter_that_cannot_be_understood_changes_nothing() -> None:
    model = shop()
    model.set_filter("stove")
    for text, says in (
        ("size>3", "There is no column 'size'. Columns: item, users, cold."),
        ("users>", "A number is missing after 'users>'."),
        ("users>many", "'many' is not a number: write e.g. users>10."),
        ("title>3", "There is no column 'title'."),
    ):
        with pytest.raises(QueryError, match=says.replace(".", r"\.")):
            model.set_filter(text)
    assert shown(model) == ["7"]


def test_other_columns_keep_what_they_can() -> None:
    model = shop()
    model.sort(2, DOWN)
    model.set_filter("users>1")
    model.set_columns([ArrayColumn("users", "Users", np.array([1, 2, 3]))])
    assert shown(model) == ["3", "2"]
    model.set_columns([ArrayColumn("length", "Length", np.array([1, 2]))])
    assert (shown(model), model.sorted_by, model.query) == (["1", "2"], None, Query())
    model.set_columns([])
    assert (model.rowCount(), model.columnCount(), model.total) == (0, 0, 0)
    with pytest.raises(ValueError, match="differ in length"):
        model.set_columns([ArrayColumn("a", "A", np.arange(2)), ArrayColumn("b", "B", np.arange(3))])


def test_other_values_of_one_column_move_what_looks_at_it() -> None:
    model = shop()
    model.set_values("cold", np.array([True, False, False, False]))
    assert shown(model, 3) == ["yes", "no", "no", "no"]
    model.set_filter("cold=no")
    model.sort(3)
    model.set_values("cold", np.array([False, False, True, True]))
    assert shown(model) == ["3", "12"]


def test_dates_are_seconds() -> None:
    assert parse("last>=1970-01-02", ["last"]).comparisons[0].value == 86400
    assert parse("last<1970-02", ["last"]).comparisons[0].value == 31 * 86400
    with pytest.raises(QueryError, match="not a number"):
        parse("last<1970-13", ["last"])


def test_spaces_around_a_sign_and_thousands() -> None:
    assert parse("a  length >= 1,000", ["length"]) == Query(("a",), (Comparison("length", ">=", 1000.0),))
    assert parse("C++ <3", ["c"]).comparisons == ()


whole = st.integers(-(2**40), 2**40) | st.integers(-5, 5)


@given(st.lists(whole, max_size=30), st.booleans())
def test_the_order_is_that_of_python(values: list[int], is_descending: bool) -> None:
    naive = sorted(range(len(values)), key=lambda row: -values[row] if is_descending else values[row])
    assert argsort(np.array(values, dtype=np.int64), is_descending).tolist() == naive


@given(st.lists(st.floats(allow_nan=False), max_size=9), st.booleans())
def test_floats_and_extremes_too(values: list[float], is_descending: bool) -> None:
    naive = sorted(range(len(values)), key=lambda row: -values[row] if is_descending else values[row])
    assert argsort(np.array(values, dtype=float), is_descending).tolist() == naive
    assert argsort(np.array([2**62, -(2**62), 0])).tolist() == [1, 2, 0]


letters = st.text(st.sampled_from("aAbß é☕"), max_size=5)


@given(st.lists(letters, max_size=12), letters)
def test_rows_with_a_word_are_those_of_a_loop(texts: list[str], word: str) -> None:
    naive = [word.casefold() in text.casefold() for text in texts]
    assert rows_with(column_of(texts), word).tolist() == naive


def test_a_word_with_a_line_feed_is_in_no_row() -> None:
    assert not rows_with(column_of(["a", "b"]), "a\nb").any()


def test_ids_as_numbers() -> None:
    assert numbers_of(column_of(["3", "12"])) is not None
    assert numbers_of(column_of(["3", "x"])) is None
    assert numbers_of(column_of(["3", ""])) is None
    assert numbers_of(column_of([])) is None
