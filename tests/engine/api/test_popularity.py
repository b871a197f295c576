"""PopRec's metrics through the engine's door, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.errors import ConfigurationError, DataError, UsageError

evaluations = Workspace().evaluations


def file(folder: Path, text: str) -> str:
    path = folder / "tiny.txt"
    path.write_text(text, encoding="ascii")
    return str(path)


def test_by_hand(tmp_path: Path) -> None:
    """Training parts 1 2 | 3 2 | 3 3: counts 1, 2, 3 for items 1, 2, 3. Test targets 4, 1, 2 after 123, 324, 334.

    User 1 has 4 left alone: rank 0. User 2 has 1 left: rank 0. User 3 has 1 (count 1) and 2 (count 2): rank 0.
    """
    path = file(tmp_path, "1 1 2 3 4\n2 3 2 4 1\n3 3 3 4 2\n")
    found = evaluations.popularity(path)
    assert found["HR@5"] == found["NDCG@5"] == found["MRR"] == 1.0
    # Validation: targets 3, 4, 4 after inputs 12, 32, 33. User 1: 3 before 4. User 2: 1 before 4. User 3: 2, 1, then 4.
    found = evaluations.popularity(path, split="valid")
    assert found["HR@5"] == 1.0
    assert found["NDCG@5"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(4)) / 3)
    assert found["MRR"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_held_out_items_count_when_asked(tmp_path: Path) -> None:
    """Item 4 and item 5 tie in training parts (0); with everything counted 5 has two actions and 4 three."""
    path = file(tmp_path, "1 1 2 3 5\n2 1 3 2 4\n3 2 3 1 4\n4 3 1 2 4\n5 1 2 3 5\n")
    assert evaluations.popularity(path, ties="id")["MRR"] == pytest.approx((3 * 1 + 2 * 0.5) / 5)
    assert evaluations.popularity(path, ties="pessimistic")["MRR"] == pytest.approx(0.5)
    assert evaluations.popularity(path, ties="optimistic")["MRR"] == 1.0
    counted = evaluations.popularity(path, count_everything=True, ties="pessimistic")
    assert counted["MRR"] == pytest.approx((3 * 1 + 2 * 0.5) / 5)


def test_a_target_in_the_input_is_a_miss(tmp_path: Path) -> None:
    path = file(tmp_path, "1 1 2 3 1\n2 1 2 3 4\n")
    assert evaluations.popularity(path)["HR@20"] == 0.5


def test_what_cannot_be_evaluated(tmp_path: Path) -> None:
    path = file(tmp_path, "1 1 2 3\n2 1 2\n")
    with pytest.raises(DataError, match="no user has at least 4 items"):
        evaluations.popularity(path)
    with pytest.raises(ConfigurationError, match=r"evaluate\.ties"):
        evaluations.popularity(path, ties="lucky")
    with pytest.raises(UsageError, match="There is no file"):
        evaluations.popularity(path + ".gone")
