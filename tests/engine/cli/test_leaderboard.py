"""coserec leaderboard: plan, table and files; wrong use; one from beginning to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from engine.api import Workspace
from engine.paths import resource
from engine.records import CostEstimate, LeaderboardRequest, RunStatus
from engine.runs import liveness
from tests.engine.cli.conftest import Shell
from tests.helpers.finished_runs import end

FEW = ("--models", "SASRec,gru4rec-strong,popularity", "--seeds", "1-2", "--budget-minutes", "5")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rehearsals cost nothing: 15 s an epoch, 40 epochs, 100 of 13.2 s before them."""
    found = CostEstimate(*("cpu", 9, 9, 13.0, 2.0, 0.0, 0.0, 1.0, 0), 40, 0, pretrain_epochs=0, pretrain_seconds=13.2)
    monkeypatch.setattr(
        "engine.api.costs.Costs.estimate",
        lambda _, config: replace(found, pretrain_epochs=config.train.pretrain_epochs),
    )


def test_the_plan_is_told_and_nothing_is_stored(shell: Shell) -> None:
    tree = shell.runs("leaderboard", "sample", *FEW, "--plan")
    assert (tree["new"], tree["to_do"], tree["most_seconds"]) == (5, 5, 1200.0)
    assert [model["preset"] for model in tree["models"]] == ["sasrec-strong", "gru4rec-strong", "popularity"]
    told = shell("leaderboard", "sample", *FEW, "--plan", "--workspace", shell.workspace).stderr
    assert "3 models, 2 seeds, 5 minutes of training and validation each" in told
    assert "5 to train; at most 20 min, and the tests." in told
    assert "does not train: one run, no seeds" in told
    assert "Rehearsing some steps of sasrec-strong, gru4rec-strong: is their time enough?" in told
    assert "SASRec, stronger settings: its learning rate falls over 40 epochs, about 10 min by a rehearsal" in told
    assert "near epoch 20 of 40" in tree["models"][0]["warning"]
    assert shell.runs("runs")["runs"] == []


def test_the_table_has_the_facades_numbers(shell: Shell, tmp_path: Path) -> None:
    tree = shell.runs("leaderboard", "sample", *FEW, "--queue")
    assert len(tree["models"][0]["runs"]) == 2
    workspace = Workspace(shell.workspace)
    queued = [run for run in workspace.runs.all() if run.preset != "sasrec-strong"]
    end(workspace, queued, ended_by="time")
    request = LeaderboardRequest("sample", ("SASRec", "gru4rec-strong", "popularity"), (1, 2), 5.0)
    found = workspace.leaderboards.board(request)
    workspace.runs.close()
    files = ("--csv", tmp_path / "b.csv", "--latex", tmp_path / "b.tex")
    tree = shell.runs("leaderboard", "sample", *FEW, "--show", *files)
    assert [row["metrics"] for row in tree["rows"]] == [row.metrics and dict(row.metrics) for row in found.rows]
    assert tree["is_complete"] is False
    assert len(pd.read_csv(tmp_path / "b.csv")) == 3
    assert r"\toprule" in (tmp_path / "b.tex").read_text(encoding="utf-8")
    out = shell("leaderboard", "sample", *FEW, "--show", "--workspace", shell.workspace).stdout
    assert "3!" in out
    assert "its time, 5 minutes, was spent" in out
    assert "waiting: seeds 1, 2 queued" in out


def test_the_papers_table_stands_below_on_its_data(shell: Shell, tmp_path: Path) -> None:
    data = tmp_path / "Beauty.txt"  # the sample's sequences under a name that the paper has
    data.write_bytes(resource("sample", "shop.txt").read_bytes())
    workspace = Workspace(shell.workspace)
    workspace.leaderboards.start(LeaderboardRequest(str(data), ("popularity",), (1,), 5.0))
    end(workspace, workspace.runs.all())
    workspace.runs.close()
    arguments = (data, "--models", "popularity", "--seeds", "1", "--budget-minutes", "5", "--show", "--paper")
    tree = shell.runs("leaderboard", *arguments, "--latex", tmp_path / "b.tex")
    told = {cell["model"]: cell["metrics"] for cell in tree["paper"]}
    assert told["CoSeRec"]["NDCG@20"] == 0.0503
    assert "SASRec (paper) & 0.0" in (tmp_path / "b.tex").read_text(encoding="utf-8")
    out = shell("leaderboard", *arguments, "--workspace", shell.workspace).stdout
    assert "CoSeRec (paper)" in out
    assert "! Table 2, Beauty, PopRec" in out
    said = "Beauty has 2,048 users here and 22,363 in the paper: its numbers are of other data."
    assert said in tree["notes"]
    assert said in out
    tree = shell.runs("leaderboard", "sample", "--models", "popularity", "--show", "--paper")
    assert tree["paper"] == []
    assert "The paper has no data set called shop" in " ".join(tree["notes"])


