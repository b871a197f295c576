"""Titles in a column of the data itself: taken where they are an item's, left where each row says another."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.api.imports import Imports
from engine.config import ImportRecipe
from engine.data.dataset import load

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


def test_an_item_spelled_in_two_ways_keeps_the_first(tmp_path: Path) -> None:
    rows = [("u9", "p0", "Thing nought", 1), *ROWS]
    done = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", rows), ImportRecipe(core=0))
    titles = {load(done.path).title(n) for n in range(1, 6)}
    assert titles == {"Thing nought", *(f"Thing {n}" for n in range(1, 5))}


def test_none_are_taken_where_none_are_wanted(tmp_path: Path) -> None:
    done = Imports(tmp_path / "w").run(_written(tmp_path, "log.csv", ROWS), ImportRecipe(core=0, titles="-"))
    assert load(done.path).titles is None


def test_the_same_again_is_instant(tmp_path: Path) -> None:
    path = _written(tmp_path, "log.csv", ROWS)
    first, second = (Imports(tmp_path / "w").run(path, ImportRecipe(core=0)) for _ in range(2))
    assert (first.path, first.is_new, second.is_new) == (second.path, True, False)
