"""Tables, targets, times and a user's sequence, beside naive loops over the same data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.columns import text_column
from engine.data.dataset import Dataset, build, load
from engine.data.inspection import PRINTED, inspect, paper_table, place
from engine.data.summary import summarise
from engine.data.timeline import MOST_BINS, timeline
from engine.errors import UsageError
from tests.helpers.real_data import real_data

sequences = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=1, max_size=12)


def made(rows: list[list[int]], times: list[list[int]] | None = None) -> Dataset:
    """Users 1, 2, …; items keep their ids, titles for the even ones."""
    flat = [item for row in rows for item in row]
    dataset = build(
        Path("made.txt"),
        np.arange(1, len(rows) + 1),
        np.array(flat),
        np.cumsum([0, *(len(row) for row in rows)]),
        {item: f"Item {item}" for item in flat if item % 2 == 0},
    )
    return replace(dataset, times=None if times is None else np.array([t for row in times for t in row]))


@given(sequences)
def test_the_users_table_is_a_loop_over_the_users(rows: list[list[int]]) -> None:
    users = inspect(made(rows)).users
    trained = {item for row in rows for item in (row[:-2] if len(row) >= 4 else row)}
    for n, row in enumerate(rows):
        evaluated = len(row) >= 4
        assert users.users[n] == str(n + 1)
        assert users.lengths[n] == len(row)
        assert users.training_lengths[n] == len(row[:-3])
        assert users.repeats[n] == sum(item in row[:place] for place, item in enumerate(row))
        assert users.is_evaluated[n] == evaluated
        assert users.valid_repeated[n] == (evaluated and row[-2] in row[:-2])
        assert users.test_repeated[n] == (evaluated and row[-1] in row[:-1])
        assert users.valid_cold[n] == (evaluated and row[-2] not in trained)
        assert users.test_cold[n] == (evaluated and row[-1] not in trained)


@given(sequences)
def test_the_items_table_and_the_targets_are_loops_too(rows: list[list[int]]) -> None:
    found = inspect(made(rows))
    items, evaluated = found.items, [row for row in rows if len(row) >= 4]
    training = [row[:-2] if len(row) >= 4 else row for row in rows]
    assert list(items.items) == [str(item) for item in sorted({item for row in rows for item in row})]
    assert items.titles is not None
    for n, text in enumerate(items.items):
        item = int(text)
        assert items.titles[n] == ("" if item % 2 else f"Item {item}")
        assert items.actions[n] == sum(row.count(item) for row in rows)
        assert items.users[n] == sum(item in row for row in rows)
        assert items.training_users[n] == sum(item in row for row in training)
        assert items.valid_targets[n] == sum(row[-2] == item for row in evaluated)
        assert items.test_targets[n] == sum(row[-1] == item for row in evaluated)
    trained = {item for row in training for item in row}
    for counts, place_ in zip(found.targets, (-2, -1), strict=True):
        repeated = [row[place_] in row[:place_] for row in evaluated]
        cold = [row[place_] not in trained for row in evaluated]
        assert (counts.targets, counts.repeated, counts.cold) == (len(evaluated), sum(repeated), sum(cold))
        assert counts.repeated_and_cold == sum(a and b for a, b in zip(repeated, cold, strict=True))
    # The same numbers as the summary, which counts the test targets in its own way.
    summary = summarise(made(rows))
    assert (found.targets[1].repeated, found.targets[1].cold) == (summary.repeated_targets, summary.cold_targets)


def test_the_highest_hit_rate_by_hand() -> None:
    # Of four test targets one (the 1) is in its own input: HR and NDCG cannot pass 3/4.
    found = inspect(made([[1, 2, 3, 1], [1, 2, 3, 4], [2, 3, 4, 5], [5, 6, 7, 8], [1]]))
    assert found.targets[1].highest == 0.75
    assert inspect(made([[1], [2, 1]])).targets[1].highest == 0.0


@given(st.lists(st.text(max_size=6), max_size=20))
def test_texts_come_back_and_are_ordered(texts: list[str]) -> None:
    column = text_column(texts)
    clean = [" ".join(text.splitlines()) if not text.isprintable() else text for text in texts]
    printable = [text for text in clean if "\n" not in text]
    assert len(column) == len(texts)
    assert [column[n] for n in range(len(column))] == list(column)
    if len(printable) == len(texts) and all(text.encode(errors="replace").decode() == text for text in clean):
        assert list(column) == clean


def test_ids_are_ordered_by_value_and_titles_by_alphabet() -> None:
    assert text_column(["10", "9", "100", "9"]).ranks.tolist() == [1, 0, 2, 0]
    assert text_column(["pear", "", "Apple", "apple 2"]).ranks.tolist() == [2, 3, 0, 1]
    assert text_column(["Straße\u2028B"])[0] == "Straße B"
    with pytest.raises(IndexError):
        text_column(["a"])[1]


# Times ---------------------------------------------------------------------------------------------------------------


def seconds(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


def test_months_by_hand() -> None:
    times = [
        [seconds(1999, 12, 31), seconds(2000, 1, 31), seconds(2000, 2, 29), seconds(2009, 3, 1)],
        [seconds(2000, 1, 1), seconds(2000, 1, 2), seconds(2001, 5, 1), seconds(2001, 4, 1)],
    ]
    found = timeline(made([[1, 2, 3, 4], [1, 2, 3, 4]], times))
    assert found is not None
    assert found.unit == "month"
    starts = [datetime.fromtimestamp(start, UTC) for start in found.starts.tolist()]
    assert starts[:3] == [datetime(1999, 12, 1, tzinfo=UTC), *(datetime(2000, m, 1, tzinfo=UTC) for m in (1, 2))]
    assert found.actions[:3].tolist() == [1, 3, 1]
    assert found.users[:3].tolist() == [1, 2, 1]
    assert found.actions.sum() == 8
    assert [int(found.valid_targets.sum()), int(found.test_targets.sum())] == [2, 2]
    assert found.test_targets[-1] == 1
    assert found.unordered_users == 1
    # The test targets are of April 2001 and March 2009: no training action is later than the middle between them.
    assert found.training_after == 0


def test_training_after_half_of_the_test_targets() -> None:
    found = timeline(made([[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]], [[1, 2, 3, 4], [5, 6, 7, 8], [1, 9, 10, 11]]))
    assert found is not None
    assert found.training_after == pytest.approx(1 / 6)  # of 1 2 5 6 1 9 only the 9 is later than 8


@given(st.lists(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=5), min_size=1, max_size=5))
def test_the_bins_hold_every_action_once(times: list[list[int]]) -> None:
    found = timeline(made([[1] * len(row) for row in times], times))
    assert found is not None
    assert 1 <= len(found.starts) <= MOST_BINS
    flat = [time for row in times for time in row]
    edges = [*found.starts.tolist(), 10**13]
    naive = [sum(low <= t < high for t in flat) for low, high in pairwise(edges)]
    assert found.actions.tolist() == naive
    assert (found.first, found.last) == (min(flat), max(flat))
    table = inspect(made([[1] * len(row) for row in times], times)).users
    assert table.first_times is not None
    assert table.first_times.tolist() == [min(row) for row in times]


def test_no_times_no_timeline() -> None:
    assert timeline(made([[1, 2]])) is None
    assert inspect(made([[1, 2]])).users.first_times is None


# A user's sequence ---------------------------------------------------------------------------------------------------


def test_the_split_on_a_sequence() -> None:
    found = place(made([[1, 2, 1, 4, 5], [7, 7]], [[1, 2, 3, 4, 5], [6, 7]]), "1")
    assert [step.part for step in found.places] == ["training", "training", "training", "valid", "test"]
    assert [step.is_input for step in found.places] == [True, True, False, False, False]
    assert [step.is_target for step in found.places] == [False, True, True, False, False]
    assert [step.is_repeat for step in found.places] == [False, False, True, False, False]
    assert [step.is_cold for step in found.places] == [False, False, False, True, True]
    assert [step.time for step in found.places] == [1, 2, 3, 4, 5]
    assert (found.training_length, found.is_evaluated) == (2, True)
    assert found.places[1].title == "Item 2"


def test_a_user_that_is_too_short_holds_nothing_out() -> None:
    found = place(made([[1, 2, 3, 4], [7, 7]]), "2")
    assert not found.is_evaluated
    assert {(step.part, step.is_input, step.is_target) for step in found.places} == {("training", False, False)}
    with pytest.raises(UsageError, match="no user '9'"):
        place(made([[1]]), "9")


# The paper's Table 1 -------------------------------------------------------------------------------------------------


def test_the_papers_row_is_known_by_its_counts_and_its_faults_follow_from_them() -> None:
    summary = summarise(made([[1, 2]]))
    assert paper_table(summary) is None
    faults = {}
    for (users, items, actions), (name, *_) in PRINTED.items():
        average, sparsity = actions / users, 1 - actions / (users * items)
        counts = replace(summary, users=users, items=items, actions=actions, average_length=average, sparsity=sparsity)
        found = paper_table(counts)
        assert found is not None
        assert found.name == name
        faults[name] = found.faults
    assert [len(found) for found in faults.values()] == [1, 0, 1]
    assert "99.73 %; its own counts give 99.93 %" in faults["Beauty"][0]
    assert "10.3; its own counts give 10.4" in faults["Yelp"][0]


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "repeated"), [("Beauty.txt", 0), ("Yelp.txt", 2027)])
def test_the_papers_data_sets(name: str, repeated: int) -> None:
    """FACTS F3's count of repeated targets."""
    found = inspect(load(real_data(name)))
    assert found.paper is not None
    assert found.targets[1].repeated == repeated
