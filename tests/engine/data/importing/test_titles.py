"""Titles in a column of the data itself: taken where they are an item's, left where each row says another."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.api.imports import Imports
from engine.config import ImportRecipe
from engine.data.dataset import load
from engine.data.importing.stored import FACTS

HEAD = ("user_id", "product_id", "title", "timestamp")
ROWS = [(f"u{n % 4}", f"p{n % 5}", f"Thing {n % 5}", 1_400_000_000 + n) for n in range(40)]


def _written(folder: Path, name: str, rows: list[tuple[object, ...]], head: tuple[str, ...] = HEAD) -> str:
    path = folder / name
    if path.suffix == ".parquet":
        columns = zip(*rows, strict=True)
        parquet.write_table(pa.table(dict(zip(head, map(list, columns), strict=True))), path)
    else:
        path.write_text("".join(",".join(map(str, row)) + "\n" for row in (head, *rows)))
    return str(path)


@pytest.mark.parametrize("name", ["log.csv", "log.parquet"])
def test_a_column_of_titles_is_taken(name: str, tmp_path: Path) -> None:
    done = Imports(tmp_path / "w").run(_written(tmp_path, name, ROWS), ImportRecipe(core=0))
    dataset = load(done.path)
    assert done.report.titled == 5
    assert {dataset.item_ids[n]: dataset.title(n) for n in range(1, 6)} == {f"p{n}": f"Thing {n}" for n in range(5)}


def test_the_item_column_is_the_users_choice(tmp_path: Path) -> None:
    rows = [(user, "x", item, title, time) for user, item, title, time in ROWS]
    path = _written(tmp_path, "log.csv", rows, ("user_id", "item_id", "shelf", "title", "timestamp"))
    done = Imports(tmp_path / "w").run(path, ImportRecipe(core=0, item="shelf"))
    assert load(done.path).title(1) == "Thing 0"


@pytest.mark.parametrize("name", ["log.csv", "log.parquet"])
def test_titles_of_reviews_are_not_those_of_items(name: str, tmp_path: Path) -> None:
    rows = [(user, item, f"so so {n}", time) for n, (user, item, _, time) in enumerate(ROWS)]
    done = Imports(tmp_path / "w").run(_written(tmp_path, name, rows), ImportRecipe(core=0))
    assert load(done.path).titles is None
    assert any("'title' says different things" in note for note in done.report.notes)


@pytest.mark.parametrize(("others", "wanted"), [(1, "Thing 0"), (7, "Thing 0"), (8, "Thing nought")])
def test_an_item_spelled_in_two_ways_keeps_what_most_rows_say(others: int, wanted: str, tmp_path: Path) -> None:
    """The rows say "Thing 0" eight times of it; with as many others before and behind them, the first one counts."""
    rows = [("u9", "p0", "Thing nought", 1)] * (others == 8) + ROWS
    rows += [("u9", "p0", "Thing nought", 1)] * (others - (others == 8))
    done = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", rows), ImportRecipe(core=0))
    assert _titles_of(done.path) == [wanted, *(f"Thing {n}" for n in range(1, 5))]


@pytest.mark.parametrize("name", ["log.csv", "log.parquet"])
def test_a_row_that_cannot_be_used_titles_no_item(name: str, tmp_path: Path) -> None:
    """Neither alone nor by their number: they are other rows than those of the data set."""
    users = [("", "p0", "x", "1400000000")] * 20
    times = [("u1", "p3", "Bad time", "yesterday"), ("u1", "p3", "Bad time", "")]
    rows = [*users, *times, *((user, item, title, str(time)) for user, item, title, time in ROWS), *users]
    done = Imports(tmp_path / "w").run(_written(tmp_path, name, rows), ImportRecipe(core=0, on_bad_rows="skip"))
    assert done.report.bad_count == 42
    assert _titles_of(done.path) == [f"Thing {n}" for n in range(5)]


def test_what_was_titled_by_the_former_rule_is_imported_again(tmp_path: Path) -> None:
    path, imports = _written(tmp_path, "log.csv", ROWS), Imports(tmp_path / "w")
    done = imports.run(path, ImportRecipe(core=0))
    assert not imports.run(path, ImportRecipe(core=0)).is_new
    former = Path(done.path).parent.rename(tmp_path / "w" / "datasets" / "log-0123456789ab")
    assert not imports.run(path, ImportRecipe(core=0)).is_new
    tree = json.loads((former / FACTS).read_text())
    del tree["titles"]["chosen"]
    (former / FACTS).write_text(json.dumps(tree))
    assert imports.run(path, ImportRecipe(core=0)).is_new
    assert former.is_dir()


def test_a_row_that_cannot_be_used_titles_none_behind_a_title_of_two_lines(tmp_path: Path) -> None:
    rows = [(user, item, f'"{title}\nGreen"', time) for user, item, title, time in ROWS]
    rows = [("u1", "p0", '"Bad, time"', "yesterday"), *rows[:20], ("", "p3", "x", 1_400_000_000), *rows[20:]]
    done = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", rows), ImportRecipe(core=0, on_bad_rows="skip"))
    assert [row.line for row in done.report.bad_rows] == [2, 43]
    assert _titles_of(done.path) == [f"Thing {n} Green" for n in range(5)]


def test_a_row_without_an_id_titles_no_item(tmp_path: Path) -> None:
    rows = [("u1", "", "Nothing", 1_400_000_000), *ROWS]
    done = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", rows), ImportRecipe(core=0, on_bad_rows="skip"))
    assert (done.report.titled, load(done.path).title(0)) == (5, "")


def test_none_are_taken_where_none_are_wanted(tmp_path: Path) -> None:
    done = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", ROWS), ImportRecipe(core=0, titles="-"))
    assert load(done.path).titles is None


def test_the_same_again_is_instant(tmp_path: Path) -> None:
    path = _written(tmp_path, "log.csv", ROWS)
    first, second = (Imports(tmp_path / "w").run(path, ImportRecipe(core=0)) for _ in range(2))
    assert (first.path, first.is_new, second.is_new) == (second.path, True, False)


def _with_a_bad_title(folder: Path, name: str = "log.csv") -> Path:
    """The third row's title has a byte of Latin-1; so has the id of the fifth."""
    path = folder / name
    lines = [",".join(HEAD), *(",".join(map(str, row)) for row in ROWS)]
    data = [line.encode() for line in lines]
    data[3] = data[3].replace(b"Thing", b"Th\xefng")
    data[5] = data[5].replace(b"p4", b"p\xe4")
    path.write_bytes(b"\n".join(data) + b"\n")
    return path


