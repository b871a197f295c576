"""Table 1 and the protocol's counts, by arithmetic on a file one can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.data.dataset import load
from engine.data.summary import summarise, training_users
from tests.helpers.real_data import real_data

LINES = """\
10 1 2 3 4 5
11 1 1 2 6 1
12 7 2 7 8
13 9 1 9
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "tiny.txt"
    found.write_text(LINES, encoding="ascii")
    return found


def test_a_summary_one_can_check_by_hand(path: Path) -> None:
    found = summarise(load(path))
    assert (found.name, found.users, found.items, found.actions) == ("tiny", 4, 9, 17)
    assert found.average_length == 17 / 4
    assert found.sparsity == pytest.approx(1 - 17 / 36)
    assert (found.shortest, found.longest) == (3, 5)
    assert found.raw_lengths.tolist() == [0, 0, 0, 1, 1, 2]
    assert found.training_lengths.tolist() == [0, 1, 2]  # user 13 is too short
    assert found.popularity.tolist() == [5, 3, 2, 2, 1, 1, 1, 1, 1]
    assert (found.evaluated_users, found.too_short_users) == (3, 1)
    assert found.users_with_repeats == 3  # 11, 12, 13
    assert found.repeated_targets == 1  # 11's last 1
    assert found.cold_targets == 2  # 5 and 8; 1 is in training parts
    assert not found.has_titles
    assert found.short_share(1) == pytest.approx(1 / 3)
    assert found.short_share(0) == 0
    assert found.short_share(99) == 1
    with pytest.raises(ValueError, match="read-only"):
        found.popularity[0] = 1


def test_users_of_an_item_are_counted_once_and_in_training_parts(path: Path) -> None:
    # Training parts: 1 2 3 | 1 1 2 | 7 2 | 9 1 9 (too short, holds nothing out).
    assert training_users(load(path)).tolist() == [0, 3, 3, 1, 0, 0, 0, 1, 0, 1, 0]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "average", "sparsity", "short", "repeated"),
    [
        # FACTS F4 for K = 4, 12, 20; F23; the data's README for repeated targets.
        ("Beauty.txt", 8.9, 99.93, (62.9, 91.4, 96.1), 0),
        ("Sports_and_Outdoors.txt", 8.3, 99.95, (63.6, 92.9, 97.5), 0),
        ("Yelp.txt", 10.4, 99.95, (54.8, 85.8, 93.4), 2_027),
    ],
)
def test_the_papers_data_sets(
    name: str, average: float, sparsity: float, short: tuple[float, ...], repeated: int
) -> None:
    found = summarise(load(real_data(name)))
    assert round(found.average_length, 1) == average
    assert round(found.sparsity * 100, 2) == sparsity
    # FACTS rounds Sports' 92.845 % twice, to 92.9.
    assert tuple(found.short_share(k) * 100 for k in (4, 12, 20)) == pytest.approx(short, abs=0.056)
    assert found.repeated_targets == repeated
    assert found.too_short_users == 0
