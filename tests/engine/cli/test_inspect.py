"""``inspect``: tables, their order, a user's sequence: the numbers of the engine's door."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.api import Workspace
from engine.cli.inspection import date_text
from engine.data.dataset import load
from engine.records import to_plain
from tests.engine.cli.conftest import Shell


def test_targets_and_tables_are_those_of_the_door(shell: Shell, shop: Path) -> None:
    details = Workspace().datasets.details(str(shop))
    found = shell.json("inspect", shop, "--users")
    assert len(found["user_rows"]) == found["users"] == 40
    assert [row["user"] for row in found["user_rows"]] == list(details.users.users)
    assert [row["length"] for row in found["user_rows"]] == details.users.lengths.tolist()
    assert [counts["repeated"] for counts in found["targets"]] == [counts.repeated for counts in details.targets]
    assert found["targets"][1]["highest"] == details.targets[1].highest
    assert (found["timeline"], found["paper"]) == (None, None)
    assert "item_rows" not in found


def test_items_are_sorted_and_cut(shell: Shell, shop: Path) -> None:
    rows = shell.json("inspect", shop, "--items", "--sort=-actions", "--limit", 3)["item_rows"]
    everything = shell.json("inspect", shop, "--items")["item_rows"]
    assert [row["actions"] for row in rows] == sorted((row["actions"] for row in everything), reverse=True)[:3]
    printed = shell("inspect", shop, "--items", "--sort=title", "--limit", 1).stdout
    assert min((row["title"] for row in everything if row["title"]), key=str.casefold) in printed


@pytest.mark.parametrize("text", ["", "short=yes", "length>=7 repeats=0", "3", "3 input<5", "user>20"])
def test_a_filter_keeps_what_the_page_keeps(shell: Shell, shop: Path, text: str) -> None:
    from workbench.item_models.columnar import ColumnarModel
    from workbench.item_models.dataset_columns import user_columns

    model = ColumnarModel()
    model.set_columns(user_columns(Workspace().datasets.details(str(shop)).users, 4))
    model.set_filter(text)
    model.sort(1)
    rows = shell.json("inspect", shop, "--users", "--filter", text, "--sort", "length")["user_rows"]
    assert [row["user"] for row in rows] == [model.text(row, 0) for row in range(model.rowCount())]
    for row in rows[:1]:
        assert list(row) == [column.name for column in model.columns]


@pytest.mark.parametrize(("text", "words"), [("size>3", "no column 'size'"), ("length>", "A number is missing")])
def test_a_filter_that_says_nothing_is_a_sentence(shell: Shell, shop: Path, text: str, words: str) -> None:
    failed = shell("inspect", shop, "--users", "--filter", text, code=2)
    assert "The filter cannot be understood" in failed.stderr
    assert words in failed.stderr


def test_an_unknown_column_is_a_sentence(shell: Shell, shop: Path) -> None:
    failed = shell("inspect", shop, "--users", "--sort", "size", code=2)
    assert "There is no column 'size'. Columns: user, length," in failed.stderr


def test_a_users_sequence(shell: Shell, shop: Path) -> None:
    found = shell.json("inspect", shop, "--user", 2)["sequence"]
    assert found == to_plain(Workspace().datasets.placed(str(shop), "2"))
    assert [step["part"] for step in found["places"]][-2:] == ["valid", "test"]
    assert "training input 4" in shell("inspect", shop, "--user", 2).stdout


def test_times_are_told(shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load(shop)
    hourly = replace(plain, times=np.arange(len(plain.sequences.items)) * 3600)
    monkeypatch.setattr("engine.data.dataset.load", lambda _: hourly)
    found = shell.json("inspect", shop, "--users", "--limit", 1, "--user", 1)
    assert (found["timeline"]["unit"], found["timeline"]["last"]) == ("day", 279 * 3600)
    assert sum(found["timeline"]["actions"]) == 280
    assert found["user_rows"][0]["last"] == found["sequence"]["places"][-1]["time"] == 6 * 3600
    printed = shell("inspect", shop, "--users", "--user", 1).stdout
    assert "1970-01-01 00:00, 1970-01-12 15:00" in printed
    assert "training later than half of the test targets" in printed


@pytest.mark.parametrize(("seconds", "text"), [(0, "1970-01-01 00:00"), (None, ""), (10**15, str(10**15))])
def test_dates(seconds: int | None, text: str) -> None:
    assert date_text(seconds) == text