def test_nothing_is_rehearsed_beside_a_run_that_trains(shell: Shell) -> None:
    shell.runs("train", "sample", "--preset", "sample", "--queue")
    workspace = Workspace(shell.workspace)
    (run,) = workspace.runs.all()
    workspace.runs.store.claim(run.id, liveness.this_process())
    workspace.runs.close()
    told = shell("leaderboard", "sample", *FEW, "--plan", "--workspace", shell.workspace).stderr
    assert "is not rehearsed: a run trains" in told
    assert "by a rehearsal" not in told


def test_pre_training_that_takes_all_the_time_is_told_before_it_does(shell: Shell) -> None:
    arguments = ("leaderboard", "sample", "--models", "s3rec-paper", "--seeds", "1")
    told = shell(*arguments, "--plan", "--workspace", shell.workspace).stderr
    assert "shop: 1 model, 1 seed, 10 minutes of" in told
    assert "! S3-Rec, the source's settings: its 100 epochs of pre-training alone take about 22 min" in told
    assert "22 min" in shell.runs(*arguments, "--queue")["models"][0]["warning"]


@pytest.mark.parametrize(
    ("minutes", "models", "said"),
    [
        ("1", "sasrec", "1 model, 1 seed, 1 minute of"),
        ("1", "sasrec", "1 to train; at most 1 min, and the tests."),
        ("0.4", "sasrec", "at most 24 s, and the tests."),
        ("0.001", "sasrec", "at most 1 s, and the tests."),
        ("5", "popularity", "1 to train; only their tests take time."),
    ],
)
def test_small_numbers_are_told_as_they_are(shell: Shell, minutes: str, models: str, said: str) -> None:
    arguments = ("--models", models, "--seeds", "1", "--budget-minutes", minutes, "--plan")
    assert said in shell("leaderboard", "sample", *arguments, "--workspace", shell.workspace).stderr


def test_a_row_that_failed_says_so_once(shell: Shell) -> None:
    arguments = ("leaderboard", "sample", "--models", "sasrec", "--seeds", "1,2")
    shell.runs(*arguments, "--queue")
    workspace = Workspace(shell.workspace)
    end(workspace, workspace.runs.all(), status=RunStatus.FAILED)
    workspace.runs.close()
    out = shell(*arguments, "--show", "--workspace", shell.workspace).stdout
    assert "seeds 1, 2 failed: Done." in out
    assert out.count("failed") == 1
    told = shell(*arguments, "--plan", "--workspace", shell.workspace).stderr
    assert "nothing to run." in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--models", "nobody"), "no preset or recommender called 'nobody'"),
        (("--models", ","), "names no model"),
        (("--models", "SASRec,sasrec-strong"), "'SASRec' and 'sasrec-strong' both mean sasrec-strong"),
        (("--seeds", "x"), "no seed or range"),
        (("--budget-minutes", "0"), "0"),
        (("--plan", "--queue"), "exclude each other"),
        (("--csv", "table.doc"), "no table's name"),
        (("--latex", "table.csv"), "no .tex file"),
        (("--metric", "recall", "--show"), "not sorted by 'recall'"),
    ],
)
def test_wrong_use(shell: Shell, arguments: tuple[str, ...], message: str) -> None:
    assert message in shell.runs("leaderboard", "sample", *arguments, code=2)["error"]["message"]
    assert shell.runs("runs")["runs"] == []


def test_from_beginning_to_end_with_a_model_that_cannot_run(shell: Shell, shop: Path) -> None:
    arguments = (shop, "--models", "popularity,sasrec-sampled-softmax", "--seeds", "1", "--budget-minutes", "1")
    tree = shell.runs("leaderboard", *arguments)
    assert [(row["preset"], row["state"]) for row in tree["rows"]] == [
        ("popularity", "done"),
        ("sasrec-sampled-softmax", "refused"),
    ]
    assert 0 < tree["rows"][0]["metrics"]["NDCG@20"] <= 1
    again = shell.runs("leaderboard", *arguments)
    assert again["rows"] == tree["rows"]
    assert len(shell.runs("runs")["runs"]) == 1
