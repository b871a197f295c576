"""``coserec runs --filter --sort --grouped``: the words of the window's filter, and mean ± std over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.api import Workspace
from tests.engine.cli.conftest import Shell
from tests.helpers.finished_runs import finish


@pytest.fixture
def stored(shell: Shell) -> Mapping[str, str]:
    """Ids of runs by what they are."""
    workspace = Workspace(shell.workspace)
    first, second = finish(workspace, 0.8, (1, 2))
    (plain,) = finish(workspace, 1.0, (3,), {"loss.contrastive_weight": 0.0})
    (popular,) = finish(workspace, 2.0, (1,), name="popularity")
    workspace.marks.tag([second.id], ["seed sweep"])
    workspace.marks.note(plain.id, "For Table 3")
    workspace.runs.close()
    return {"first": first.id, "second": second.id, "plain": plain.id, "popular": popular.id}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("sample", "first second plain popular"),
        ("-preset:sample", "popular"),
        ("sweep", "second"),
        ("-sweep", "first plain popular"),
        ("table", "plain"),
        ("contrastive -popularity", "plain"),
        ('data:"sample shop" sample shop', "first second plain popular"),
        ("model:popularity", "popular"),
        ("-preset:popularity seed>1", "second plain"),
        ('tag:"seed sweep"', "second"),
        ("-tag: preset:sample", "first plain"),
        ("note:table", "plain"),
        ("contrastive_weight = 0.1", "first second popular"),
        ("loss.contrastive_weight<.1 state:finished", "plain"),
        ("state:failed", ""),
        ("best=3 hr@10>0 data:shop", "first second plain popular"),
        ("minutes<0", ""),
    ],
)
def test_the_filter(shell: Shell, stored: Mapping[str, str], text: str, kept: str) -> None:
    found = shell.runs("runs", "--filter", text)["runs"]
    assert {record["id"] for record in found} == {stored[name] for name in kept.split()}


def test_the_order(shell: Shell, stored: Mapping[str, str]) -> None:
    def order(*arguments: str) -> list[str]:
        return [record["id"] for record in shell.runs("runs", *arguments)["runs"]]

    best = order("--sort", "-NDCG@20")
    values = {record["id"]: record["metrics"]["test"]["NDCG@20"] for record in shell.runs("runs")["runs"]}
    assert best == sorted(values, key=lambda run: -values[run])
    assert order("--sort", "NDCG@20", "--limit", "1") == best[-1:]
    assert order("--sort", "max_length")[-1] == stored["popular"]
    assert order("--sort", "-max_length")[-1] == stored["popular"]
    said = shell.runs("runs", "--sort", "speed", code=2)["error"]
    assert said["message"] == "Runs cannot be sorted by 'speed'."
    said = shell.runs("runs", "--sort", "batch_size", code=2)["error"]
    assert said["hint"] == "'batch_size' is several settings: write train.batch_size or evaluate.batch_size."
    assert "cannot be understood" in shell.runs("runs", "--filter", "foo>3", code=2)["error"]["message"]


def test_groups_are_mean_and_spread_over_seeds(shell: Shell, stored: Mapping[str, str]) -> None:
    groups = shell.runs("runs", "--grouped", "--filter", "-popularity")["groups"]
    assert [group["run_ids"] for group in groups] == [[stored["plain"]], [stored["first"], stored["second"]]]
    workspace = Workspace(shell.workspace)
    found = workspace.comparisons.compare([[stored["first"], stored["second"]]], metrics=("HR@10",))
    workspace.runs.close()
    item = found.measures[0]
    assert (groups[1]["metrics"]["HR@10"], groups[1]["stds"]["HR@10"]) == pytest.approx((item.mean, item.std))
    out = shell("runs", "--grouped", "--workspace", shell.workspace).stdout
    assert f"{item.mean:.4f} ± {item.std:.4f}" in out
    best = shell.runs("runs", "--grouped", "--sort", "-HR@10", "--limit", 1)["groups"]
    assert [group["run_ids"] for group in best] == [[stored["first"], stored["second"]]]


def test_a_run_is_listed_with_what_it_has_otherwise(shell: Shell, stored: Mapping[str, str]) -> None:
    """Two runs of one preset that differ in more than their seed do not look alike."""
    lines = {line.split()[0]: line for line in shell("runs", "--workspace", shell.workspace).stdout.splitlines()}
    assert " sample · contrastive weight 0 " in lines[stored["plain"]], "as the window calls it"
    assert "contrastive" not in lines[stored["first"]]


def test_options_of_the_list_are_refused_before_another_command(shell: Shell, stored: Mapping[str, str]) -> None:
    behind = ("tag", stored["first"], "--add", "x")
    for option in (("--filter", "nonsense>3"), ("--sort", "seed"), ("--limit", "1"), ("--workspace", shell.workspace)):
        said = shell.runs("runs", *option, *behind, code=2)["error"]["message"]
        assert said == f"{option[0]} has no effect with tag."
    assert "x" not in str([run["tags"] for run in shell.runs("runs")["runs"]])


def test_a_seed_counts_once_and_the_run_left_out_is_named(shell: Shell, stored: Mapping[str, str]) -> None:
    workspace = Workspace(shell.workspace)
    (again,) = finish(workspace, 0.9, (1,))
    workspace.runs.close()
    said = f"Run {stored['first']} is left out: seed 1 counts once, by its newest finished run, {again.id}."
    groups = shell.runs("runs", "--grouped")["groups"]
    (group,) = [item for item in groups if again.id in item["run_ids"]]
    assert (group["seeds"], group["left_out"], group["note"]) == ([1, 2], [stored["first"]], said)
    assert said in shell("runs", "--grouped", "--workspace", shell.workspace).stdout
    named = [stored["first"], again.id, stored["second"]]
    out = shell("compare", *named, "--metric", "HR@20", "--workspace", shell.workspace).stdout
    assert said in out
    assert shell.runs("compare", *named)["groups"][0]["seeds"] == [1, 2]
    each = shell.runs("compare", "--each", *named)
    assert len(each["groups"]) == 3, "by themselves, all are told"


def test_a_run_is_shown_with_what_it_reads_alone(shell: Shell, stored: Mapping[str, str]) -> None:
    def shown(which: str) -> str:
        return shell("show", stored[which], "--workspace", shell.workspace).stdout

    assert "contrastive_weight=0.1, temperature=" in shown("first")
    plain = shown("plain")
    assert "contrastive_weight=0.0" in plain
    assert "temperature=" not in plain
    assert "augment: nothing of it is read" in plain
    popular = shown("popular")
    assert "loss: nothing of it is read" in popular
    assert "model: name=popularity" in popular
