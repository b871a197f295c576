"""The command line's contract: one JSON object, three exit codes, the forms that scripts rely on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
import torch

from engine.api.runs import Runs
from engine.records import RunStatus
from engine.store import Store
from tests.engine.cli.conftest import Shell
from tests.helpers import fake_training
from tests.helpers.fake_training import submit
from tests.helpers.waiting import wait_for

ROOT = Path(__file__).parents[3]
METRICS = {f"{name}@{k}" for name in ("HR", "NDCG") for k in (5, 10, 20)}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs started by a command train by stand-ins, in real processes of their own: the kinds, used up in order."""
    kinds: list[str] = []

    def start(runs: Runs, run_id: str) -> Any:
        return fake_training.start(runs.store, runs.get(run_id).id, kinds.pop(0) if kinds else "quick")

    monkeypatch.setattr(Runs, "start", start)
    return kinds


def queued(shell: Shell, count: int = 1) -> list[str]:
    """Runs in the queue whose data the stand-ins know."""
    store = Store.open(shell.workspace)
    ids = [run.id for run in submit(store, count)]
    store.close()
    return ids


# Looking at data -----------------------------------------------------------------------------------------------------


def test_inspect(shell: Shell, shop: Path) -> None:
    found = shell.json("inspect", shop)
    assert (found["users"], found["items"], found["actions"], found["average_length"]) == (40, 17, 280, 7.0)
    assert found["sparsity"] == 1 - 280 / (40 * 17)
    assert found["short_share"] == 1.0
    assert found["training_lengths"][4] == 40
    assert "average length" in shell("inspect", shop).stdout


def test_neighbours(shell: Shell, shop: Path) -> None:
    found = shell.json("neighbours", shop, "--item", 4, "--k", 3)
    assert found["item"]["title"] == "Kaffeemühle ☕"
    assert len(found["neighbours"]) == 3
    assert {"item", "title", "score", "normalised", "shared_users", "users"} <= set(found["neighbours"][0])
    scores = [neighbour["score"] for neighbour in found["neighbours"]]
    assert scores == sorted(scores, reverse=True)
    assert "Kaffeemühle" in shell("neighbours", shop, "--item", 4).stdout
    whole = shell.json("neighbours", shop, "--summary")
    assert whole["taken"] is None
    assert sum(whole["tops"][0]["counts"]) + whole["tops"][0]["without"] == whole["items"]


@pytest.mark.parametrize("operator", ["crop", "mask", "reorder", "substitute", "insert", "policy"])
def test_augment(shell: Shell, shop: Path, operator: str) -> None:
    found = shell.json("augment", shop, "--user", 2, "--operator", operator, "--seed", 7, "--views", 2)
    assert len(found["original"]) == 4
    assert found["offsets"] == [0, len(found["view"])]
    assert len(found["sources"]) == len(found["kinds"]) == len(found["view"])
    assert set(found["kinds"]) <= {"kept", "masked", "substituted", "inserted"}
    for item, source, kind in zip(found["view"], found["sources"], found["kinds"], strict=True):
        assert (item == found["original"][source]) or kind != "kept"
    assert found["views"][0]["view"] == found["view"]
    assert len(found["views"]) == 2
    again = shell.json("augment", shop, "--user", 2, "--operator", operator, "--seed", 7, "--views", 2)
    assert again == found


def test_augment_takes_the_configuration(shell: Shell, shop: Path) -> None:
    found = shell.json("augment", shop, "--user", 2, "--operator", "mask", "--augment.mask_rate", 1)
    assert set(found["kinds"]) == {"masked"}


def test_popularity(shell: Shell, shop: Path) -> None:
    honest = shell.json("popularity", shop)["metrics"]
    everything = shell.json("popularity", shop, "--count-everything", "--split", "valid")["metrics"]
    assert set(honest) >= METRICS
    assert set(everything) == set(honest)
    # Unrounded: a share of 40 users.
    assert all(float(40 * honest[f"HR@{k}"]).is_integer() for k in (5, 10, 20))
    assert f"{honest['NDCG@20']:.4f}" in shell("popularity", shop).stdout


def test_presets_and_version(shell: Shell) -> None:
    found = shell.json("presets")["presets"]
    names = [preset["name"] for preset in found]
    assert {name for preset in found for name in preset["aliases"]} == {"cl4srec-paper", "popularity-paper"}
    assert "cl4srec, cl4srec-paper" in shell("presets").stdout
    assert {"sample", "coserec-paper-beauty", "coserec-published-yelp"} <= set(names)
    assert "coserec" in shell("--version").stdout


# Training ------------------------------------------------------------------------------------------------------------


