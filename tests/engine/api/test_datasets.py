"""Data sets through the engine's door."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.errors import DataError, UsageError
from engine.records import ItemRecord, SequenceToken, UserRecord, to_plain

datasets = Workspace().datasets


@pytest.fixture
def path(tmp_path: Path) -> str:
    found = tmp_path / "tiny.txt"
    found.write_text("10 1 2 30 4 5\n110 1 2 30 6\n12 7 2\n", encoding="ascii")
    found.with_name("tiny.titles.tsv").write_text("1\tBlue hat\n2\tRed Hat\n30\tScarf\n", encoding="utf-8")
    return str(found)


def test_summary_is_plain_and_picklable(path: str) -> None:
    found = datasets.summary(path)
    assert found.has_titles
    assert to_plain(found)["users"] == 3
    assert pickle.loads(pickle.dumps(found)).fingerprint == found.fingerprint


def test_users_are_found_by_part_of_their_id(path: str) -> None:
    assert datasets.users(path).rows == (UserRecord("10", 5, 2), UserRecord("110", 4, 1), UserRecord("12", 2, 0))
    assert [user.user for user in datasets.users(path, "10").rows] == ["10", "110"]
    assert [user.user for user in datasets.users(path, "110").rows] == ["110"]
    assert [user.user for user in datasets.users(path, limit=2).rows] == ["10", "110"]
    assert datasets.users(path, "x").rows == ()


def test_an_exact_user_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    path.write_text("21 1 2\n121 1 2\n2 1 2\n", encoding="ascii")
    assert [user.user for user in datasets.users(str(path), "2").rows] == ["2", "21", "121"]
    assert [user.user for user in datasets.users(str(path), "2", limit=1).rows] == ["2"]


def test_a_list_of_users_is_the_part_around_one(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    path.write_text("".join(f"{user} 1 2 3 4\n" for user in range(1, 101)), encoding="ascii")
    for around, first in (("", 0), ("10", 0), ("11", 5), ("50", 44), ("100", 90), ("nobody", 0)):
        found = datasets.users(str(path), limit=10, around=around)
        assert (found.total, found.first, found.rows[0].user) == (100, first, str(first + 1))
        assert len(found.rows) == 10
    assert datasets.users(str(path), "10").total == 2
    assert datasets.items(str(path), limit=1).total == 4


def test_items_are_found_by_id_or_title_most_popular_first(path: str) -> None:
    # Training parts: 1 2 30 | 1 2 | 7 2, so 2 has three users and 1 two.
    assert datasets.items(path).rows[:3] == (
        ItemRecord("2", "Red Hat", 3),
        ItemRecord("1", "Blue hat", 2),
        ItemRecord("7", "", 1),  # as many users as 30, and the lower id
    )
    assert [item.item for item in datasets.items(path, "HAT").rows] == ["2", "1"]
    assert [item.item for item in datasets.items(path, " scarf ").rows] == ["30"]
    assert [item.item for item in datasets.items(path, "3").rows] == ["30"]
    assert len(datasets.items(path, limit=4).rows) == 4
    assert datasets.items(path, "gloves").rows == ()


def test_an_exact_item_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "items.txt"
    path.write_text("1 33 33 3 33 33\n2 33 33 33 33\n", encoding="ascii")
    assert [item.item for item in datasets.items(str(path), "3").rows] == ["3", "33"]


def test_a_sequence_is_whole_and_oldest_first(path: str) -> None:
    assert datasets.sequence(path, "12") == (SequenceToken("7", ""), SequenceToken("2", "Red Hat"))
    assert [token.item for token in datasets.sequence(path, "10")] == ["1", "2", "30", "4", "5"]


def test_what_is_not_there(path: str) -> None:
    with pytest.raises(UsageError, match="no user '99'"):
        datasets.sequence(path, "99")
    for ask in (datasets.summary, datasets.users, datasets.items):
        with pytest.raises(UsageError, match="There is no file"):
            ask(path + ".gone")
        with pytest.raises(DataError, match="folder"):
            ask(str(Path(path).parent))


def test_the_sample_is_there_by_its_name() -> None:
    found = datasets.summary("sample")
    assert found.too_short_users == 0
    assert datasets.items("sample", "trail running shoes, blue").rows[0].title == "Trail running shoes, blue"


def test_the_user_beside_goes_round_at_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "shop.txt"
    path.write_text("7 1 2 3 4\n3 1 2 3 4\n9 1 2 3 4 5\n", encoding="utf-8")
    steps = [("7", 1), ("7", -1), ("9", 1), ("3", 0), ("7", 3 * 10**9 + 2), ("unknown", 1)]
    assert [datasets.user_beside(str(path), user, step).user for user, step in steps] == ["3", "9", "7", "3", "9", "3"]
    assert datasets.user_beside(str(path), "3", 1).training_length == 2
