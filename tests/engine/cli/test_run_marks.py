"""``coserec runs rename|tag|note|star|archive|trash|restore|purge`` and ``coserec queue``: what they say and do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.api import Workspace
from engine.cli import main
from engine.records import RunStatus
from engine.store import Ending, ProcessMark
from tests.helpers.fake_training import submit


@pytest.fixture
def ids(tmp_path: Path) -> list[str]:
    runs = Workspace(tmp_path).runs
    found = [record.id for record in submit(runs.store, 3)]
    for run_id in found[:2]:
        runs.store.claim(run_id, ProcessMark("made", 1, 1.0))
        runs.store.end(run_id, 1, Ending(RunStatus.FINISHED))
    runs.close()
    return found


def call(tmp_path: Path, *words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(main, [*words, "--workspace", str(tmp_path), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_marks_of_runs(tmp_path: Path, ids: list[str]) -> None:
    call(tmp_path, "runs", "tag", ids[0], ids[1], "--add", "paper", "--add", "old")
    call(tmp_path, "runs", "tag", ids[1], "--remove", "old")
    call(tmp_path, "runs", "note", ids[0], "good")
    call(tmp_path, "runs", "colour", ids[0], "--number", "4")
    (told,) = call(tmp_path, "runs", "star", ids[0])["runs"]
    assert told == {
        "id": ids[0],
        "number": 0,
        "tags": ["old", "paper"],
        "note": "good",
        "colour": 4,
        "shelf": "shown",
        "is_baseline": True,
    }
    assert [run["id"] for run in call(tmp_path, "runs", "--tag", "paper")["runs"]] == [ids[1], ids[0]]
    assert [run["id"] for run in call(tmp_path, "runs", "--tag", "paper", "--tag", "old")["runs"]] == [ids[0]]
    assert call(tmp_path, "show", ids[0])["marks"]["note"] == "good"
    assert not call(tmp_path, "runs", "star", ids[0], "--off")["runs"][0]["is_baseline"]


def test_runs_are_renamed(tmp_path: Path, ids: list[str]) -> None:
    told = call(tmp_path, "runs", "rename", ids[0], ids[1], "--name", " the  best ")["runs"]
    assert told == [{"id": ids[0], "name": "the best · seed 1"}, {"id": ids[1], "name": "the best · seed 2"}]
    assert [run["id"] for run in call(tmp_path, "runs", "--filter", "best")["runs"]] == [ids[1], ids[0]]
    (told,) = call(tmp_path, "runs", "rename", ids[0], "--name", "")["runs"]
    assert "best" not in told["name"]
    call(tmp_path, "runs", "rename", ids[0], "--name", "x" * 121, code=2)
    done = CliRunner().invoke(main, ["runs", "rename", ids[1], "--name", "b", "--workspace", str(tmp_path)])
    assert done.output == f"{ids[1]} is called b · seed 2.\n"


def test_archive_trash_restore_purge(tmp_path: Path, ids: list[str]) -> None:
    call(tmp_path, "runs", "archive", ids[0])
    assert [run["id"] for run in call(tmp_path, "runs")["runs"]] == [ids[2], ids[1]]
    assert [run["id"] for run in call(tmp_path, "runs", "--shelf", "archived")["runs"]] == [ids[0]]
    refused = call(tmp_path, "runs", "purge", ids[0], code=1)["error"]
    assert "not in the trash" in refused["message"]
    assert "is queued" in call(tmp_path, "runs", "trash", ids[2], code=1)["error"]["message"]
    call(tmp_path, "runs", "trash", ids[0], ids[1])
    call(tmp_path, "runs", "restore", ids[1])
    assert call(tmp_path, "runs", "purge", "--all")["purged"] == [ids[0]]
    assert [run["id"] for run in call(tmp_path, "runs")["runs"]] == [ids[2], ids[1]]
    call(tmp_path, "runs", "purge", code=2)


def test_the_queue(tmp_path: Path, ids: list[str]) -> None:
    runs = Workspace(tmp_path).runs
    (late,) = submit(runs.store)
    runs.close()
    assert call(tmp_path, "queue")["order"] == [ids[2], late.id]
    assert call(tmp_path, "queue", "move", late.id)["order"] == [late.id, ids[2]]
    assert call(tmp_path, "queue", "pause")["is_paused"]
    assert not call(tmp_path, "queue", "unpause")["is_paused"]
    assert call(tmp_path, "queue", "at-once", "cpu", "2")["at_once"] == {"cpu": 2}


def test_a_queue_that_nobody_works_off_says_so(tmp_path: Path, ids: list[str]) -> None:
    def told() -> str:
        done = CliRunner().invoke(main, ["queue", "--workspace", str(tmp_path)])
        assert "Not paused; one at once; 1 waiting." in done.output
        return done.output

    said = told()
    assert "No window and no `coserec work`" in said
    assert f"{ids[2]}" in said
    runs = Workspace(tmp_path).runs
    assert runs.take_queue()
    assert "No window" not in told()
    runs.drop_queue()
    runs.close()


def test_the_protocol_of_a_run_whose_data_are_gone_says_so(tmp_path: Path, ids: list[str]) -> None:
    card = call(tmp_path, "show", ids[0], "--protocol")["protocol"]
    assert card["verdict"] == "unknown"
    assert {fact["name"] for fact in card["facts"]} >= {"Seed", "Data"}
