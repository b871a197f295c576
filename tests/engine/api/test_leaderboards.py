"""Leaderboards: what is planned, reused, gone on with and refused; the table against its runs, looked at one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import update

from engine import registry
from engine.api import Workspace
from engine.config import negatives_of, parse, preset, presets, standing_presets
from engine.errors import DataError, UsageError
from engine.records import LeaderboardPlan, LeaderboardRequest, RunStatus, Shelf
from engine.runs import liveness
from engine.store import Ending
from engine.store.tables import RunRow
from tests.helpers.finished_runs import end, finish

MODELS = ("sasrec", "gru4rec-strong", "popularity")
REQUEST = LeaderboardRequest("sample", MODELS, (1, 2), 5.0)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.runs.close()


def states(plan: LeaderboardPlan) -> dict[str, list[str]]:
    return {model.preset: [run.status for run in model.runs] for model in plan.models}


def test_without_names_every_recommender_stands_with_its_strongest_preset() -> None:
    standing = standing_presets("sample")
    assert {item.system for item in standing} == {item.system for item in presets()}
    assert {item.config.model.name for item in presets()} == {entry.name for entry in registry.entries("model")}
    assert len({item.system for item in standing}) == len(standing)
    assert {"SASRec", "CL4SRec", "CoSeRec"} <= {item.system for item in standing}
    for item in standing:
        rivals = [other for other in presets() if other.system == item.system and other.fits("sample")]
        assert item.is_strong or not any(other.is_strong for other in rivals)
    # One Transformer is three recommenders: each of its presets says which.
    transformers = {item.system for item in presets() if item.config.model.name == "transformer"}
    assert transformers == {"SASRec", "CL4SRec", "CoSeRec"}
    made_for = {item.system: item.name for item in standing_presets("/data/Beauty.txt")}
    assert made_for["CoSeRec"] == "coserec-strong"
    assert all(item.fits("Toys") for item in standing_presets("Toys.txt"))
    assert len({item.title for item in presets()}) == len(presets())  # rows are told apart by their titles


def test_a_preset_with_more_negatives_than_items_gives_its_place_to_one_that_runs(
    workspace: Workspace, tmp_path: Path
) -> None:
    by_count = {count: {item.system: item for item in standing_presets("shop.txt", count)} for count in (None, 16)}
    stood_back = {system for system, item in by_count[None].items() if negatives_of(item.config) >= 16}
    assert stood_back, "otherwise nothing is shown here"
    assert set(by_count[16]) == set(by_count[None]), "every recommender stands all the same"
    for system, item in by_count[16].items():
        assert negatives_of(item.config) < 16
        assert system in stood_back or item is by_count[None][system]
    shop = tmp_path / "shop.txt"
    shop.write_text("\n".join(f"{u} {u} {u + 1} {u + 2} {u + 3} {u + 4}" for u in range(1, 13)) + "\n")
    plan = workspace.leaderboards.plan(LeaderboardRequest(str(shop), (), (1,), 1.0))
    assert [model.refusal for model in plan.models] == [""] * len(by_count[None])


def test_the_plan_says_what_it_takes_and_starts_nothing(workspace: Workspace) -> None:
    plan = workspace.leaderboards.plan(REQUEST)
    assert states(plan) == {"sasrec": ["", ""], "gru4rec-strong": ["", ""], "popularity": [""]}
    assert (len(plan.new), plan.to_do, plan.most_seconds) == (5, 5, 4 * 300.0)  # what does not train takes no time
    assert workspace.runs.all() == ()


def test_all_rows_have_one_protocol_and_one_time_whatever_their_presets_say(workspace: Workspace) -> None:
    names = tuple(item.name for item in presets())
    plan = workspace.leaderboards.plan(LeaderboardRequest("sample", names, (3,), 7.5, "cpu"))
    seen = set()
    for model in plan.models:
        for run in model.runs:
            config = parse(dict(run.config))
            assert (config.train.max_minutes, config.train.seed, config.train.device) == (7.5, 3, "cpu")
            evaluate, fidelity = config.evaluate, config.fidelity
            seen.add((evaluate.seen_items, evaluate.ties, evaluate.noise_rate, fidelity.rank_special_tokens))
            seen.add(config.data.train_fraction)
            assert config.model == preset(model.preset).config.model
    assert seen == {("exclude", "mean", 0.0, False), 1.0}
    notes = {model.preset: " ".join(model.notes) for model in plan.models}
    assert "ties" not in notes["popularity"], "its ties are counted as everywhere"
    assert "seen items" in notes["coserec-published"]
    assert "a mild leak that the authors' code has" in notes["coserec-published"]
    assert notes["sasrec"] == ""


def test_names_may_be_those_of_recommenders(workspace: Workspace) -> None:
    plan = workspace.leaderboards.plan(LeaderboardRequest("sample", ("SASRec", "gru4rec", "poprec")))
    assert [model.preset for model in plan.models] == ["sasrec-strong", "gru4rec-strong", "popularity"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("sasrek",)}, "no preset or recommender called 'sasrek'"),
        ({"models": ("sasrec-strong", "SASRec")}, "'sasrec-strong' and 'SASRec' both mean sasrec-strong"),
        ({"models": ("SASRec", "sasrec-strong")}, "'SASRec' and 'sasrec-strong' both mean sasrec-strong"),
        ({"models": ("sasrec", "sasrec")}, "'sasrec' is named twice"),
        ({"seeds": ()}, "without a seed"),
        ({"seeds": (1, 1)}, "stands twice"),
        ({"seeds": tuple(range(51))}, "more than a leaderboard takes"),
        ({"minutes": 0.0}, "no time to train in"),
    ],
)
def test_a_wrong_request_is_one_sentence(workspace: Workspace, changes: dict[str, Any], message: str) -> None:
    request = LeaderboardRequest(**{"data": "sample", "models": MODELS, **changes})
    with pytest.raises(UsageError, match=message):
        workspace.leaderboards.plan(request)


def test_a_model_that_cannot_run_on_the_data_is_a_row_that_says_why(workspace: Workspace, tmp_path: Path) -> None:
    shop = tmp_path / "shop.txt"
    shop.write_text("\n".join(f"{u} {u} {u + 1} {u + 2} {u + 3} {u + 4}" for u in range(1, 13)) + "\n")
    request = LeaderboardRequest(str(shop), ("sasrec", "sasrec-sampled-softmax", "popularity"), (1,), 1.0)
    plan = workspace.leaderboards.start(request)
    assert "256 negatives cannot be drawn from the 16 items" in plan.models[1].refusal
    assert plan.models[1].runs == ()
    assert len(workspace.runs.all()) == 2
    board = workspace.leaderboards.board(request)
    assert [(row.preset, row.state) for row in board.rows if row.state == "refused"] == [
        ("sasrec-sampled-softmax", "refused")
    ]
    assert "256 negatives" in board.rows[1].told
    (shop.parent / "short.txt").write_text("1 1 2\n")
    with pytest.raises(DataError, match="nobody to train on"):
        workspace.leaderboards.plan(LeaderboardRequest(str(tmp_path / "short.txt"), MODELS))


def test_what_has_finished_is_used_again_and_what_was_stopped_goes_on(workspace: Workspace) -> None:
    api, runs = workspace.leaderboards, workspace.runs
    api.start(REQUEST)
    queued = {(run.preset, run.seed): run for run in runs.all()}
    assert [run.seed for run in reversed(runs.all())] == [1, 1, 1, 2, 2]  # a seed of every model first
    assert {tag for mark in workspace.marks.of() for tag in mark.tags} == {"leaderboard"}
    end(workspace, [queued["sasrec", 1]])
    end(workspace, [queued["sasrec", 2]], status=RunStatus.STOPPED)
    end(workspace, [queued["gru4rec-strong", 1]], status=RunStatus.FAILED)
    runs.cancel(queued["popularity", 1].id)
    plan = api.plan(REQUEST)
    assert states(plan) == {
        "sasrec": ["finished", "stopped"],
        "gru4rec-strong": ["failed", "queued"],
        "popularity": [""],
    }
    assert plan.finished == (queued["sasrec", 1].id,)
    assert plan.resumes == (queued["sasrec", 2].id,)
    assert plan.waiting == (queued["gru4rec-strong", 2].id,)
    assert (plan.to_do, plan.most_seconds) == (3, 2 * 300.0)
    again = api.start(REQUEST)
    assert states(again)["sasrec"] == ["finished", "queued"]
    assert states(again)["popularity"] == ["queued"]
    assert len(runs.all()) == 6  # the cancelled one alone was submitted anew
    retried = api.start(LeaderboardRequest("sample", MODELS, (1, 2), 5.0, retry=True))
    assert states(retried)["gru4rec-strong"] == ["queued", "queued"]
    assert len(runs.all()) == 6


def test_only_the_very_same_training_is_used_again(workspace: Workspace) -> None:
    finish(workspace, name="sasrec", seeds=(1,), values={"train.max_minutes": 5.0})
    finish(workspace, name="sasrec", seeds=(2,), values={"train.max_minutes": 6.0})  # another time
    finish(workspace, name="gru4rec-strong", seeds=(1,), values={"train.max_minutes": 5.0, "model.dropout": 0.4})
    plan = workspace.leaderboards.plan(REQUEST)
    assert states(plan)["sasrec"] == ["finished", ""]
    assert states(plan)["gru4rec-strong"] == ["", ""]
    workspace.marks.shelve(plan.finished, Shelf.TRASHED)
    assert states(workspace.leaderboards.plan(REQUEST))["sasrec"] == ["", ""]


@pytest.fixture
def measured(workspace: Workspace) -> Workspace:
    workspace.leaderboards.start(REQUEST)
    queued = {(run.preset, run.seed): run for run in workspace.runs.all()}
    end(workspace, [queued["gru4rec-strong", 1], queued["gru4rec-strong", 2]], 0.5, ended_by="time", seconds=301)
    end(workspace, [queued["sasrec", 1]], 2.0)
    end(workspace, [queued["popularity", 1]], 1.0, ended_by="nothing", seconds=0.0)
    workspace.runs.cancel(queued["sasrec", 2].id)
    return workspace


def test_the_table_is_what_its_runs_say(measured: Workspace) -> None:
    board = measured.leaderboards.board(REQUEST, metric="NDCG@10")
    assert [(row.place, row.preset, row.state, row.n) for row in board.rows] == [
        (1, "gru4rec-strong", "done", 2),
        (2, "popularity", "done", 1),
        (3, "sasrec", "partly", 1),
    ]
    assert not board.is_complete
    assert board.rows[2].told == "seed 2 not submitted"
    best = board.rows[0]
    runs = [measured.runs.get(run_id) for run_id in best.run_ids]
    values = [run.metrics["test"]["NDCG@10"] for run in runs]
    assert best.metrics is not None
    assert best.stds is not None
    assert best.metrics["NDCG@10"] == pytest.approx(sum(values) / 2)
    assert best.stds["NDCG@10"] == pytest.approx(np.std(values, ddof=1))
    assert (best.out_of_time, best.epochs, best.best_epochs) == (2, (3, 3), (3, 3))
    assert best.minutes == pytest.approx((301 / 60, 301 / 60))
    assert (best.p, best.difference) == (None, None)
    assert board.rows[1].epochs == (0,)
    pairs = measured.comparisons.compare([row.run_ids for row in board.rows])
    for place, row in enumerate(board.rows[1:], 1):
        test = next(item for item in pairs.tests if item.metric == "NDCG@10" and item.second == place)
        assert (row.p, row.difference) == (test.p_holm, test.difference)
        assert row.difference is not None
        assert row.difference < 0
    by_mrr = measured.leaderboards.board(REQUEST, metric="MRR", split="valid")
    assert by_mrr.comparison is not None
    assert by_mrr.comparison.split == "valid"
    with pytest.raises(UsageError, match="not sorted by 'recall'"):
        measured.leaderboards.board(REQUEST, metric="recall")


def test_files_have_the_tables_numbers_and_every_row(measured: Workspace, tmp_path: Path) -> None:
    request = LeaderboardRequest("sample", (*MODELS, "caser-strong"), (1, 2), 5.0)
    board = measured.leaderboards.board(request)
    frame = pd.read_csv(measured.leaderboards.export(board, tmp_path / "board.csv"))
    assert list(frame["preset"]) == [row.preset for row in board.rows]
    assert frame["state"].tolist() == ["done", "done", "partly", "waiting"]
    assert frame["NDCG@20"][0] == pytest.approx((board.rows[0].metrics or {})["NDCG@20"])
    assert math.isnan(frame["NDCG@20"][3])
    lines = (tmp_path / "board.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["place", "1", "2", "3", ""]  # and not 1.0
    text = measured.leaderboards.export(board, tmp_path / "board.tex").read_text(encoding="utf-8")
    assert "2 of 4 used them up" in text
    assert "% Caser, stronger settings: waiting: seeds 1, 2 not submitted" in text
    assert r"\textbf{" in text
    with pytest.raises(UsageError, match=r"cannot be a '\.doc' file"):
        measured.leaderboards.export(board, tmp_path / "board.doc")


def test_nothing_finished_is_a_table_without_numbers(workspace: Workspace, tmp_path: Path) -> None:
    board = workspace.leaderboards.board(REQUEST)
    assert board.comparison is None
    assert {row.state for row in board.rows} == {"waiting"}
    assert len(pd.read_csv(workspace.leaderboards.export(board, tmp_path / "b.csv"))) == 3
    with pytest.raises(UsageError, match="Nothing has finished"):
        workspace.leaderboards.export(board, tmp_path / "b.tex")


def test_what_makes_minutes_unlike_is_said(measured: Workspace) -> None:
    assert not [note for note in measured.leaderboards.board(REQUEST).notes if "machines" in note]
    queued = [run for run in measured.leaderboards.start(REQUEST).models[0].runs if run.status == "queued"]
    record = measured.runs.get(queued[0].run_id)
    end(measured, [record])
    store = measured.runs.store
    with store.database.write() as (session, _):
        session.execute(update(RunRow).where(RunRow.id == record.id).values(hardware={"processor": "Another one"}))
    notes = " ".join(measured.leaderboards.board(REQUEST).notes)
    assert "2 machines (CPU on A processor; CPU on Another one)" in notes
    measured.queue.set_at_once("cpu", 3)
    measured.queue.pause()
    plan = measured.leaderboards.plan(LeaderboardRequest("sample", MODELS, device="cpu"))
    assert "3 runs train on cpu at once" in plan.notes[0]
    assert "paused" in plan.notes[1]


def test_a_failed_run_is_told_with_its_reason(workspace: Workspace) -> None:
    workspace.leaderboards.start(LeaderboardRequest("sample", ("sasrec",), (1,), 5.0))
    (run,) = workspace.runs.all()
    attempt = workspace.runs.store.claim(run.id, liveness.this_process())
    assert attempt is not None
    workspace.runs.store.end(run.id, attempt, Ending(RunStatus.FAILED, "The memory ran out.", "Lower something."))
    (row,) = workspace.leaderboards.board(LeaderboardRequest("sample", ("sasrec",), (1,), 5.0)).rows
    assert (row.state, row.told) == ("failed", "seed 1 failed: The memory ran out. Lower something.")
    assert row.state_in_words == row.told  # which says that it failed