def test_train_queues_what_it_is_told(shell: Shell, shop: Path) -> None:
    arguments = ("--preset", "coserec-paper", "--seeds", "1-3", "--train.epochs", 5, "--loss.contrastive_weight", 0.25)
    found = shell.runs("train", shop, *arguments, "--queue")["runs"]
    assert [run["seed"] for run in found] == [1, 2, 3]
    assert {run["status"] for run in found} == {"queued"}
    assert {run["config"]["train"]["epochs"] for run in found} == {5}
    assert found[0]["config"]["loss"]["contrastive_weight"] == 0.25
    assert found[0]["config"]["data"]["path"] == str(shop)
    assert found[0]["preset"] == "coserec-paper"


def test_train_has_the_form_of_the_issue(shell: Shell, fake: list[str]) -> None:
    found = followed(shell, fake, "quick")
    (run,) = found["runs"]
    assert run["status"] == "finished"
    assert run["metrics"]["test"]["NDCG@20"] == 1 / 3
    assert set(run["metrics"]) == {"valid", "test"}
    assert [set(epoch) >= {"train_seconds", "validate_seconds", "losses", "metrics"} for epoch in run["epochs"]] == [
        True
    ] * 3
    assert run["epochs"][0]["metrics"]["NDCG@20"] == 0.5
    assert run["config"]["train"]["epochs"] == 3


def failed(shell: Shell) -> str:
    """A run that failed before it began."""
    (run_id,) = queued(shell)
    store = Store.open(shell.workspace)
    store.fail_unclaimed(run_id, "made so", "", "")
    store.close()
    return run_id


def followed(shell: Shell, fake: list[str], kind: str, code: int = 0) -> Any:
    """A failed run resumed: it is followed to its end as `train` follows its own."""
    fake[:] = [kind]
    return shell.runs("resume", failed(shell), code=code)


def test_progress_goes_to_standard_error(shell: Shell, fake: list[str]) -> None:
    run_id = failed(shell)
    result = shell("resume", run_id, "--workspace", shell.workspace)
    assert f"{run_id} epoch 3/3" in result.stderr
    assert f"{run_id} (a run · seed 1) finished." in result.stderr
    assert "epoch 1/3" not in result.stdout
    assert "0.3333" in result.stdout


def test_a_failed_run_is_exit_code_1(shell: Shell, fake: list[str]) -> None:
    (run,) = followed(shell, fake, "broken", code=1)["runs"]
    assert run["status"] == "failed"
    assert run["message"] == "ZeroDivisionError: an example of a fault"