def test_a_bad_title_costs_no_interaction(tmp_path: Path) -> None:
    path = _with_a_bad_title(tmp_path)
    imports, recipe = Imports(tmp_path / "w"), ImportRecipe(core=0, on_bad_rows="skip")
    report = imports.count(str(path), recipe)
    assert [row.line for row in report.bad_rows] == [6]
    assert (report.bad_title_count, report.kept.actions) == (1, 39)
    (told,) = report.bad_titles
    assert (told.line, told.reason) == (
        4,
        "in the title, byte 9 of the line is not UTF-8 text (--encoding latin-1 reads any)",
    )
    done = imports.run(str(path), recipe)
    assert (done.report.bad_titles, done.report.titled) == (report.bad_titles, 5)  # p2 has others
    kept = imports.report(done.path)
    assert kept is not None
    assert kept.report == done.report


def test_a_bad_title_stops_no_import_and_none_wanted_is_none_bad(tmp_path: Path) -> None:
    path = _with_a_bad_title(tmp_path)
    data = path.read_bytes().replace(b"p\xe4", b"p4")
    path.write_bytes(data)
    imports = Imports(tmp_path / "w")
    assert imports.run(str(path), ImportRecipe(core=0)).report.bad_title_count == 1
    without = imports.run(str(path), ImportRecipe(core=0, titles="-")).report
    assert (without.bad_title_count, without.bad_titles, without.kept.actions) == (0, (), 40)


