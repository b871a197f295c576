"""Small files as strangers have them: read as they are meant, or refused in one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.api.imports import Imports
from engine.config import ImportRecipe
from engine.errors import DataError
from engine.records import ImportLook, ImportReport

HEAD = "user,item,rating,time"
COLUMNS = "customer,product,when,note"
ROWS = [(f"u{n // 4}", f"p{n % 5}", n % 5 + 1, 1_500_000_000 + n) for n in range(24)]


def table(rows: list[tuple[object, ...]], head: str = HEAD, sign: str = ",") -> str:
    lines = [head.replace(",", sign)] if head else []
    return "\n".join([*lines, *(sign.join(map(str, row)) for row in rows)]) + "\n"


def opened(folder: Path, text: str | bytes, name: str = "log.csv") -> tuple[ImportLook, ImportReport]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    imports, recipe = Imports(folder / "workspace"), ImportRecipe(core=0)
    return imports.look(str(path), recipe), imports.run(str(path), recipe).report


def refused(folder: Path, text: str | bytes, name: str = "log.csv") -> tuple[str, str]:
    with pytest.raises(DataError) as error:
        opened(folder, text, name)
    return error.value.message.replace(f"{folder / name}", name), error.value.hint


@pytest.mark.parametrize(
    "above", ["\n\n", "# exported by a tool\n", "# user = customer, item = article\n\n", "sep=,\n", '"sep=,"\r\n']
)
def test_what_stands_above_the_table_is_read_over(above: str, tmp_path: Path) -> None:
    look, report = opened(tmp_path, above + table(ROWS))
    assert [column.name for column in look.columns] == HEAD.split(",")
    assert (report.bad_count, report.kept.actions) == (0, 24)


def test_lines_keep_their_numbers_below_what_is_read_over(tmp_path: Path) -> None:
    message, _ = refused(tmp_path, "# one\n\n" + table(ROWS) + ",p1,4,1500000000\n")
    assert message == "log.csv, line 28: there is no user id (column 'user')."


def test_a_sign_before_the_names_is_no_comment(tmp_path: Path) -> None:
    look, report = opened(tmp_path, "#" + table(ROWS))
    assert (look.recipe["user"], report.kept.actions) == ("#user", 24)


def test_excel_says_the_separator(tmp_path: Path) -> None:
    """One value a line could be split by several signs; the first line says by which."""
    rows = [(user, f"{item},a", rating, time) for user, item, rating, time in ROWS]
    look, report = opened(tmp_path, b"\xef\xbb\xbfsep=;\r\n" + table(rows, sign=";").replace("\n", "\r\n").encode())
    assert [column.name for column in look.columns] == HEAD.split(",")
    assert report.kept.items == 5


def test_names_in_another_language_stand_above_dates(tmp_path: Path) -> None:
    rows = [(user, item, f"{n % 28 + 1:02}.03.2021") for n, (user, item, _, _) in enumerate(ROWS)]
    look, _ = opened(tmp_path, table(rows, "Kunde,Artikel,Datum", ";"))
    assert [look.recipe[role] for role in ("user", "item", "time", "time_unit")] == [
        *("Kunde", "Artikel", "Datum", "day_first"),
    ]


@pytest.mark.parametrize(
    ("given", "roles"),
    [
        ({"user": "product"}, ["product", "customer", "-", "when"]),
        ({"item": "customer"}, ["product", "customer", "-", "when"]),
        ({"user": "product", "item": "customer"}, ["product", "customer", "-", "when"]),
        ({"user": "note"}, ["note", "product", "-", "when"]),
        ({"item": "when"}, ["customer", "when", "-", "-"]),
        ({"time": "-"}, ["customer", "product", "-", "-"]),
    ],
)
def test_a_column_with_a_given_role_leaves_the_other_guesses(
    given: dict[str, str], roles: list[str], tmp_path: Path
) -> None:
    """``--user product`` made the times the items, and nothing was left of 5-core."""
    path = tmp_path / "log.csv"
    path.write_text(table([(f"u{n // 4}", f"p{n % 5}", 1_500_000_000 + n, "a") for n in range(24)], COLUMNS))
    look = Imports(tmp_path / "workspace").look(str(path), ImportRecipe(core=0, **given))
    assert (look.problem, [look.recipe[role] for role in ("user", "item", "rating", "time")]) == ("", roles)


def test_a_role_whose_column_is_given_away_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(table([(f"u{n // 4}", f"p{n % 5}", 1_500_000_000 + n, "a") for n in range(24)], COLUMNS))
    with pytest.raises(DataError) as error:
        Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0, rating="product"))
    assert error.value.message == (f"{path}: no column looks like the items' ids among 'note'.")
    assert error.value.hint == "Name it: --item COLUMN."


@pytest.mark.parametrize("head", ["when (UTC),who,thing,note", ""])
def test_a_date_before_the_ids_is_the_time_not_the_user(head: str, tmp_path: Path) -> None:
    """A log's first column is its date: it was taken for the users, one action each, and nothing was left of 5-core."""
    rows = [(f"{n % 28 + 1:02}/11/2020 05:16", user, item, "so") for n, (user, item, _, _) in enumerate(ROWS)]
    look, report = opened(tmp_path, table(rows, head, ";"))
    assert [look.recipe[role] for role in ("user", "item", "time")] == [
        *(["who", "thing", "when (UTC)"] if head else ["column 2", "column 3", "column 1"]),
    ]
    assert (report.kept.users, report.kept.items) == (6, 5)


