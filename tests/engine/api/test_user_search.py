"""Users by who is right about them: counted and listed as a loop over the stored ranks does it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.api import Workspace
from engine.data.dataset import load
from engine.errors import RunError, UsageError
from engine.evaluation.metrics import hit_rate
from engine.records import FoundUsers
from engine.runs.files import RANKS
from engine.runs.ranks import stored_ranks
from tests.helpers.finished_runs import finish, sample_users


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three runs of the sample whose ranks have half numbers and certain misses among them."""
    workspace = Workspace(tmp_path_factory.mktemp("users"))
    records = [
        *finish(workspace, 0.8),
        *finish(workspace, 1.0, values={"loss.contrastive_weight": 0.0}),
        *finish(workspace, 1.3, values={"model.dropout": 0.2}),
    ]
    for number, record in enumerate(records):
        with np.load(record.directory / RANKS) as stored:
            arrays = dict(stored)
        arrays["test"][number::7] += 0.5
        arrays["test"][number::11] = math.inf
        arrays["test"][5::23] = math.inf
        np.savez_compressed(record.directory / RANKS, **arrays)
    yield workspace, [record.id for record in records]
    workspace.runs.close()


def naive(
    workspace: Workspace, ids: list[str], right: list[int], wrong: list[int], k: int, low: int, high: float, split: str
) -> list[tuple[str, list[float], int]]:
    """Users in the file's order, with their ranks from 1 and the length of their training input."""
    dataset = load("sample")
    ranks = [stored_ranks(workspace.runs.get(run_id), split) for run_id in ids]
    found = []
    for number, row in enumerate(sample_users().tolist()):
        own = [float(stored.ranks[number]) for stored in ranks if stored is not None]
        length = len(dataset.sequences[row]) - 3
        is_kept = all(own[r] < k for r in right) and not any(own[w] < k for w in wrong)
        if is_kept and low <= length <= high:
            found.append((str(dataset.user_ids[row]), [rank + 1 for rank in own], length))
    return found


def rows_of(found: FoundUsers) -> list[tuple[str, list[float], int]]:
    return list(zip(found.ids, found.ranks.tolist(), found.lengths.tolist(), strict=True))


@pytest.mark.parametrize(
    ("right", "wrong", "k", "low", "high", "split"),
    [
        ([0], [1], 10, 0, math.inf, "test"),
        ([1], [0], 10, 0, math.inf, "test"),
        ([0, 1], [], 5, 0, math.inf, "test"),
        ([], [0, 1, 2], 20, 0, math.inf, "test"),
        ([2], [0, 1], 20, 3, 8, "test"),
        ([0, 2], [1], 1, 0, 5, "valid"),
        ([], [], 10, 9, math.inf, "valid"),
    ],
)
def test_the_users_of_a_loop(
    world: Any, right: list[int], wrong: list[int], k: int, low: int, high: float, split: Any
) -> None:
    workspace, ids = world
    expected = naive(workspace, ids, right, wrong, k, low, high, split)
    found = workspace.recommendations.users(
        ids,
        right=["ABC"[place] for place in right],
        wrong=[ids[place] for place in wrong],
        k=k,
        split=split,
        shortest=low,
        longest=None if high == math.inf else int(high),
        order="file",
        limit=10**6,
    )
    assert rows_of(found) == expected
    assert found.count == len(expected)
    assert found.right == tuple(ids[place] for place in right)
    everybody = naive(workspace, ids, [], [], k, low, high, split)
    assert found.in_range == len(everybody) == sum(outcome.users for outcome in found.outcomes)
    assert len(found.outcomes) == 8
    for outcome in found.outcomes:
        others = [place for place in range(3) if place not in outcome.right]
        assert outcome.users == len(naive(workspace, ids, list(outcome.right), others, k, low, high, split))
    assert found.rows.tolist() == [load("sample").user_row(user) for user, _, _ in expected]


