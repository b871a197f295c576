"""Every format on small files of the real layouts, plain and gzip: the same four actions come out of each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from engine.api.imports import Imports
from engine.config import ImportRecipe
from engine.data.dataset import Dataset, load

# user, item, rating, time; out of order on purpose
ROWS = [
    ("A1REVIEWERID1", "B00000000A", 5, 978300760),
    ("A2REVIEWERID2", "B00000000B", 4, 978300001),
    ("A1REVIEWERID1", "B00000000C", 3, 978300100),
    ("A2REVIEWERID2", "B00000000A", 2, 978309999),
]
NUMBERED = [(1, 10, 5, 978300760), (2, 20, 4, 978300001), (1, 30, 3, 978300100), (2, 10, 2, 978309999)]
TITLES = {"10": "Toy Story (1995)", "20": "Amélie, or: le Fabuleux destin (2001)"}


def csv(rows: list[tuple[object, ...]], sign: str = ",", head: str = "") -> str:
    return head + "".join(sign.join(map(str, row)) + "\n" for row in rows)


def shown(dataset: Dataset) -> dict[str, list[tuple[str, int]]]:
    """User → (item, time), in order."""
    found = {}
    for row, user in enumerate(dataset.user_ids.tolist()):
        start, end = dataset.sequences.offsets[row : row + 2]
        times = [0] * (end - start) if dataset.times is None else dataset.times[start:end].tolist()
        found[user] = [
            (str(dataset.item_ids[item]), time) for item, time in zip(dataset.sequences[row], times, strict=True)
        ]
    return found


def expected(rows: list[tuple[object, ...]]) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for user, item, _, time in sorted(rows, key=lambda row: row[3]):
        found.setdefault(str(user), []).append((str(item), time))
    return found


def jsonl(style: str) -> str:
    if style == "2023":
        rows = [
            {"rating": r, "title": "so so", "text": "a\nb", "images": [], "asin": "x", "parent_asin": i, "user_id": u}
            | {"timestamp": t * 1000 + 7}
            for u, i, r, t in ROWS
        ]
    else:
        rows = [
            {"reviewerID": u, "asin": i, "helpful": [0, 1], "reviewText": "…", "overall": float(r), "unixReviewTime": t}
            for u, i, r, t in ROWS
        ]
    lines = [repr(row) if style == "2014 literal" else json.dumps(row) for row in rows]
    return "\n".join(lines) + "\n"


FILES = {
    "ratings.dat": ("movielens", csv(NUMBERED, "::")),
    "ratings.csv": ("movielens", csv(NUMBERED, head="userId,movieId,rating,timestamp\n")),
    "u.data": ("movielens", csv([(u, i, r, t - 100_000_000) for u, i, r, t in NUMBERED], "\t")),
    "ml.inter": ("recbole", csv(NUMBERED, "\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n")),
    "ratings_Beauty.csv": ("amazon_ratings", csv([(u, i, f"{r}.0", t) for u, i, r, t in ROWS])),
    "Beauty.csv": ("amazon_ratings", csv([(i, u, f"{r}.0", t) for u, i, r, t in ROWS])),
    "All_Beauty.csv": (
        "amazon_ratings",
        csv([(u, i, f"{r}.0", t * 1000) for u, i, r, t in ROWS], head="user_id,parent_asin,rating,timestamp\n"),
    ),
    "reviews_Beauty_5.json": ("json_lines", jsonl("2018")),
    "Beauty_5.json": ("json_lines", jsonl("2014 literal")),
    "All_Beauty.jsonl": ("json_lines", jsonl("2023")),
    "events.tsv": ("delimited", csv([(t, i, u) for u, i, _, t in ROWS], "\t", "ts\tproduct_id\tcustomer_id\n")),
    "quoted.csv": (
        "delimited",
        csv([(f'"{u}"', i, f'"said ""no,\n{r}"""', t) for u, i, r, t in ROWS], ";", "user;item;comment;time\n"),
    ),
    "bare.csv": ("delimited", csv([(u, i, t) for u, i, _, t in NUMBERED])),
    "mac.csv": ("delimited", csv(NUMBERED, head="user,item,rating,time\n").replace("\n", "\r")),
    "windows.csv": ("delimited", "\ufeff" + csv(NUMBERED, head="user,item,rating,time\n").replace("\n", "\r\n")),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", FILES)