@pytest.mark.parametrize("head", ["", ",Kunde,Artikel,Sterne,Zeit", "nr,Kunde,Artikel,Sterne,Zeit"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_numbers_the_rows_is_nobody(head: str, first: int, tmp_path: Path) -> None:
    """It was taken for the users: as many as there are rows, with one action each."""
    _, report = opened(tmp_path, table([(n, *row) for n, row in enumerate(ROWS, first)], head))
    assert (report.kept.users, report.kept.items) == (6, 5)


def test_decimal_commas(tmp_path: Path) -> None:
    rows = [(user, item, f"{rating},5", time) for user, item, rating, time in ROWS]
    _, report = opened(tmp_path, table(rows, sign=";"))
    assert report.bad_count == 0
    message, hint = refused(tmp_path, table([(u, i, "1,500", t) for u, i, _, t in ROWS], sign=";"))
    assert "the rating '1,500' is not a number (column 'rating')" in message
    assert hint == "Check the format and the columns, or leave the ratings out: --rating -."


def test_a_column_without_any_rating_costs_no_row(tmp_path: Path) -> None:
    head = "user_id:token,item_id:token,rating:float,timestamp:float"
    rows = [(user, item, "", time) for user, item, _, time in ROWS]
    look, report = opened(tmp_path, table(rows, head, "\t"), "log.inter")
    assert (look.recipe["rating"], report.kept.actions) == ("-", 24)


def test_half_days(tmp_path: Path) -> None:
    rows = [(user, item, f"07/{n + 1:02}/2017 0{n % 9 + 1}:30 PM") for n, (user, item, _, _) in enumerate(ROWS)]
    look, report = opened(tmp_path, table(rows, "user,item,time"))
    assert (look.recipe["time_unit"], report.bad_count) == ("month_first", 0)


def test_dates_of_which_some_are_none(tmp_path: Path) -> None:
    rows = [(u, i, "yesterday" if n % 4 == 0 else f"2021-03-{n + 1:02}") for n, (u, i, _, _) in enumerate(ROWS)]
    message, hint = refused(tmp_path, table(rows, "user,item,time"))
    assert message == (
        "log.csv, line 2: the time 'yesterday' is not a date (column 'time'); 6 rows in all cannot be used."
    )
    assert hint == "Mend the file, or import the valid rows: --on-bad-rows skip."


def test_times_that_nothing_reads(tmp_path: Path) -> None:
    rows = [(user, item, "14/07/17") for user, item, _, _ in ROWS]  # of which century?
    message, hint = refused(tmp_path, table(rows, "user,item,time"))
    assert "the time '14/07/17' is not a number of seconds since 1970, nor a date that is known (column 'time')" in (
        message
    )
    assert hint == "Check the format and the columns, or leave the times out: --time -."
    far = table([(*row[:3], 10**13) for row in ROWS])
    path = tmp_path / "far.csv"
    path.write_text(far)
    with pytest.raises(DataError, match=r"the time '10000000000000', in seconds, is after the year 9999"):
        Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0, time_unit="seconds", on_bad_rows="skip"))


def test_times_that_are_not_set_are_told(tmp_path: Path) -> None:
    rows = [(*row[:3], (-1, 0)[n % 2] if n % 4 == 0 else row[3]) for n, row in enumerate(ROWS)]
    _, report = opened(tmp_path, table(rows))
    assert "6 times are 0 or before 1970: those actions come first." in report.notes


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04\0\0", "this is a zip archive or an Excel workbook"),
        (b"BZh91AY\0", "this is a bzip2 file"),
        (b"\xfd7zXZ\0", "this is an xz file"),
        (b"<!DOCTYPE html>\n<html><body>not found</body></html>\n", "this is a web page and no data"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(start: bytes, what: str, tmp_path: Path) -> None:
    message, hint = refused(tmp_path, start)
    assert message == f"log.csv: {what}."
    assert hint