def test_a_bad_byte_in_any_other_column_is_nothing(tmp_path: Path) -> None:
    rows = b"user,item,shop\n" + b"".join(b"u%d,i%d,k\xf6ln\n" % (n % 3, n % 5) for n in range(30))
    (tmp_path / "log.csv").write_bytes(rows)
    report = Imports(tmp_path / "w").count(str(tmp_path / "log.csv"), ImportRecipe(core=0))
    assert (report.bad_count, report.bad_title_count, report.kept.actions) == (0, 0, 30)
    lines = b"".join(b'{"user_id": "u%d", "asin": "i%d", "text": "k\xf6ln"}\n' % (n % 3, n % 5) for n in range(30))
    (tmp_path / "log.jsonl").write_bytes(lines + b'{"user_id": "\xf6", "asin": "i1"}\n')
    report = Imports(tmp_path / "w").count(str(tmp_path / "log.jsonl"), ImportRecipe(core=0))
    assert (report.bad_count, report.bad_rows[0].line, report.kept.actions) == (1, 31, 30)


def test_a_bad_title_over_two_lines_is_told_with_its_line(tmp_path: Path) -> None:
    rows = b"user,item,title\n" + b"".join(b'u%d,i%d,"a\nb"\n' % (n % 3, n % 5) for n in range(30))
    (tmp_path / "log.csv").write_bytes(rows.replace(b"b", b"\xf6", 2))
    report = Imports(tmp_path / "w").count(str(tmp_path / "log.csv"), ImportRecipe(core=0))
    assert ([row.line for row in report.bad_titles], report.kept.actions) == ([3, 5], 30)


def test_a_report_from_before_bad_titles_were_counted_is_read(tmp_path: Path) -> None:
    from engine.data.importing.stored import report_from
    from engine.records import to_plain

    report = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", ROWS), ImportRecipe(core=0)).report
    old = to_plain(report)
    del old["bad_titles"], old["bad_title_count"]
    assert report_from(old) == report


def _titles_of(path: str) -> list[str]:
    dataset = load(path)
    return [dataset.title(n) for n in range(1, 6)]


def test_the_rest_of_the_line_is_the_titles_where_it_is_last(tmp_path: Path) -> None:
    things = ["Shampoo, mint", 'Comb, 7" long, red', "Soap", "Bag, ", '"Oil, ""best""", 5 ml']
    lines = [f"u{n % 4},p{n % 5},{1_400_000_000 + n},{things[n % 5]}\n" for n in range(40)]
    path = tmp_path / "log.csv"
    path.write_text("user,item,time,title\n" + "".join([*lines, "u1,p2\n", *lines]))
    assert Imports(tmp_path / "w").look(str(path)).rows[0][3] == "Shampoo, mint"
    report = Imports(tmp_path / "w").count(str(path), ImportRecipe(core=0))
    assert [(row.line, row.reason) for row in report.bad_rows] == [(42, "it has 2 columns where there should be 4")]
    done = Imports(tmp_path / "w").run(str(path), ImportRecipe(core=0, on_bad_rows="skip"))
    assert _titles_of(done.path) == ["Shampoo, mint", 'Comb, 7" long, red', "Soap", "Bag", 'Oil, "best", 5 ml']
    # Rows put in again stand in their places: users' sequences are in the file's order at equal times.
    plain = tmp_path / "plain.csv"
    plain.write_text("user,item,time,title\n" + "".join(line.replace(", ", " ") for line in [*lines, *lines]))
    same = Imports(tmp_path / "w").run(str(plain), ImportRecipe(core=0, time="-"))
    again = Imports(tmp_path / "w").run(str(path), ImportRecipe(core=0, time="-", on_bad_rows="skip"))
    assert load(same.path).sequences.items.tolist() == load(again.path).sequences.items.tolist()


def test_a_title_in_the_middle_is_told_what_it_needs(tmp_path: Path) -> None:
    rows = [*ROWS, ("u1", "p1", "Thing, one", 1_400_000_000)]
    report = Imports(tmp_path / "w").count(_written(tmp_path, "log.csv", rows), ImportRecipe(core=0))
    (bad,) = report.bad_rows
    assert bad.line == 42
    assert bad.reason == (
        "it has 5 columns where there should be 4; a value with a separator in it needs double quotes"
    )