def test_right_is_what_hit_rate_counts(world: Any) -> None:
    workspace, ids = world
    for k in (1, 5, 10):
        found = workspace.recommendations.users(ids[:1], right=["A"], k=k)
        stored = stored_ranks(workspace.runs.get(ids[0]), "test")
        assert found.count / found.evaluated == pytest.approx(hit_rate(stored.ranks, k))


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("order", ["difference", "rank", "length"])
def test_orders(world: Any, order: str, is_reversed: bool) -> None:
    workspace, ids = world
    found = workspace.recommendations.users(
        ids, right=["B"], wrong=["A"], k=20, order=order, is_reversed=is_reversed, limit=10**6
    )
    assert found.between == (1, 0)
    for ranks, difference in zip(found.ranks.tolist(), found.differences.tolist(), strict=True):
        assert difference == (0 if math.isinf(ranks[0]) and math.isinf(ranks[1]) else ranks[0] - ranks[1])
    keys = {
        "difference": (-found.differences).tolist(),
        "rank": found.ranks[:, 1].tolist(),
        "length": (-found.lengths).tolist(),
    }[order]
    assert keys == sorted(keys, reverse=is_reversed)
    some = workspace.recommendations.users(
        ids, right=["B"], wrong=["A"], k=20, order=order, is_reversed=is_reversed, limit=7
    )
    assert rows_of(some) == rows_of(found)[:7]
    assert some.count == found.count > 7


def test_both_never_listed_is_no_difference(world: Any) -> None:
    workspace, ids = world
    found = workspace.recommendations.users(ids[:2], wrong=["A", "B"], order="file", limit=10**6)
    both = np.isinf(found.ranks).all(1)
    assert both.any()
    assert (found.differences[both] == 0).all()
    assert not np.isnan(found.differences).any()


def test_one_run_is_searched_too(world: Any) -> None:
    workspace, ids = world
    found = workspace.recommendations.users(ids[1:2], wrong=["A"], k=5, limit=3)
    assert found.between == (0, 0)
    assert (found.differences == 0).all()
    assert [outcome.right for outcome in found.outcomes] == [(0,), ()]
    assert found.ranks[:, 0].tolist() == sorted(found.ranks[:, 0].tolist())


def test_runs_that_were_not_evaluated_alike_are_refused_by_the_field(world: Any) -> None:
    workspace, ids = world
    (other,) = finish(workspace, 1.0, values={"evaluate.seen_items": "keep"})
    with pytest.raises(UsageError, match=r"differ in seen items \(evaluate\.seen_items\): exclude and keep"):
        workspace.recommendations.users([ids[0], other.id])


def test_wrong_use_is_said(world: Any, tmp_path: Path) -> None:
    workspace, ids = world
    api = workspace.recommendations
    for options, words in (
        ({"k": 0}, "among the first 0"),
        ({"order": "mood"}, "no order 'mood'"),
        ({"right": ["A"], "wrong": [ids[0]]}, "right and wrong at once"),
        ({"right": ["C"]}, "no run"),
        ({"right": [ids[2]]}, "is not one of those that are searched"),
    ):
        with pytest.raises(UsageError, match=words):
            api.users(ids[:2], **options)
    with pytest.raises(UsageError, match="named twice"):
        api.users([ids[0], ids[0]])
    (bare,) = finish(workspace, has_ranks=False)
    with pytest.raises(RunError, match=f"{bare.id} kept no ranks"):
        api.users([ids[0], bare.id])
    (cut,) = finish(workspace)
    with np.load(cut.directory / RANKS) as stored:
        arrays = {name: values[:-1] for name, values in stored.items()}
    np.savez_compressed(cut.directory / RANKS, **arrays)
    with pytest.raises(UsageError, match="ranked other users than"):
        api.users([ids[0], cut.id])
    with pytest.raises(UsageError, match="did not rank the users of"):
        api.users([cut.id])
