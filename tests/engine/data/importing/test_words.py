"""What a protocol says of how a data set was made."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config import ImportRecipe
from engine.data.importing.words import preprocessing_in_words

FILE = "from reviews_Toys_5.json.gz (sha256 123456789abc…)"


def facts(bad: int = 0, tied: int = 0, **recipe: object) -> dict[str, Any]:
    given = {"user": "u", "item": "i", "rating": "r", "time": "t", "time_unit": "seconds"} | recipe
    return {
        "source": {"path": "/home/me/reviews_Toys_5.json.gz", "sha256": "123456789abcdef"},
        "recipe": ImportRecipe().replace(given).model_dump(mode="json"),
        "report": {"bad_count": bad, "rows": 1000, "tied": tied},
    }


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"time_unit": "milliseconds"}, "duplicates kept; 5-core; times in milliseconds"),
        (
            {"minimum_rating": 4, "duplicates": "first", "longest": 50, "core": 0},
            "rated 4 or more; of duplicates the first kept; the last 50 of each user; no core; times in seconds",
        ),
        ({"minimum_rating": 4, "rating": "-"}, "duplicates kept; 5-core; times in seconds"),
        ({"time": "-"}, "duplicates kept; 5-core; no times: in the order of the file"),
        (
            {"time_unit": "day_first", "ties": "item", "tied": 3},
            "duplicates kept; 5-core; times are dates, day first; equal times by item id",
        ),
        (
            {"tied": 3, "bad": 12},
            "12 of 1,000 rows could not be used and are left out; duplicates kept; 5-core; times in seconds; "
            "equal times in the order of the file",
        ),
    ],
)
def test_the_steps_stand_in_their_order(recipe: dict[str, Any], words: str) -> None:
    assert preprocessing_in_words(facts(**recipe)) == f"{words}; {FILE}"


def test_another_machines_folders_are_left_out() -> None:
    source = {"path": "C:\\data\\reviews_Toys_5.json.gz", "sha256": "123456789abcdef"}
    assert preprocessing_in_words(facts() | {"source": source}).endswith(f"; {FILE}")


@pytest.mark.parametrize("wrong", [{"recipe": {"colour": 1}}, {"report": {}}, {"source": None}])
def test_facts_of_another_version_are_unknown(wrong: dict[str, Any]) -> None:
    assert preprocessing_in_words(facts() | wrong).startswith("unknown: ")