@pytest.mark.parametrize("head", ["", "item,title\n"])
@pytest.mark.parametrize("comma_from", [1, 4])
def test_a_file_of_titles_with_separators_in_them(head: str, comma_from: int, tmp_path: Path) -> None:
    titles = [f"Thing, no. {n}" if n >= comma_from else f"Thing {n}" for n in range(5)]
    (tmp_path / "titles.csv").write_text(head + "".join(f"p{n},{title}\n" for n, title in enumerate(titles)))
    path = _written(tmp_path, "log.csv", ROWS)
    done = Imports(tmp_path / "w").run(path, ImportRecipe(core=0, titles=str(tmp_path / "titles.csv")))
    assert _titles_of(done.path) == titles


def test_a_third_column_that_a_row_lacks_is_no_part_of_the_titles(tmp_path: Path) -> None:
    """``id,title,brand`` without a header, and one brand left out with its comma."""
    rows = [f"p{n},Title {n}" + (f",Brand{n}" if n != 3 else "") for n in range(5)]
    (tmp_path / "titles.csv").write_text("\n".join(rows) + "\n")
    path = _written(tmp_path, "log.csv", ROWS)
    done = Imports(tmp_path / "w").run(path, ImportRecipe(core=0, titles=str(tmp_path / "titles.csv")))
    assert [title for title in _titles_of(done.path) if title.startswith("Title")] == [
        f"Title {n}" for n in range(5) if n != 3
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t", "::", "|"])
def test_titles_with_any_separator_in_them_need_no_quotes_in_the_last_column(sign: str, tmp_path: Path) -> None:
    """Each title has another number of them, so that no width is most lines'."""
    titles = [f"{sign} ".join(["Thing", *"abcd"[:n]]) for n in range(5)]
    lines = [sign.join((f"u{n % 4}", f"p{n % 5}", f"{1_400_000_000 + n}", titles[n % 5])) for n in range(40)]
    path = tmp_path / "log.txt"
    path.write_text("\n".join((sign.join(("user", "item", "time", "title")), *lines)) + "\n")
    done = Imports(tmp_path / "w").run(str(path), ImportRecipe(core=0))
    dataset = load(done.path)
    found = {dataset.item_ids[n]: dataset.title(n) for n in range(1, len(dataset.item_ids))}
    assert found == {f"p{n}": " ".join(titles[n].split()) for n in range(5)}


def test_one_row_too_wide_costs_the_others_nothing(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 4},p{n % 5},{1 + n % 5},{1_400_000_000 + n}\n" for n in range(40))
    (tmp_path / "log.csv").write_text(rows + "u1,p1,4,1400000000,x\n")
    report = Imports(tmp_path / "w").count(str(tmp_path / "log.csv"), ImportRecipe(core=0))
    assert ([row.line for row in report.bad_rows], report.kept.actions) == ([41], 40)


@pytest.mark.parametrize("seed", range(20))
def test_rest_of_line_titles_are_what_a_naive_split_gives(seed: int, tmp_path: Path) -> None:
    """Quoted, unquoted and too long titles, and rows that lack columns, mixed at random."""
    import random

    draw = random.Random(seed)
    lines, wanted, bad = [], {}, []
    for n in range(60):
        words = [draw.choice(["a", "b c", "7", "é"]) for _ in range(draw.randint(1, 4))]
        title = draw.choice([", ", ","]).join(words)
        if n % 7 == 3 and seed % 2:
            bad.append(n + 2)
            lines.append(f"u{n % 4},x{n}\n")
            continue
        wanted[f"p{n}"] = title
        lines.append(f"u{n % 4},p{n},{title}\n" if draw.random() < 0.7 else f'u{n % 4},p{n},"{title}"\n')
    path = tmp_path / "log.csv"
    path.write_text("user,item,title\n" + "".join(lines), encoding="utf-8")
    done = Imports(tmp_path / "w").run(str(path), ImportRecipe(core=0, on_bad_rows="skip"))
    dataset = load(done.path)
    assert [row.line for row in done.report.bad_rows] == bad
    assert {dataset.item_ids[n]: dataset.title(n) for n in range(1, len(dataset.item_ids))} == wanted