def test_a_format_gives_the_actions_that_were_written(name: str, packed: bool, tmp_path: Path) -> None:
    format_, text = FILES[name]
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    imports = Imports(tmp_path / "workspace")
    assert imports.needs_import(str(path))
    result = imports.run(str(path), ImportRecipe(core=0))
    assert result.recipe["format"] == format_
    assert result.report.rows == 4
    shift = 100_000_000 if name == "u.data" else 0
    rows = ROWS if "REVIEWER" in text else NUMBERED
    assert shown(load(result.path)) == expected([(u, i, r, t - shift) for u, i, r, t in rows])


def parquet(path: Path, times: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet as file

    moments = [row[3] for row in NUMBERED]
    columns = {"user_id": [row[0] for row in NUMBERED], "item_id": [str(row[1]) for row in NUMBERED]}
    kinds = {
        "seconds": pa.array(moments),
        "milliseconds": pa.array([float(t * 1000) for t in moments]),
        "timestamps": pa.array([t * 10**6 for t in moments], pa.timestamp("us", tz="UTC")),
    }
    file.write_table(pa.table(columns | {"timestamp": kinds[times]}), path)


@pytest.mark.parametrize("times", ["seconds", "milliseconds", "timestamps"])
def test_parquet(times: str, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    parquet(path, times)
    packed = tmp_path / "log.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for file in (path, packed):
        result = Imports(tmp_path / f"{file.name} workspace").run(str(file), ImportRecipe(core=0))
        assert shown(load(result.path)) == expected(NUMBERED)
        assert result.report.lines_are == "row"


@pytest.mark.parametrize(
    ("form", "unit"),
    [
        ("%Y-%m-%d %H:%M:%S", "date"),
        ("%Y-%m-%dT%H:%M:%SZ", "date"),
        ("%d/%m/%Y %H:%M:%S", "day_first"),
        ("%m/%d/%Y %H:%M:%S", "month_first"),
    ],
)
def test_dates(form: str, unit: str, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    moments = [(u, i, t + 13 * 86400) for u, i, _, t in NUMBERED]  # the 13th and later: days that are no months
    rows = [(u, i, datetime.fromtimestamp(t, UTC).strftime(form)) for u, i, t in moments]
    path = tmp_path / "log.csv"
    path.write_text(csv(rows, head="user,item,date\n"))
    result = Imports(tmp_path / "workspace").run(str(path), ImportRecipe(core=0))
    assert result.recipe["time_unit"] == unit
    assert shown(load(result.path)) == expected([(u, i, 0, t) for u, i, t in moments])


def test_coserec_text_gives_the_fingerprint_that_it_has_without_an_import(tmp_path: Path) -> None:
    path = tmp_path / "shop.txt"
    path.write_text("7 3 12 5 3\n2 12 5\n")
    imports = Imports(tmp_path / "workspace")
    assert not imports.needs_import(str(path))
    assert imports.run(str(path), ImportRecipe(core=0)).fingerprint == load(path).fingerprint
    packed = tmp_path / "shop.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert imports.needs_import(str(packed))
    assert imports.run(str(packed), ImportRecipe(core=0)).fingerprint == load(path).fingerprint
    rows = [(u, i, 1, t) for u, items in ((7, (3, 12, 5, 3)), (2, (12, 5))) for t, i in enumerate(items)]
    table = tmp_path / "shop.csv"
    table.write_text(csv(rows, head="user,item,rating,time\n"))
    assert imports.run(str(table), ImportRecipe(core=0)).fingerprint == load(path).fingerprint


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("", ["column 1", "column 2", "column 3", "column 4"]),
        ("user_id\titem_id\trating\ttimestamp\n", ["user_id", "item_id", "rating", "timestamp"]),
        ("who:token\twhat:token\tmuch:float\twhen:float\r\n", ["who:token", "what:token", "much:float", "when:float"]),
    ],
)
def test_recbole_without_a_header_keeps_its_first_row(head: str, names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "ml.inter"
    path.write_bytes((head + csv(ROWS, "\t")).encode())
    imports = Imports(tmp_path / "workspace")
    look = imports.look(str(path))
    assert (look.recipe["format"], [column.name for column in look.columns]) == ("recbole", names)
    result = imports.run(str(path), ImportRecipe(core=0))
    assert result.report.rows == 4
    assert shown(load(result.path)) == expected(ROWS)


BESIDE = {
    "ratings.dat": (
        "movies.dat",
        "10::Toy Story (1995)::Fun\n20::Amélie, or: le Fabuleux destin (2001)::X\n",
        "latin-1",
    ),
    "ratings.csv": (
        "movies.csv",
        f'movieId,title,genres\n10,{TITLES["10"]},F\n20,"{TITLES["20"]}",X\n',
        "utf-8",
    ),
    "u.data": ("u.item", "10|Toy Story (1995)|01-Jan-1995||\n20|Amélie, or: le Fabuleux destin (2001)|x\n", "latin-1"),
    "ml.inter": ("ml.item", f"item_id:token\ttitle:token_seq\n10\t{TITLES['10']}\n20\t{TITLES['20']}\n", "utf-8"),
    "bare.csv": ("bare.titles.tsv", f"10\t{TITLES['10']}\n20\t{TITLES['20']}\n", "utf-8"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_titles_that_lie_beside_the_data_are_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name][1])
    other, text, encoding = BESIDE[name]
    (tmp_path / other).write_bytes(text.encode(encoding))
    result = Imports(tmp_path / "workspace").run(str(tmp_path / name), ImportRecipe(core=0))
    dataset = load(result.path)
    assert {item: dataset.title(dataset.item_id(item)) for item in ("10", "20", "30")} == TITLES | {"30": ""}
    assert result.report.titled == 2


@pytest.mark.parametrize("name", ["reviews_Beauty_5.json", "Beauty_5.json", "All_Beauty.jsonl", "ratings_Beauty.csv"])
def test_amazon_metadata_gives_titles(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name][1])
    key = "parent_asin" if "All" in name else "asin"
    rows = [{key: "B00000000A", "title": "Lip\nbalm  &", "price": 3}, {key: "B00000000B"}, {key: "Z", "title": "other"}]
    text = "".join((repr(row) if name == "Beauty_5.json" else json.dumps(row)) + "\n" for row in rows)
    stem = "meta_All_Beauty.jsonl.gz" if "All" in name else "meta_Beauty.json.gz"
    (tmp_path / stem).write_bytes(gzip.compress(text.encode()))
    dataset = load(Imports(tmp_path / "workspace").run(str(tmp_path / name), ImportRecipe(core=0)).path)
    assert [dataset.title(item) for item in (1, 2, 3)] == ["Lip balm &", "", ""]


def test_any_two_column_file_gives_titles(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(FILES["bare.csv"][1])
    titles = tmp_path / "names.csv"
    titles.write_text('title,item_id\n"Toy Story (1995)",10\n"A ""B""",20\n')
    dataset = load(
        Imports(tmp_path / "w").run(str(tmp_path / "log.csv"), ImportRecipe(core=0, titles=str(titles))).path
    )
    assert [dataset.title(item) for item in (1, 2, 3)] == ["Toy Story (1995)", 'A "B"', ""]


def test_columns_that_nobody_can_guess_are_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(csv([("x", i, u, t) for u, i, _, t in ROWS], head="a,b,c,d\n"))
    recipe = ImportRecipe(core=0, user="c", item="b", rating="-", time="d")
    assert shown(load(Imports(tmp_path / "w").run(str(path), recipe).path)) == expected(ROWS)


def test_a_look_shows_columns_kinds_and_guesses(tmp_path: Path) -> None:
    path = tmp_path / "ratings_Beauty.csv"
    path.write_text(FILES["ratings_Beauty.csv"][1])
    found = Imports(tmp_path).look(str(path))
    assert [(column.name, column.kind) for column in found.columns] == [
        ("user", "text"),
        ("item", "text"),
        ("rating", "number"),
        ("timestamp", "integer"),
    ]
    assert found.rows[0] == ("A1REVIEWERID1", "B00000000A", "5.0", "978300760")
    assert (found.recipe["user"], found.recipe["time"], found.recipe["time_unit"]) == ("user", "timestamp", "seconds")
    assert found.problem == ""
