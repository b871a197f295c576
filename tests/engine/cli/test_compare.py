"""coserec compare, check and paper: the numbers of the facade, files, and what is wrong use."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from engine.api import Workspace
from tests.engine.cli.conftest import Shell
from tests.helpers.finished_runs import finish


@pytest.fixture
def stored(shell: Shell) -> list[str]:
    workspace = Workspace(shell.workspace)
    made = [*finish(workspace, 0.8, (1, 2)), *finish(workspace, 1.0, (1, 2), {"loss.contrastive_weight": 0.0})]
    workspace.runs.close()
    return [record.id for record in made]


def test_json_has_the_facades_numbers(shell: Shell, stored: list[str]) -> None:
    tree = shell.runs("compare", *stored, "--metric", "NDCG@20", "--by", "length", "--baseline", stored[2])
    workspace = Workspace(shell.workspace)
    found = workspace.comparisons.compare((stored[:2], stored[2:]), metrics=("NDCG@20",), baseline=1)
    workspace.runs.close()
    assert [item["mean"] for item in tree["measures"]] == [item.mean for item in found.measures]
    assert tree["tests"][0]["p_holm"] == found.tests[0].p_holm
    assert (tree["tests"][0]["first"], tree["tests"][0]["second"]) == (1, 0)
    small = shell.runs("compare", *stored, "--metric", "ndcg@20", "--baseline", stored[2])
    assert small["measures"] == tree["measures"]
    assert sum(tree["slices"]["users"]) == tree["users"]


def test_text_names_tests_settings_and_the_paper(shell: Shell, stored: list[str]) -> None:
    out = shell("compare", *stored, "--workspace", shell.workspace, "--label", "Ours", "--label", "SASRec").stdout
    assert "SASRec − Ours" in out
    assert "Holm over 7" in out
    asked = ("--by", "popularity", "--metric", "HR@10", "--baseline", stored[2], "--workspace", shell.workspace)
    lines = shell("compare", *stored, *asked).stdout.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("HR@10 by popularity"))
    assert lines[begin].count("interval") == 2
    assert lines[begin].index("λ 0.1") < lines[begin].index("of the difference") < lines[begin].index("λ 0 ")
    tests = shell.runs("compare", *stored, *asked[:-2])
    parts = [float(found[0]) for line in lines[begin + 1 :] if (found := re.findall(r"\] +([+-]\d\.\d{4}) ", line))]
    assert len(parts) == len(tests["slices"]["labels"])
    assert sum(parts) == pytest.approx(tests["tests"][0]["difference"], abs=5e-4)
    assert "loss.contrastive_weight  0.1  0.0" in out
    singles = shell.runs("compare", *stored, "--each", "--pairs", "all", "--metric", "HR@10")
    assert singles["family"] == 6


@pytest.mark.parametrize("suffix", ["tex", "csv", "parquet", "json", "pdf"])
def test_files(shell: Shell, stored: list[str], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    tree = shell.runs("compare", *stored, "--metric", "HR@10", "--output", path)
    assert tree["output"] == str(path)
    assert path.stat().st_size > 200


def test_wrong_use(shell: Shell, stored: list[str], tmp_path: Path) -> None:
    said = shell.runs("compare", *stored, "--output", tmp_path / "t.doc", code=2)["error"]
    assert "cannot be a '.doc' file" in said["message"]
    assert all(suffix in said["hint"] for suffix in (".tex", ".json", ".svg"))
    assert ".tex" in shell.runs("export", "--output", tmp_path / "t.doc", code=2)["error"]["hint"]
    assert "no 'BPR'" in shell.runs("compare", *stored, "--paper", "BPR", code=2)["error"]["message"]
    said = shell.runs("compare", *stored[:2], "--baseline", stored[3], code=2)["error"]
    assert "cannot be the baseline" in said["message"]
    assert "no run" in shell.runs("compare", "nowhere", code=2)["error"]["message"]


def test_check_and_paper(shell: Shell) -> None:
    assert shell.json("check", "HR@5=.0242", "NDCG@5=.0388")["plausible"] is False
    assert shell.json("check", "hr@5=.0537", "ndcg@5=.0361")["plausible"] is True
    assert "METRIC=VALUE" in shell.json("check", "HR@5", code=2)["error"]["message"]
    assert "no metric" in shell.json("check", "recall=.3", code=2)["error"]["message"]
    assert "HR@5 is given twice" in shell.json("check", "HR@5=.1", "hr@5=.2", code=2)["error"]["message"]
    cells = shell.json("paper", "Beauty")["cells"]
    assert {cell["dataset"] for cell in cells} == {"Beauty"}
    assert "and so allows" in shell("paper", "Beauty").stdout
    assert "no data set" in shell.json("paper", "Toys", code=2)["error"]["message"]


@pytest.mark.parametrize("suffix", ["parquet", "tex"])
def test_export_of_runs_for_other_tools(shell: Shell, stored: list[str], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"runs.{suffix}"
    shell.runs("export", "--output", path)
    if suffix == "tex":
        assert path.read_text(encoding="utf-8").count(r"$\pm$") > 6
        return
    frame = pd.read_parquet(path)
    assert len(frame) == 4 * 3
    assert set(frame["id"]) == set(stored)
    assert set(frame["loss.contrastive_weight"]) == {0.0, 0.1}


def test_json_has_the_papers_numbers_too(shell: Shell, shop: Path) -> None:
    workspace = Workspace(shell.workspace)
    beauty = shop.rename(shop.with_name("Beauty.txt"))
    (run,) = finish(workspace, 0.8, (1,), {"data.path": str(beauty)}, has_ranks=False)
    workspace.runs.close()
    assert "0 users" not in shell("compare", run.id, "--workspace", shell.workspace).stdout
    told = shell.runs("compare", run.id, "--paper", "GRU4Rec")
    (cell,) = told["paper"]
    (note,) = told["paper_notes"]
    assert "users here and 22,363 in the paper: its numbers are of other data" in note, "also where ranks are not kept"
    assert (cell["table"], cell["dataset"], cell["metrics"]["HR@5"]) == (2, "Beauty", 0.0111)
    assert "and so allows" in str(cell["faults"])
    assert "Table 2" in shell("compare", run.id, "--paper", "GRU4Rec", "--workspace", shell.workspace).stdout
    said = shell.runs("compare", run.id, "--paper", "GRU4Rec", "--split", "valid", code=2)["error"]
    assert "prints test results" in said["message"]


def test_the_paper_is_not_asked_for_other_data(shell: Shell, stored: list[str], tmp_path: Path) -> None:
    said = shell.runs("compare", *stored, "--paper", "SASRec", "--output", tmp_path / "t.tex", code=2)["error"]
    assert said["message"] == "The paper has no numbers for shop."
    assert said["hint"] == "It has them for Beauty, Sports, Yelp."


def test_options_without_effect_are_refused(shell: Shell, stored: list[str], tmp_path: Path) -> None:
    def said(*arguments: object) -> str:
        return str(shell.runs("compare", *stored, *arguments, code=2)["error"]["message"])

    pdf = tmp_path / "f.pdf"
    assert "--figure has no effect here" in said("--figure", "curves")
    assert "--width has no effect here" in said("--width", "text", "--output", tmp_path / "t.tex")
    assert "--field has no effect with --figure bars" in said("--field", "train.seed", "--output", pdf)
    assert "--series has no effect with --figure scatter" in said(
        "--series", "loss/total", "--output", pdf, "--figure", "scatter"
    )
    assert "3 labels are more than the groups, 2" in said("--label", "a", "--label", "b", "--label", "c")
    assert not list(tmp_path.glob("*.pdf"))


def test_curves_are_of_the_metric_that_is_named(shell: Shell, stored: list[str], tmp_path: Path) -> None:
    def drawn(*arguments: object) -> bytes:
        shell.runs("compare", *stored, "--figure", "curves", "--output", tmp_path / "f.svg", *arguments)
        return (tmp_path / "f.svg").read_bytes()

    assert b"<!-- validation NDCG@20 -->" in drawn()
    assert b"<!-- validation NDCG@20 -->" in drawn("--metric", "NDCG@20")
    assert b"<!-- total loss -->" in drawn("--metric", "HR@20", "--series", "loss/total")
    said = shell.runs(
        "compare", *stored, "--figure", "curves", "--output", tmp_path / "x.svg", "--metric", "HR@20", code=2
    )
    assert said["error"]["message"] == "No run has the series valid/HR@20."
    assert said["error"]["hint"] == "There are valid/NDCG@20, loss/total."


def test_several_data_sets_are_one_table(shell: Shell, stored: list[str], shop: Path, tmp_path: Path) -> None:
    workspace = Workspace(shell.workspace)
    other = finish(workspace, 0.9, (1, 2), {"data.path": str(shop)}, has_ranks=False)
    workspace.runs.close()
    chosen = (*stored[:2], *(run.id for run in other))
    refused = shell.runs("compare", *chosen, code=2)["error"]["message"]
    assert "they differ in data" in refused
    for option in (("--by", "length"), ("--pairs", "all")):
        said = shell.runs("compare", *chosen, *option, "--output", tmp_path / "t.tex", code=2)["error"]
        assert f"{option[0]} has no effect with runs on several data sets" in said["message"]
    tree = shell.runs(
        "compare", *chosen, "--metric", "HR@20", "--label", "A", "--label", "A", "--output", tmp_path / "t.tex"
    )
    assert (tree["rows"], len(tree["columns"])) == (["A"], 2)
    assert [cell["n"] for cell in tree["cells"][0]] == [2, 2]
    out = shell(
        "compare", *chosen, "--metric", "HR@20", "--output", tmp_path / "t.csv", "--workspace", shell.workspace
    ).stdout
    assert f"{tree['cells'][0][1]['mean']:.4f} ± {tree['cells'][0][1]['std']:.4f}" in out
    assert set(pd.read_csv(tmp_path / "t.csv")["runs"]) == {" ".join(stored[:2]), " ".join(run.id for run in other)}


def test_what_is_in_the_trash_is_not_exported(shell: Shell, stored: list[str], tmp_path: Path) -> None:
    shell.runs("runs", "trash", *stored[:2])
    shell.runs("export", "--output", tmp_path / "runs.csv")
    assert set(pd.read_csv(tmp_path / "runs.csv")["id"]) == set(stored[2:])
    shell.runs("export", "--output", tmp_path / "runs.tex")
    text = (tmp_path / "runs.tex").read_text(encoding="utf-8")
    assert [run in text for run in stored] == [False, False, True, True]
    shell.runs("export", stored[0], "--output", tmp_path / "one.csv")
    assert set(pd.read_csv(tmp_path / "one.csv")["id"]) == {stored[0]}
    shell.runs("runs", "trash", *stored[2:])
    assert "in the trash" in shell.runs("export", "--output", tmp_path / "none.csv", code=2)["error"]["message"]
