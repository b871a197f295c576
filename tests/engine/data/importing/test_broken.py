"""Broken files: one clear sentence each, with the line, and nothing left behind."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from engine.api.imports import Imports
from engine.config import ImportRecipe
from engine.data.dataset import load
from engine.errors import DataError

HEAD = "user,item,rating,time\n"
GOOD = "".join(f"u{user},i{item},4,{1_500_000_000 + item}\n" for user in range(3) for item in range(4))


def refused(tmp_path: Path, data: bytes, name: str = "log.csv", **recipe: object) -> str:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0).replace(recipe))
    assert not any((tmp_path / "workspace").rglob("*.*"))
    assert not list((tmp_path / "workspace").glob("datasets/*"))
    return error.value.message.replace(str(path), name)


def test_a_truncated_gzip_file(tmp_path: Path) -> None:
    import random

    noise = "".join(f"u{random.Random(n).random()},i,4,1500000000\n" for n in range(30_000))
    data = gzip.compress((HEAD + noise).encode())
    assert refused(tmp_path, data[: len(data) - 20_000], "log.csv.gz") == "log.csv.gz: the gzip file is cut off."
    assert "the gzip file is" in refused(tmp_path, data[:400] + b"\0" * 40 + data[440:], "log.csv.gz")


def test_mixed_encodings(tmp_path: Path) -> None:
    data = (HEAD + GOOD).encode() + "ü1,i2,4,1500000000\n".encode("latin-1") + "ü1,i2,4,1500000000\n".encode()
    assert (
        refused(tmp_path, data)
        == "log.csv, line 14: byte 1 of the line is not UTF-8 text (--encoding latin-1 reads any)."
    )


def test_utf_16(tmp_path: Path) -> None:
    assert refused(tmp_path, (HEAD + GOOD).encode("utf-16")) == "log.csv: the file is UTF-16 text."


def test_binary(tmp_path: Path) -> None:
    assert refused(tmp_path, b"\x89PNG\0\0" * 99, "log.png").startswith("log.png: this is binary data in no format")
    late = (HEAD + GOOD * 30_000).encode() + b"a,\0,3,4\n"
    assert refused(tmp_path, late) == "log.csv, line 360,002: this is binary data and not text."


def test_missing_columns(tmp_path: Path) -> None:
    assert "have only one column" in refused(tmp_path, b"user\na\nb\n")
    message = refused(tmp_path, (HEAD + GOOD).encode(), user="customer")
    assert message == "log.csv: there is no column 'customer' for the users; it has 'user', 'item', 'rating', 'time'."
    message = refused(tmp_path, b'{"reviewerID": "A", "text": "x"}\n' * 3, "log.json", item="asin")
    assert "there is no column 'asin' for the items" in message


def test_short_rows(tmp_path: Path) -> None:
    message = refused(tmp_path, (HEAD + GOOD + "u1,i2\n" + GOOD + "u1,i2\n").encode())
    assert message == "log.csv, line 14: it has 2 columns where there should be 4; 2 rows in all cannot be used."


@pytest.mark.parametrize("missing", ["", "NaN", "nan", "null", "None", " "])
def test_ids_that_are_nan(missing: str, tmp_path: Path) -> None:
    message = refused(tmp_path, (HEAD + GOOD + f"{missing},i1,4,1500000000\n").encode())
    assert message == "log.csv, line 14: there is no user id (column 'user')."


def test_huge_ids(tmp_path: Path) -> None:
    message = refused(tmp_path, (HEAD + GOOD + f"u1,{'9' * 5000},4,1500000000\n").encode())
    assert message == f"log.csv, line 14: the item id '{'9' * 40}…' is longer than 100 characters (column 'item')."
    path = tmp_path / "big.csv"
    path.write_text(HEAD + GOOD.replace("u", "9" * 40))
    result = Imports(tmp_path / "w").run(str(path), ImportRecipe(core=0))
    assert load(result.path).user_ids[0] == "9" * 40 + "0"


def test_one_user(tmp_path: Path) -> None:
    data = (HEAD + GOOD).replace("u1", "u0").replace("u2", "u0").encode()
    assert refused(tmp_path, data) == "log.csv: all rows belong to one user, 'u0'."


@pytest.mark.parametrize("bad", ["stop", "skip"])
def test_one_user_because_the_others_rows_are_bad(bad: str, tmp_path: Path) -> None:
    """What is wrong is the rows, and not which column holds the users."""
    good = '{"reviewerID": "A", "asin": "B1", "overall": 5, "unixReviewTime": 1400000000}\n'
    text = good + good[:24] + "\n" + good.replace('"asin": "B1", ', "").replace('"A"', '"C"')
    assert refused(tmp_path, text.encode(), "r.json", on_bad_rows=bad) == (
        'r.json, line 2: it is no JSON object: {"reviewerID": "A", "asi; 2 rows in all cannot be used, and the others '
        "belong to one user, 'A'."
    )


DATES = ["2020-01-01", "yesterday", "2020-01-03", "soon"]


@pytest.mark.parametrize("column", [0, 2])
def test_a_column_of_which_half_is_dates_is_not_passed_over(column: int, tmp_path: Path) -> None:
    """Without it the order of the file would decide, and nobody had been asked."""

    def line(n: int) -> str:
        values = [f"u{n // 8}", f"i{n % 8}"]
        values.insert(column, DATES[n % 4])
        return "\t".join(values) + "\n"

    data = "".join(map(line, range(32))).encode()
    name = f"column {column + 1}"
    told = f"column '{name}' looks like dates, but 'yesterday' (line 2) is none."
    assert refused(tmp_path, data, "log.tsv") == f"log.tsv: {told}"
    imports, path = Imports(tmp_path / "w"), str(tmp_path / "log.tsv")
    assert imports.look(path).problem.startswith(told)
    strict = refused(tmp_path, data, "log.tsv", time=name)
    assert strict == (
        f"log.tsv, line 2: the time 'yesterday' is not a date (column '{name}'); 16 rows in all cannot be used."
    )
    kept = imports.run(path, ImportRecipe(core=0, time=name, on_bad_rows="skip"))
    assert (kept.report.kept.actions, kept.recipe["user"]) == (16, f"column {2 if column == 0 else 1}")
    assert imports.run(path, ImportRecipe(core=0, time="-")).report.bad_count == 0


def test_the_line_of_a_doubtful_date_counts_the_lines_that_are_no_rows(tmp_path: Path) -> None:
    rows = "".join(f"u{n // 8},i{n % 8},{DATES[n % 4]}\n\n" for n in range(32))
    assert "'yesterday' (line 6) is none" in refused(tmp_path, f"# a log\n\nuser,item,seen\n{rows}".encode())


def test_a_column_with_a_date_here_and_there_is_no_column_of_times(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    notes = ["2020-01-01", "2020-01-02", *(f"word {n}" for n in range(22))]
    path.write_text("user,item,note\n" + "".join(f"u{n // 8},i{n % 8},{note}\n" for n, note in enumerate(notes)))
    assert Imports(tmp_path / "w").run(str(path), ImportRecipe(core=0)).recipe["time"] == "-"


def test_no_rows(tmp_path: Path) -> None:
    assert refused(tmp_path, b"") == "log.csv: the file is empty."
    assert refused(tmp_path, HEAD.encode()) == "log.csv: there is no row below the header."
    assert refused(tmp_path, gzip.compress(b""), "log.csv.gz") == "log.csv.gz: the file is empty."


def test_nothing_left(tmp_path: Path) -> None:
    message = refused(tmp_path, (HEAD + GOOD).encode(), core=5)
    assert message == "log.csv: nothing is left after '5-core', of 3 users before it."


def test_no_usable_row(tmp_path: Path) -> None:
    message = refused(tmp_path, (HEAD + GOOD.replace(",4,", ",good,")).encode(), on_bad_rows="skip")
    expected = "none of its 12 rows can be used; the first: the rating 'good' is not a number (column 'rating')."
    assert message == f"log.csv, line 2: {expected}"


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    row = 'u1,"i' + "1,4,1500000000\n" + "x" * 99 + "\n"
    assert "a double quote opens and is never closed" in refused(tmp_path, (HEAD + row + GOOD * 250_000).encode())


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    assert "this is no whole Parquet file" in refused(tmp_path, b"PAR1 and then nothing", "log.parquet")


def test_json_that_is_broken_in_one_line(tmp_path: Path) -> None:
    good = '{"user_id": "u%d", "asin": "i%d", "rating": 4, "timestamp": 1500000000}\n'
    text = "".join(good % (n % 2, n) for n in range(6)) + '{"user_id": "u1", "as\n' + good % (1, 9)
    assert refused(tmp_path, text.encode(), "r.jsonl") == (
        'r.jsonl, line 7: it is no JSON object: {"user_id": "u1", "as.'
    )


def test_bad_rows_are_listed_with_their_lines_and_the_others_imported(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        HEAD + GOOD + "u1,,4,1500000000\n\nu1,i2\nu1,i2,x,1500000000\nu1,i2,4,soon\n" + "u9,i1,3,1500000000\n"
    )
    imports = Imports(tmp_path / "workspace")
    report = imports.count(str(path), ImportRecipe(core=0))
    assert [row.line for row in report.bad_rows] == [14, 16, 17, 18]
    assert (report.rows, report.bad_count, report.kept.actions) == (17, 4, 13)
    result = imports.run(str(path), ImportRecipe(core=0, on_bad_rows="skip"))
    assert result.report == report
    assert result.recipe["on_bad_rows"] == "skip"
    kept = imports.report(result.path)
    assert kept is not None
    assert kept.report == report


def test_opening_what_has_to_be_imported_says_so(tmp_path: Path) -> None:
    for name, text in (("log.csv", HEAD + GOOD), ("ratings.dat", "1::2::3::978300760\n2::2::3::978300760\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=r"it has to be imported first\..*coserec import FILE"):
            load(tmp_path / name)


def test_only_the_first_thousand_bad_rows_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEAD + GOOD + "u1,i1,x,1500000000\n" * 2500)
    report = Imports(tmp_path / "w").count(str(path), ImportRecipe(core=0))
    assert (len(report.bad_rows), report.bad_count) == (1000, 2500)


def test_ids_in_blanks_are_one_id_however_many_blocks(tmp_path: Path) -> None:
    rows = [(f"u{n % 9}", f"i{n % 13}" if n % 3 else f" i{n % 13} ") for n in range(2000)]
    path = tmp_path / "log.csv"
    path.write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in rows), encoding="utf-8")
    found = Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0))
    dataset = load(found.path)
    assert sorted(filter(None, dataset.item_ids)) == sorted(f"i{n}" for n in range(13))
    assert dataset.item_count == 13


@pytest.mark.parametrize("several", [False, True])
def test_ids_are_trimmed_and_merged_in_one_block_or_more(several: bool) -> None:
    import numpy as np
    import pyarrow as pa

    from engine.data.importing.columns import Ids

    ids = Ids()
    expected = []
    for values in ([" a", "a", "b ", "c"], ["c", "  b", "a "]) if several else ([" a", "a", "b ", "c"],):
        places, texts, status = Ids.told_apart(pa.array(values))
        assert status.tolist() == [0] * len(values)
        assert len(set(texts.to_pylist())) == len(texts)
        ids.take(places, texts)
        expected += [value.strip() for value in values]
    codes, names = ids.finish()
    assert [names[code] for code in codes] == expected
    assert len(np.unique(codes)) == 3


def test_floats_that_hold_no_whole_number_exactly_stay_apart(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "log.parquet"
    items = [1e300 * (1 + n % 7) for n in range(70)]
    parquet.write_table(pa.table({"user": [n // 7 for n in range(70)], "item": items}), path)
    found = Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0))
    assert load(found.path).item_count == 7


def test_parquet_that_holds_no_ids(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def written(table: pa.Table) -> bytes:
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        return sink.getvalue().to_pybytes()

    broken = pa.table({"user": [b"\xff\xfe"] * 4, "item": [1, 2, 3, 4]})
    assert "a column holds what is no text, number or time" in refused(tmp_path, written(broken), "a.parquet")
    nested = pa.table({"user": [{"x": 1}] * 4, "item": [1, 2, 3, 4]})
    assert "no column looks like the users' ids" in refused(tmp_path, written(nested), "b.parquet")
    twice = pa.Table.from_arrays([pa.array(["a"] * 4), pa.array([1] * 4), pa.array([2] * 4)], ["user", "item", "item"])
    assert refused(tmp_path, written(twice), "c.parquet") == "c.parquet: it has two columns called 'item'."


def test_json_that_is_deep_or_holds_half_a_character(tmp_path: Path) -> None:
    good = "".join(f'{{"user_id": "u{n}", "item_id": {n % 3}{".0" if n % 2 else ""}}}\n' for n in range(6))
    path = tmp_path / "log.jsonl"
    path.write_text(good + "[" * 100_000 + '\n{"user_id": "\\ud800", "item_id": 1}\n', encoding="utf-8")
    found = Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0, on_bad_rows="skip"))
    assert [row.line for row in found.report.bad_rows] == [7, 8]
    assert load(found.path).item_count == 3  # 1 and 1.0 are one item


@pytest.mark.parametrize("data", [b"", b"\x89PNG\0\0" * 99, b"PK\x03\x04" + b"\0" * 99])
def test_what_no_format_knows_goes_to_the_import_which_says_what_it_is(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(data)
    imports = Imports(tmp_path / "w")
    assert imports.needs_import(str(tmp_path / "log.csv"))
    assert not imports.needs_import(str(tmp_path / "none.csv"))
    with pytest.raises(DataError, match=r"the file is empty|binary data in no format|a zip archive"):
        imports.look(str(tmp_path / "log.csv"))


def dated(form: str, days: range, months: range) -> str:
    rows = [
        (f"u{n % 3}", f"i{n % 5}", day, month) for n, (day, month) in enumerate((d, m) for m in months for d in days)
    ]
    return "user,item,date\n" + "".join(
        f"{user},{item},{form.format(day=day, month=month)}\n" for user, item, day, month in rows
    )


EITHER_WAY = (
    "No day is above 12, so the dates can be read either way: they are read month first. If the day comes first, "
    "choose --time-unit day_first."
)


@pytest.mark.parametrize(
    ("form", "days", "unit", "told"),
    [
        ("{month:02}/{day:02}/2020", range(1, 13), "auto", True),
        ("{month}-{day}-2020 10:30", range(2, 6), "auto", True),
        ("{month:02}/{day:02}/2020", range(1, 14), "auto", False),  # 13 is a day
        ("{month:02}/{day:02}/2020", range(1, 13), "day_first", False),  # chosen
        ("2020-{month:02}-{day:02}", range(1, 13), "auto", False),
    ],
)
def test_dates_that_can_be_read_either_way_are_told(
    form: str, days: range, unit: str, told: bool, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(dated(form, days, range(1, 4)))
    imports, recipe = Imports(tmp_path / "w"), ImportRecipe(core=0, time_unit=unit)
    assert (EITHER_WAY in imports.look(str(path), recipe).notes) is told
    assert (EITHER_WAY in imports.run(str(path), recipe).report.notes) is told


def test_one_date_below_the_first_rows_says_that_the_day_comes_first(tmp_path: Path) -> None:
    head, rows = dated("{day:02}/{month:02}/2020", range(1, 13), range(1, 13)).split("\n", 1)
    path = tmp_path / "log.csv"
    path.write_text(f"{head}\n{rows * 2}u1,i1,13/02/2020\nu1,i1,32/02/2020\n")  # 200 rows are looked at
    report = Imports(tmp_path / "w").count(str(path), ImportRecipe(core=0))
    assert [row.reason for row in report.bad_rows] == [
        "the time '13/02/2020' is not a date, month first (column 'date'), but it is one with --time-unit day_first",
        "the time '32/02/2020' is not a date, month first (column 'date')",
    ]
