"""Seeds as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from workbench.forms.seeds import parse_seeds, seeds_text


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1-5", (1, 2, 3, 4, 5)), ("1,2,7", (1, 2, 7)), (" 3 - 4 , 1", (3, 4, 1)), ("0", (0,))],
)
def test_good(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing"),
        ("1,,2", "missing"),
        ("a", "'a' is no seed"),
        ("5-1", "backwards"),
        ("1-2-3", "no seed"),
        ("-1", "no seed"),
        ("1,2-3,2", "twice"),
        ("2147483648", "too large"),
        ("1-2000", "more than"),
        ("1-999999999999", "too large"),
    ],
)
def test_bad(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_seeds(text)
    assert caught.value.field == "train.seed"


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True))
def test_what_is_written_is_read_again(seeds: list[int]) -> None:
    assert parse_seeds(seeds_text(tuple(seeds))) == tuple(seeds)
