"""A seed counts once: a run that was made again is no other seed; what does not train has no seeds at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.api import Workspace
from engine.config import preset
from engine.records import LeaderboardRequest, RunRecord, RunStatus
from tests.helpers.finished_runs import end, finish, ids

SASREC = {"loss.contrastive_weight": 0.0}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.runs.close()


@pytest.fixture
def again(workspace: Workspace) -> tuple[RunRecord, ...]:
    """Seeds 1 to 3, and seed 1 once more with other numbers, so that it shows which of the two counts."""
    return (*finish(workspace, 0.8, (1, 2, 3)), *finish(workspace, 1.4, (1,)))


def test_the_list_of_groups_counts_the_newest_finished_run_of_a_seed(
    workspace: Workspace, again: tuple[RunRecord, ...]
) -> None:
    old, second, third, new = again
    (group,) = workspace.comparisons.choices()
    assert set(group.run_ids) == {new.id, second.id, third.id}
    assert group.seeds == (1, 2, 3)
    assert group.left_out == (old.id,)
    assert group.note == f"Run {old.id} is left out: seed 1 counts once, by its newest finished run, {new.id}."
    values = [run.metrics["test"]["NDCG@20"] for run in (new, second, third)]
    assert (group.metrics["NDCG@20"], group.stds["NDCG@20"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))


def test_one_that_was_stopped_does_not_take_the_place_of_a_finished_one(workspace: Workspace) -> None:
    (finished,) = finish(workspace, 0.8, (1,))
    (stopped,) = finish(workspace, 0.8, (1,), status=RunStatus.STOPPED)
    (group,) = workspace.comparisons.choices()
    assert (group.run_ids, group.left_out) == ((finished.id,), (stopped.id,))


def test_a_comparison_counts_a_seed_once_and_says_so(workspace: Workspace, again: tuple[RunRecord, ...]) -> None:
    old, *kept = again
    other = finish(workspace, 1.0, (1, 2, 3), SASREC)
    api = workspace.comparisons
    found = api.compare(ids(again, other))
    clean = api.compare(ids(tuple(kept), other))
    for metric in found.metrics:
        told, expected = (next(m for m in one.measures if m.metric == metric) for one in (found, clean))
        assert (told.mean, told.std, sorted(told.seeds)) == (expected.mean, expected.std, sorted(expected.seeds))
    assert [test.p_seeds for test in found.tests] == pytest.approx([test.p_seeds for test in clean.tests])
    assert [test.p for test in found.tests] == [test.p for test in clean.tests]
    assert found.groups[0].n == 3
    assert [note for note in found.notes if old.id in note and "seed 1 counts once" in note]
    assert not [note for note in clean.notes if "counts once" in note]
    assert not [note for note in found.notes if "not alike" in note]
    table = api.table(ids(again, other), metrics=("HR@20",))
    assert [cell.n for row in table.cells for cell in row if cell] == [3, 3]
    assert f"note: Run {old.id} is left out" in api.latex(table)
    (curve, _) = api.curves(ids(again, other), "valid/NDCG@20")
    assert curve.n.tolist() == [3, 3, 3]
    for kind in ("length", "popularity"):
        one, two = (api.slices(groups, "HR@20", kind) for groups in (ids(again, other), ids(tuple(kept), other)))
        assert np.array_equal(one.means, two.means)
    figure = api.figure("bars", ids(again, other), workspace.directory / "bars.svg").read_text(encoding="utf-8")
    assert old.id not in figure
    assert kept[0].id in figure


def test_what_does_not_train_is_one_model_whatever_its_settings_of_training(workspace: Workspace) -> None:
    for seed, minutes in ((1, 0.0), (2, 0.0), (1, 0.1), (3, 0.5)):
        finish(workspace, 1.0, (seed,), {"train.max_minutes": minutes, "train.batch_size": 64}, name="popularity")
    (group,) = workspace.comparisons.choices()
    assert group.label == preset("popularity").title
    assert (len(group.run_ids), len(group.left_out), group.stds) == (1, 3, {})
    assert "without training every run is the same" in group.note
    noisy = finish(workspace, 1.0, (1, 2), {"evaluate.noise_rate": 0.2}, name="popularity")
    found = next(item for item in workspace.comparisons.choices() if noisy[0].id in item.run_ids)
    assert found.seeds == (1, 2), "noise is drawn by the seed"


def test_a_model_without_seeds_is_no_group_of_one_seed(workspace: Workspace) -> None:
    popular = finish(workspace, 1.2, (1,), name="popularity")
    other = finish(workspace, 1.0, (1, 2, 3))
    api = workspace.comparisons
    found = api.compare(ids(popular, other))
    assert [group.has_seeds for group in found.groups] == [False, True]
    assert found.notes == ()
    table = api.table(ids(popular, other), metrics=("HR@20",))
    text = api.latex(table)
    assert "of one seed" not in text
    assert "over 3 seeds" in text
    alone = api.latex(api.table(ids(finish(workspace, 1.0, (1,), SASREC), other), metrics=("HR@20",)))
    assert "What has none is of one seed" in alone
    differing = {item.path for item in found.settings if item.differs}
    assert not [path for path in differing if path.startswith("train.")], "popularity has no settings of training"
    frame = pd.read_csv(api.export_table(table, workspace.directory / "t.csv"))
    assert frame["n"].tolist() == [1, 3]


def test_seeds_of_what_does_not_train_are_one_run(workspace: Workspace) -> None:
    assert len(workspace.runs.submit(preset("popularity").config, preset="popularity", seeds=(3, 1, 2))) == 1
    assert len(workspace.runs.submit(preset("sasrec").config, preset="sasrec", seeds=(3, 1, 2))) == 3


def test_the_leaderboard_takes_a_finished_run_of_what_does_not_train(workspace: Workspace) -> None:
    (run,) = finish(workspace, 1.0, (7,), name="popularity")
    sasrec = finish(workspace, 0.8, (1, 2), {"train.max_minutes": 5.0}, name="sasrec")
    for minutes, seeds in ((5.0, (1, 2)), (0.5, (4,))):
        request = LeaderboardRequest("sample", ("sasrec", "popularity"), seeds, minutes, "cpu")
        plan = workspace.leaderboards.plan(request)
        assert [(one.run_id, one.status) for one in plan.models[1].runs] == [(run.id, "finished")]
    request = LeaderboardRequest("sample", ("sasrec", "popularity"), (1, 2), 5.0)
    board = workspace.leaderboards.board(request)
    assert {row.preset: row.run_ids for row in board.rows} == {
        "sasrec": tuple(one.id for one in sasrec),
        "popularity": (run.id,),
    }
    assert not [note for note in board.notes if "seed" in note]
    text = workspace.leaderboards.export(board, workspace.directory / "board.tex").read_text(encoding="utf-8")
    assert "one seed" not in text.lower()


def test_results_have_one_run_of_what_does_not_train(workspace: Workspace, tmp_path: Path) -> None:
    for seed in (1, 2):
        queued = workspace.runs.submit(preset("popularity").config.replace({"train.seed": seed}), preset="popularity")
        end(workspace, queued, ended_by="nothing", seconds=0.0)
        workspace.results.write(tmp_path)
    (item,) = workspace.results.read(tmp_path)
    assert [run.seed for run in item.runs] == [2]
