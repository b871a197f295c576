"""What presets measured: which runs count, what is kept of them; and the files that come with the program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.api import Workspace
from engine.api.results import bundled
from engine.config import preset
from engine.errors import UsageError
from engine.evaluation.plausibility import implausible
from engine.records import RunStatus
from engine.reports.measured import METRICS, read, read_file, settings_of
from tests.engine.cli.conftest import Shell
from tests.helpers.finished_runs import end, finish

ROOT = Path(__file__).parents[3]
FILES = sorted(bundled().glob("*.json"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace")
    yield made
    made.runs.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_bundled_results_are_whole_possible_and_of_todays_presets(path: Path) -> None:
    found = read_file(path)  # the schema: bounds, seeds, best epochs
    assert found.file_name == path.name
    assert found.settings == settings_of(preset(found.preset).config)  # otherwise they are another preset's numbers
    assert (found.title, found.system) == (preset(found.preset).title, preset(found.preset).system)
    assert f"--preset {found.preset} --seeds {','.join(str(run.seed) for run in found.runs)}" in found.command
    half = found.protocol["evaluate.ties"] == "mean"
    for run in found.runs:
        for values in (run.validation, run.test):
            assert implausible(values, half_ranks=half) == ()
            assert values["HR@5"] <= values["HR@10"] <= values["HR@20"]
            assert all(values[f"NDCG@{k}"] <= values[f"HR@{k}"] for k in (5, 10, 20))
        assert run.machine["processor"]
        assert run.versions["torch"]


def test_there_are_bundled_results() -> None:
    assert FILES
    assert len(read(bundled())) == len(FILES)


def test_the_readme_has_the_table_as_printed(workspace: Workspace) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    printed = workspace.results.markdown(workspace.results.read()).strip()
    assert printed in readme, "put `coserec results --markdown` into README.md"


def test_the_best_on_beauty_is_the_best_measured_by_validation() -> None:
    """By seed 1, which all have; over three seeds, three Transformers with one loss do not differ."""
    of_beauty = {
        found.preset: run.validation["NDCG@20"]
        for found in map(read_file, FILES)
        for run in found.runs
        if found.dataset == "Beauty" and run.seed == 1
    }
    best = max(of_beauty, key=lambda name: of_beauty[name])
    assert settings_of(preset("best-beauty").config) == settings_of(preset(best).config)


def test_the_file_says_what_the_runs_measured(workspace: Workspace, tmp_path: Path) -> None:
    runs = finish(workspace, seeds=(3, 1))
    written = workspace.results.write(tmp_path / "out")
    (path,) = written.files
    assert path.name == "sample--shop.json"
    assert set(written.runs) == {run.id for run in runs}
    found = read_file(path)
    assert [run.seed for run in found.runs] == [1, 3]
    by_seed = {run.seed: run for run in runs}
    for run in found.runs:
        record = by_seed[run.seed]
        assert (run.run, dict(run.test)) == (record.id, dict(record.metrics["test"]))
        assert dict(run.validation) == dict(record.metrics["valid"])
        assert (run.epochs, run.best_epoch, run.ended_by, run.seconds) == (3, 3, "epochs", 7.5)
        assert (run.device, run.machine, run.versions) == ("CPU", {"processor": "A processor"}, {"torch": "2.13.0"})
    assert found.command == "coserec train sample --preset sample --seeds 1,3"
    assert found.settings["train.batch_size"] == 64
    assert found.fingerprint == runs[0].fingerprint


def test_seeds_of_several_workspaces_come_together_and_a_newer_run_replaces(
    workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    finish(workspace, seeds=(1, 2))
    (path,) = workspace.results.write(out).files
    other = Workspace(tmp_path / "other")
    (newer,) = finish(other, seeds=(2,))
    (third,) = finish(other, seeds=(3,))
    other.results.write(out)
    other.runs.close()
    found = read_file(path)
    assert [run.seed for run in found.runs] == [1, 2, 3]
    assert [run.run for run in found.runs][1:] == [newer.id, third.id]
    assert found.command.endswith("--seeds 1,2,3")
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["settings"]["train.batch_size"] = 32  # the preset was another one then
    path.write_text(json.dumps(tree), encoding="utf-8")
    workspace.results.write(out)
    assert [run.seed for run in read_file(path).runs] == [1, 2]


def test_only_what_has_finished_as_its_preset_says_counts(workspace: Workspace, tmp_path: Path) -> None:
    (good,) = finish(workspace, seeds=(1,), values={"train.max_minutes": 60.0, "train.checkpoint_epochs": 5})
    (other,) = finish(workspace, seeds=(2,), values={"train.epochs": 5})
    (stopped,) = finish(workspace, seeds=(3,), status=RunStatus.STOPPED)
    (cut,) = workspace.runs.submit(
        preset("sample").config.replace({"train.max_minutes": 1}), preset="sample", seeds=(4,)
    )
    end(workspace, [cut], ended_by="time")
    (free,) = workspace.runs.submit(preset("sample").config, seeds=(5,))
    end(workspace, [free])
    written = workspace.results.write(tmp_path / "out")
    assert written.runs == (good.id,)
    reasons = dict(written.left_out)
    assert "train.epochs" in reasons[other.id]
    assert "stopped" in reasons[stopped.id]
    assert "time" in reasons[cut.id]
    assert "no preset" in reasons[free.id]
    with pytest.raises(UsageError, match=rf"No run counts .*{other.id}"):
        workspace.results.write(tmp_path / "out", [other.id])


def test_a_run_of_another_precision_counts_and_says_so(workspace: Workspace, tmp_path: Path) -> None:
    finish(workspace, seeds=(1, 3))
    finish(workspace, seeds=(2,), values={"train.precision": "bfloat16"})
    workspace.results.write(tmp_path)
    (found,) = workspace.results.read(tmp_path)
    assert [(run.seed, run.precision) for run in found.runs] == [(1, "float32"), (2, "bfloat16"), (3, "float32")]
    train = "coserec train sample --preset sample --seeds"
    assert found.command == f"{train} 1,3 && {train} 2 --train.precision bfloat16"
    assert "| 1, 2 (bfloat16), 3 |" in workspace.results.markdown((found,))


def test_a_run_of_another_precision_takes_no_seeds_place(workspace: Workspace, tmp_path: Path) -> None:
    (usual,) = finish(workspace, seeds=(1,))
    finish(workspace, seeds=(1,), values={"train.precision": "bfloat16"})
    workspace.results.write(tmp_path)
    (found,) = workspace.results.read(tmp_path)
    assert [(run.run, run.precision) for run in found.runs] == [(usual.id, "float32")]
    other = Workspace(tmp_path / "other")
    finish(other, seeds=(1,), values={"train.precision": "bfloat16"})
    other.results.write(tmp_path)
    (found,) = workspace.results.read(tmp_path)
    assert [run.run for run in found.runs] == [usual.id]
    (again,) = finish(other, seeds=(1,))
    other.results.write(tmp_path)
    other.runs.close()
    (found,) = workspace.results.read(tmp_path)
    assert [run.run for run in found.runs] == [again.id]


def test_settings_tried_over_one_preset_count_for_the_one_that_has_them(workspace: Workspace, tmp_path: Path) -> None:
    tried = preset("coserec-paper-beauty").config.replace({"loss.next_item": "sampled_softmax"})
    runs = workspace.runs.submit(tried, preset="coserec-paper-beauty", seeds=(1,))
    end(workspace, runs)
    workspace.results.write(tmp_path / "out")
    (found,) = workspace.results.read(tmp_path / "out")
    assert (found.preset, found.settings["loss.next_item"]) == ("coserec-sampled-softmax", "sampled_softmax")
    assert "--preset coserec-sampled-softmax" in found.command


def test_the_table_has_means_and_spreads(workspace: Workspace, tmp_path: Path) -> None:
    runs = finish(workspace, seeds=(1, 2))
    workspace.results.write(tmp_path)
    lines = workspace.results.markdown(workspace.results.read(tmp_path)).splitlines()
    assert lines[0].startswith("| shop, test, all users | seeds | HR@5 |")
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    values = [run.metrics["test"]["NDCG@20"] for run in runs]
    mean, std = np.mean(values), np.std(values, ddof=1)
    assert cells[:2] == ["`sample`", "1, 2"]
    assert cells[2 + METRICS.index("NDCG@20")] == f"{mean:.4f} ± {std:.4f}".replace("0.", ".")
    assert cells[-2:] == ["3 (3)", "0.1"]
    assert "A processor" in lines[-1]


def test_a_wrong_file_is_named(workspace: Workspace, tmp_path: Path) -> None:
    finish(workspace, seeds=(1,))
    (path,) = workspace.results.write(tmp_path).files
    tree = json.loads(path.read_text(encoding="utf-8"))
    for change in (
        {"runs": []},
        {"format": 2},
        {"colour": "blue"},
        {"runs": [tree["runs"][0] | {"test": {**tree["runs"][0]["test"], "HR@5": 1.5}}]},
        {"runs": [tree["runs"][0] | {"best_epoch": 9}]},
        {"runs": tree["runs"] * 2},
    ):
        path.write_text(json.dumps(tree | change), encoding="utf-8")
        with pytest.raises(UsageError, match="holds no results"):
            workspace.results.read(tmp_path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no results"):
        workspace.results.write(tmp_path)


def test_the_command_line(workspace: Workspace, tmp_path: Path) -> None:
    finish(workspace, seeds=(1, 2))
    finish(workspace, seeds=(3,), values={"train.epochs": 5})
    workspace.runs.close()
    shell = Shell(workspace.directory)
    tree = shell.runs("results", "--out", tmp_path / "out")
    assert (len(tree["files"]), len(tree["runs"]), len(tree["left_out"])) == (1, 2, 1)
    read_again = shell.json("results", "--from", tmp_path / "out")["results"]
    assert [run["seed"] for run in read_again[0]["runs"]] == [1, 2]
    assert shell("results", "--from", tmp_path / "out", "--markdown").stdout.startswith("| shop, test, all users |")
    assert "sample" in shell("results", "--from", tmp_path / "out").stdout
    assert len(shell.json("results")["results"]) == len(FILES)
    printed = shell.runs("results")
    assert [run["run"] for run in printed["results"][0]["runs"]] == [run["run"] for run in read_again[0]["runs"]]
    assert [item["run"] for item in printed["left_out"]] == [item["run"] for item in tree["left_out"]]
    assert "Beauty" not in shell("results", "--workspace", shell.workspace).stdout
    assert "shop" in shell("results", "--workspace", shell.workspace, "--markdown").stdout
    for where in (("abc",), ("--workspace", shell.workspace)):
        assert "--from reads files" in shell.json("results", *where, "--from", "x", code=2)["error"]["message"]
    helped = shell("results", "--help").stdout
    assert "come with the program" in helped
    assert "that workspace's runs measured" in " ".join(helped.split())
    assert "no folder" in shell.json("results", "--from", tmp_path / "nowhere", code=2)["error"]["message"]