def test_ctrl_c_stops_with_a_checkpoint(shell: Shell, fake: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look at the clock is the user's Ctrl+C, once the run has finished an epoch."""
    from engine.cli import follow

    first, second = queued(shell, 2)
    fake[:] = ["endless"]
    store = Store.open(shell.workspace)
    pressed = []

    def sleep(seconds: float) -> None:
        if store.epochs(first) and not pressed:
            pressed.append(seconds)
            raise KeyboardInterrupt

    monkeypatch.setattr(follow.time, "sleep", sleep)
    runs = Runs(shell.workspace)
    found = follow.follow(runs, [first, second])
    assert [run.status for run in found] == [RunStatus.STOPPED, RunStatus.CANCELLED]
    assert (found[0].directory / "checkpoint.pt").is_file()
    runs.close()
    store.close()


def test_a_second_ctrl_c_at_once_still_stops_the_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before the first request is written: nobody waits, but nothing goes on either."""
    from engine.cli import follow

    first, second = queued(shell, 2)
    runs = Runs(shell.workspace)
    ask, pressed = runs.request_stop, []

    def request_stop(run_id: str) -> Any:
        if not pressed:
            pressed.append(run_id)
            raise KeyboardInterrupt
        return ask(run_id)

    def begin(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "request_stop", request_stop)
    monkeypatch.setattr(follow, "_follow", begin)
    with pytest.raises(click.Abort):
        follow.follow(runs, [first, second])
    assert [runs.get(run_id).status for run_id in (first, second)] == [RunStatus.CANCELLED] * 2
    runs.close()


@pytest.mark.slow
def test_train_and_evaluate_for_real(shell: Shell, shop: Path) -> None:
    small = ("--model.hidden_size", 8, "--model.max_length", 10, "--train.device", "cpu")
    command = [
        sys.executable,
        "-m",
        "engine",
        "train",
        shop,
        "--preset",
        "sample",
        "--seeds",
        "1-2",
        "--train.epochs",
        2,
    ]
    command += [*small, "--workspace", shell.workspace, "--json"]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["runs"]
    assert [run["status"] for run in found] == ["finished", "finished"]
    for run in found:
        assert set(run["metrics"]["test"]) >= METRICS
        assert [set(epoch["losses"]) for epoch in run["epochs"]] == [{"next_item", "contrastive", "total"}] * 2
        assert all(epoch["train_seconds"] > 0 for epoch in run["epochs"])
        assert run["hybrid_started"] is False
        assert "The hybrid phase (E = 10) never began." in run["message"]
    best = shell.workspace / "runs" / found[0]["id"] / "best.pt"
    evaluated = shell.json("evaluate", shop, "--checkpoint", best, "--preset", "sample", *small, "--split", "test")
    assert evaluated["metrics"] == found[0]["metrics"]["test"]
    assert (
        shell.json("evaluate", shop, "--checkpoint", best, "--split", "valid")["metrics"]
        == found[0]["metrics"]["valid"]
    )
    assert "epoch 2/2" in done.stderr
    assert shell.runs("runs")["runs"][0]["id"] == found[1]["id"]


# Stored runs ---------------------------------------------------------------------------------------------------------


def test_runs_show_stop_export(shell: Shell, fake: list[str], tmp_path: Path) -> None:
    done = followed(shell, fake, "quick")["runs"][0]["id"]
    waiting, other = queued(shell, 2)
    assert [run["id"] for run in shell.runs("runs")["runs"]] == [other, waiting, done]
    assert [run["id"] for run in shell.runs("runs", "--status", "finished", "--limit", 1)["runs"]] == [done]
    shown = shell.runs("show", done, "--log", 5)
    assert [item["name"] for item in shown["artifacts"]] == ["checkpoint", "ranks"]
    assert len(shown["epochs"]) == 3
    assert "finished" in shown["log"]
    assert shell.runs("stop", waiting)["status"] == "cancelled"
    assert shell.runs("stop", done)["status"] == "finished"
    output = tmp_path / "all.csv"
    assert shell.runs("export", "--output", output) == {"output": str(output)}
    assert output.read_text(encoding="utf-8").startswith("id,name,status")
    text = shell("show", done, "--workspace", shell.workspace).stdout
    assert "NDCG@20" in text
    assert "sha256" in text
    listed = shell("runs", "--workspace", shell.workspace).stdout
    assert listed.count("\n") == 4


def test_several_runs_are_stopped_and_resumed(shell: Shell) -> None:
    one, other = queued(shell, 2)
    assert "no run 'nobody'" in shell.runs("stop", one, "nobody", code=2)["error"]["message"]
    assert {run["status"] for run in shell.runs("runs")["runs"]} == {"queued"}  # none of them was touched
    stopped = shell.runs("stop", one, other, one)["runs"]
    assert [(run["id"], run["status"]) for run in stopped] == [(one, "cancelled"), (other, "cancelled")]
    first, second = failed(shell), failed(shell)
    assert "is cancelled" in shell.runs("resume", first, one, "--queue", code=1)["error"]["message"]
    assert {run["status"] for run in shell.runs("runs")["runs"]} == {"cancelled", "failed"}
    resumed = shell.runs("resume", second, first, "--queue")["runs"]
    assert [(run["id"], run["status"]) for run in resumed] == [(second, "queued"), (first, "queued")]
    text = shell("stop", first, second, "--workspace", shell.workspace).stdout
    assert [line.split()[0] for line in text.splitlines()] == [first, second]


def test_stop_stops_a_running_run(shell: Shell) -> None:
    (run_id,) = queued(shell)
    store = Store.open(shell.workspace)
    process = fake_training.start(store, run_id, "endless")
    wait_for(lambda: store.epochs(run_id))
    assert shell.runs("stop", run_id)["status"] == "stopped"
    wait_for(lambda: process.poll() is not None)
    store.close()


def test_work_on_an_empty_queue(shell: Shell) -> None:
    assert shell.runs("work") == {"started": 0}


def test_the_hidden_command_refuses_a_second_start(shell: Shell) -> None:
    (run_id,) = queued(shell)
    store = Store.open(shell.workspace)
    store.cancel(run_id)
    store.close()
    result = shell("run", run_id, "--workspace", shell.workspace)
    assert "is cancelled already" in result.stderr
    assert "\n  run " not in shell("--help").stdout


@pytest.mark.parametrize("command", [["runs"], ["show", "x"], ["stop", "x"], ["resume", "x"], ["work"]], ids=" ".join)
def test_a_workspace_named_by_mistake_is_refused_and_not_made(shell: Shell, command: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "mistyped"
    assert "There is no workspace" in shell(*command, "--workspace", folder, code=2).stderr
    assert not folder.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_there_is_refused_before_a_run_is_stored(shell: Shell) -> None:
    result = shell("train", "sample", "--train.device", "cuda", "--workspace", shell.workspace, code=2)
    assert "has no cuda device" in result.stderr
    assert shell.runs("runs")["runs"] == []


# Wrong use -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "nowhere.txt"], "There is no file"),
        (["neighbours", "sample", "--item", "x"], "There is no item 'x'"),
        (["augment", "sample", "--user", "nobody"], "There is no user 'nobody'"),
        (["augment", "sample", "--user", "1", "--operator", "shuffle"], "Known: policy, crop"),
        (["train", "sample", "--preset", "coserec-papr"], "There is no preset called"),
        (["train"], "no data set to train on"),
        (["train", "sample", "--data.path", "other.txt"], "Give one of them"),
        (["train", "sample", "--seeds", "3-1"], "no seed or range"),
        (["train", "sample", "--seeds", "1,1"], "a seed stands twice"),
        (["train", "sample", "--seeds", "1", "--train.seed", "2"], "both say the seed"),
        (["train", "sample", "--train.epochs", "0"], "train.epochs"),
        (["train", "sample", "--augment.short_operators", "SX"], "no operator has the letter X"),
        (["train", "sample", "--model.name", "popularity", "--model.heads", "2"], "PopRec has no such setting."),
        (["train", "sample", "--preset", "gru4rec-strong", "--model.heads", "2"], "It has model.hidden_size, "),
        (["train", "sample", "--set", "foo=1"], "--set foo: there is no such setting. `coserec train --help` lists"),
        (["train", "sample", "--set", "train.epoch=1"], "Did you mean train.epochs"),
        (["show", "nothing"], "There is no run 'nothing'"),
        (["export", "--output", "runs.xlsx"], "Name a .json, .csv, .parquet or, for a table, .tex file"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(shell: Shell, arguments: list[str], words: str) -> None:
    if arguments[0] in ("train", "show", "export"):
        arguments = [*arguments, "--workspace", str(shell.workspace)]
    result = shell(*arguments, code=2)
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    found = shell.json(*arguments, code=2)
    assert words in f"{found['error']['message']} {found['error']['hint']}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "sample", "--train.epoch", "3"], "--train.epochs"),
        (["train", "sample", "--loss.temprature", "3"], "--loss.temperature"),
        (["trian", "sample"], "Did you mean train"),
        (["leaderboard", "sample", "--preset", "sasrec"], "Did you mean '--models'?"),
        (["leaderboard", "sample", "--model", "sasrec"], "--models"),
        (["neighbors", "sample"], "Did you mean neighbours"),
        (["frobnicate"], "Known: inspect"),
        (["inspect"], "DATA"),
        (["popularity", "sample", "--split", "dev"], "valid"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_meant(shell: Shell, arguments: list[str], words: str) -> None:
    result = shell(*arguments, code=2)
    assert words in result.stderr
    assert result.stdout == ""
    assert words in shell.json(*arguments, code=2)["error"]["message"]


def test_an_option_that_the_program_itself_lacks_is_told_in_json(shell: Shell) -> None:
    assert "--wrokspace" in shell.json("--wrokspace", "x", "runs", code=2)["error"]["message"]


def test_data_that_leave_nobody_to_train_on_make_no_run(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("1 1 2 3\n2 3 2 1\n", encoding="utf-8")
    assert "no user has at least 4 items" in shell.runs("train", path, code=1)["error"]["message"]
    assert shell.runs("runs") == {"runs": []}


def test_bad_data_is_exit_code_1(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("1 2 3\n2 4 x\n", encoding="utf-8")
    result = shell("inspect", path, code=1)
    assert "bad.txt, line 2" in result.stderr
    assert shell.json("inspect", path, code=1)["error"]["kind"] == "DataError"


def test_a_store_in_trouble_is_exit_code_1(shell: Shell) -> None:
    (shell.workspace / "coserec.db").write_bytes(b"junk" * 1000)
    result = shell("runs", "--workspace", shell.workspace, code=1)
    assert "damaged or not a database" in result.stderr


# Starting fast -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"], ["presets", "--json"]])
def test_help_imports_no_torch_and_is_quick(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom engine.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        "    slow = {'torch', 'pandas', 'scipy', 'sqlalchemy'} & set(sys.modules)\n"
        "    sys.exit(str(slow) if slow else end.code)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 10
    assert done.stdout


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("neighbours", "sample", "--summary", "--csv", "x.csv"), "--csv has no effect with --summary."),
        (("augment", "sample", "--user", "1", "--epoch", 1, "--seed", 3), "--seed has no effect with --epoch."),
        (("augment", "sample", "--all-users", "--operator", "crop"), "--operator has no effect with --all-users."),
        (("augment", "sample", "--user", "1", "--source", "model"), "--source has no effect with --user."),
        (("inspect", "sample", "--sort", "length"), "--sort has no effect here."),
        (("inspect", "sample", "--user", "1", "--filter", "tent"), "--filter has no effect here."),
    ],
)
def test_an_option_without_effect_is_refused(shell: Shell, command: tuple[object, ...], told: str) -> None:
    assert told in " ".join(shell(*command, code=2).output.split())
