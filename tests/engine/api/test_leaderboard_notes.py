"""What a leaderboard has to say of itself: the paper's numbers beside other data, a time that is too short."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import Workspace
from engine.errors import OutOfMemoryError
from engine.paths import resource
from engine.records import CostEstimate, LeaderboardRequest
from tests.helpers.finished_runs import end

OTHER = "Beauty has 2,048 users here and 22,363 in the paper: its numbers are of other data."


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.runs.close()


def named(folder: Path, name: str) -> str:
    """The sample's sequences in a file of that name."""
    path = folder / name
    path.write_bytes(resource("sample", "shop.txt").read_bytes())
    return str(path)


def measured(workspace: Workspace, data: str, models: tuple[str, ...] = ("popularity",)) -> LeaderboardRequest:
    """Runs of one seed that have finished."""
    request = LeaderboardRequest(data, models, (1,), 5.0)
    workspace.leaderboards.start(request)
    end(workspace, workspace.runs.all())
    return request


def test_the_papers_numbers_of_other_users_are_said_to_be(workspace: Workspace, tmp_path: Path) -> None:
    data = named(tmp_path, "Beauty.txt")
    request = LeaderboardRequest(data, ("popularity",), (1,), 5.0)
    assert OTHER in workspace.leaderboards.board(request, paper=True).notes  # before anything has finished
    measured(workspace, data)
    assert workspace.leaderboards.board(request, paper=True).notes.count(OTHER) == 1
    assert OTHER not in workspace.leaderboards.board(request).notes


@pytest.mark.parametrize("has_ranks", [True, False])
def test_what_was_trained_under_another_name_has_the_papers_rows_in_every_form(
    workspace: Workspace, tmp_path: Path, has_ranks: bool
) -> None:
    workspace.leaderboards.start(LeaderboardRequest(named(tmp_path, "tiny.txt"), ("popularity",), (1,), 5.0))
    end(workspace, workspace.runs.all(), has_ranks=has_ranks)
    again = LeaderboardRequest(named(tmp_path, "Beauty.txt"), ("popularity",), (1,), 5.0)
    found = workspace.leaderboards.board(again, paper=True)
    assert found.plan.finished == (workspace.runs.all()[0].id,)
    assert OTHER in found.notes
    assert found.comparison is not None
    assert {group.dataset for group in found.comparison.groups} == {"Beauty"}
    text = workspace.leaderboards.export(found, tmp_path / "b.tex").read_text(encoding="utf-8")
    assert "SASRec (paper) & 0.0" in text
    assert "22,363 in the paper" in text


def test_data_that_the_paper_does_not_have_are_told(workspace: Workspace, tmp_path: Path) -> None:
    request = measured(workspace, named(tmp_path, "tiny.txt"))
    found = workspace.leaderboards.board(request, paper=True)
    said = "The paper has no data set called tiny: its Table 2 is about Beauty, Sports and Yelp."
    assert found.paper == ()
    assert said in found.notes
    text = workspace.leaderboards.export(found, tmp_path / "t.tex").read_text(encoding="utf-8")
    assert f"% {said}" in text
    assert said not in workspace.leaderboards.board(request).notes


def test_models_for_which_the_time_can_be_too_short_are_rehearsed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def estimate(_: object, config: object) -> CostEstimate:
        asked.append(config.model.name)  # type: ignore[attr-defined]
        if config.model.name == "gru4rec":  # type: ignore[attr-defined]
            raise OutOfMemoryError("A batch does not fit.", "Lower something.")
        before = config.train.pretrain_epochs  # type: ignore[attr-defined]
        return CostEstimate(
            *("cpu", 9, 9, 13.0, 2.0, 0.0, 0.0, 1.0, 0), 40, 0, pretrain_epochs=before, pretrain_seconds=13.2
        )

    monkeypatch.setattr("engine.api.costs.Costs.estimate", estimate)
    names = ("sasrec", "sasrec-strong", "s3rec-paper", "gru4rec-strong", "popularity")
    plan = workspace.leaderboards.plan(LeaderboardRequest("sample", names, (1, 2), 5.0))
    assert {model.warning for model in plan.models} == {""}
    told = {model.preset: model.warning for model in workspace.leaderboards.rehearsed(plan).models}
    assert asked == ["transformer", "s3rec", "gru4rec"]  # a preset once, whatever its seeds; one rate needs none
    assert "near epoch 20 of 40" in told["sasrec-strong"]
    assert "pre-training alone take about 22 min" in told["s3rec-paper"]
    assert told["gru4rec-strong"] == "it could not be rehearsed: A batch does not fit. Lower something."
    assert told["sasrec"] == told["popularity"] == ""
    workspace.leaderboards.start(plan.request)
    asked.clear()
    workspace.leaderboards.rehearsed(workspace.leaderboards.plan(plan.request))
    assert asked == []  # what waits already is not asked about


def test_a_real_rehearsal_finds_that_a_moment_is_too_short(workspace: Workspace) -> None:
    plan = workspace.leaderboards.plan(LeaderboardRequest("sample", ("s3rec-paper",), (1,), 0.001, "cpu"))
    (model,) = workspace.leaderboards.rehearsed(plan).models
    assert "pre-training alone" in model.warning


def test_a_row_says_that_its_time_ended_it_while_the_rate_was_high(workspace: Workspace, tmp_path: Path) -> None:
    request = LeaderboardRequest("sample", ("sasrec", "sasrec-strong", "gru4rec-strong"), (1, 2), 5.0)
    workspace.leaderboards.start(request)
    runs = workspace.runs.all()
    end(workspace, [run for run in runs if run.preset != "gru4rec-strong"], ended_by="time", seconds=301)
    end(workspace, [run for run in runs if run.preset == "gru4rec-strong"], 2.0)
    found = workspace.leaderboards.board(request)
    told = {row.preset: row for row in found.rows}
    said = "seeds 1, 2 ended by time at epochs 3, 3 of 40, before their learning rate had fallen"
    assert (told["sasrec-strong"].cut_short, told["sasrec-strong"].told) == (said, said)
    assert told["sasrec"].cut_short == ""  # its rate stays
    assert told["gru4rec-strong"].cut_short == ""  # it had its time
    assert said in workspace.leaderboards.export(found, tmp_path / "b.csv").read_text(encoding="utf-8")
    assert said in workspace.leaderboards.export(found, tmp_path / "b.tex").read_text(encoding="utf-8")


def test_a_single_minute_is_no_minutes(workspace: Workspace, tmp_path: Path) -> None:
    request = LeaderboardRequest("sample", ("sasrec",), (1,), 1.0)
    workspace.leaderboards.start(request)
    end(workspace, workspace.runs.all(), ended_by="time")
    found = workspace.leaderboards.board(request)
    text = workspace.leaderboards.export(found, tmp_path / "b.tex").read_text(encoding="utf-8")
    assert "Each run had 1 minute of training and validation; 1 of 1 used it up." in text
