"""Double quotes in separated values: rows, lines and values against Python's csv module, on random text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.importing import delimited
from engine.data.importing.delimited import Layout, blocks
from engine.data.importing.files import Feed
from engine.data.importing.quotes import row_starts

TEXT = st.text(alphabet='ab" ,\n', max_size=60)


def by_csv(text: str) -> tuple[list[int], list[list[str]]]:
    """The line, from 0, that each row begins on, and the rows."""
    reader = csv.reader(io.StringIO(text, newline=""))
    starts, rows, before = [], [], 0
    for row in reader:
        starts.append(before)
        rows.append(row)
        before = reader.line_num
    return starts, rows


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_rows_begin_where_csv_says(text: str) -> None:
    text += "\n"
    starts, _ = by_csv(text)
    found, end = row_starts(text.encode(), b",")
    assert found.tolist() == starts
    rows_after = by_csv(text + "z\n")[1]
    is_closed = rows_after[-1] == ["z"]
    lines = text.splitlines(keepends=True)
    assert end == (len(text) if is_closed else len("".join(lines[: starts[-1]])))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.text(alphabet='ab" ,\n', max_size=6), min_size=2, max_size=4), min_size=1, max_size=12))
def test_values_and_lines_are_those_of_csv(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    assert_as_csv_reads(tmp_path_factory.mktemp("csv") / "x.csv", text.getvalue(), 7)


def assert_as_csv_reads(path: Path, text: str, block: int) -> None:
    """Through the reader in blocks of so many bytes, against csv; rows of three columns are the good ones."""
    path.write_text(text, encoding="utf-8", newline="")
    layout = Layout(",", quoted=True, has_header=False, names=("x", "y", "z"), rows=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Feed, "lines", lambda self, **given: LINES(self, **given, block=block))
        found = list(blocks(Feed(path), layout, {"user": 0, "item": 2}))
    starts, expected = by_csv(text)
    good = [(start + 1, row[0], row[2]) for start, row in zip(starts, expected, strict=True) if len(row) == 3]
    odd = [start + 1 for start, row in zip(starts, expected, strict=True) if len(row) not in (0, 3)]
    assert [
        (int(line), user, item)
        for part in found
        for line, user, item in zip(
            part.lines, part.columns["user"].to_pylist(), part.columns["item"].to_pylist(), strict=True
        )
    ] == good
    assert [row.line for part in found for row in part.bad] == odd


LINES = Feed.lines


@pytest.mark.parametrize("block", [5, 64, 1 << 20])
def test_inch_marks_are_signs_like_any_other(tmp_path: Path, block: int) -> None:
    text = "".join(f'u{n},Samsung {n}" TV,i{n}\n' for n in range(20)) + 'v,"a ""b"", c",j\nw,x\n"y\nz",2,"k"\n'
    assert_as_csv_reads(tmp_path / "x.csv", text, block)


def test_a_quote_that_swallows_lines_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,1,b\nc,"2,d\ne,3,f\ng,4",h,i,j\nk,5,l\n', encoding="utf-8")
    layout = Layout(",", quoted=True, has_header=False, names=("x", "y", "z"), rows=())
    (part,) = blocks(Feed(path), layout, {"user": 0})
    assert part.lines.tolist() == [1, 5]
    (bad,) = part.bad
    assert (bad.line, bad.reason) == (
        2,
        "it has 5 columns where there should be 3; between double quotes it runs on to line 4",
    )


def test_rows_that_the_two_readings_count_differently_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,"b"\nc,d\n', encoding="utf-8")
    first = delimited.row_starts
    monkeypatch.setattr(delimited, "row_starts", lambda *given: (first(*given)[0][:1], len(given[0])))
    layout = Layout(",", quoted=True, has_header=False, names=("x", "y"), rows=())
    with pytest.raises(delimited.DataError, match="between lines 1 and 2 double quotes leave open"):
        list(blocks(Feed(path), layout, {"user": 0}))
