"""The protocol card: what it says, and what it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.api import Workspace
from engine.config import ImportRecipe, preset


@pytest.mark.parametrize(
    ("values", "verdict", "name"),
    [
        ({}, "clean", "Training pairs"),
        ({"fidelity.negatives_exclude": "whole"}, "departure", "Negatives"),
        ({"model.name": "popularity", "model.count_everything": True}, "leak", "Popularity"),
    ],
)
def test_the_verdict_follows_the_configuration(
    tmp_path: Path, values: dict[str, object], verdict: str, name: str
) -> None:
    workspace = Workspace(tmp_path)
    (run,) = workspace.runs.submit(preset("sample").config.replace(values), preset="sample")
    card = workspace.protocols.of(run.id)
    workspace.runs.close()
    assert card.verdict == verdict
    assert {finding.name: finding.verdict for finding in card.findings}[name] == verdict
    facts = {fact.name: fact.value for fact in card.facts}
    assert facts["Candidate set"].startswith("all 687 items")
    assert facts["Users evaluated"].startswith("2,048")
    for name in ("Split", "Seen items", "Ties", "Repeats", "Negatives in training", "Precision", "Device", "Versions"):
        assert facts[name]


def test_other_data_under_the_same_name_are_not_checked(tmp_path: Path) -> None:
    data = tmp_path / "shop.txt"
    data.write_text("1 1 2 3 4 5\n2 2 3 4 5 6\n", encoding="utf-8")
    workspace = Workspace(tmp_path / "workspace")
    (run,) = workspace.runs.submit(preset("sample").config.replace({"data.path": str(data)}))
    assert workspace.protocols.of(run.id).verdict == "clean"
    data.write_text("1 1 2 3 4 6\n2 2 3 4 5 6\n", encoding="utf-8")
    card = workspace.protocols.of(run.id)
    workspace.runs.close()
    assert card.verdict == "unknown"
    assert "has changed" in card.findings[0].told


def test_numbers_that_no_ranking_has_are_told(tmp_path: Path) -> None:
    from dataclasses import replace

    workspace = Workspace(tmp_path)
    (run,) = workspace.runs.submit(preset("sample").config, preset="sample")
    good = {"HR@5": 0.02, "HR@10": 0.03, "HR@20": 0.05, "NDCG@5": 0.015, "NDCG@10": 0.0182, "NDCG@20": 0.0235}
    stored = {"valid": good, "test": good | {"NDCG@5": 0.0388}}
    workspace.protocols._runs.get = lambda _: replace(run, metrics=stored)  # type: ignore[method-assign]
    card = workspace.protocols.of(run.id)
    workspace.runs.close()
    verdicts = {finding.name: finding.verdict for finding in card.findings}
    assert (verdicts["Numbers, valid"], verdicts["Numbers, test"], card.verdict) == (
        "clean",
        "impossible",
        "impossible",
    )


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("sample", {}, "none"),
        ("popularity", {"train.pretrain_epochs": 3}, "none"),
        ("coserec-two-stage", {}, "200 epochs of contrast between views of the training inputs; not validated"),
        ("s3rec-paper", {}, "100 epochs of masked items of the training parts, one negative each that avoids what"),
        ("s3rec-strong", {}, "20 epochs of masked items of the training parts, and segments; not validated"),
    ],
)
def test_pre_training_stands_in_the_card(tmp_path: Path, name: str, values: dict[str, object], told: str) -> None:
    workspace = Workspace(tmp_path)
    (run,) = workspace.runs.submit(preset(name).config.replace(values), preset=name)
    card = workspace.protocols.of(run.id)
    workspace.runs.close()
    assert {fact.name: fact.value for fact in card.facts}["Pre-training"].startswith(told)


def test_the_preprocessing_of_the_data_stands_in_the_card(tmp_path: Path) -> None:
    """As it was made of which file, where that is known of this very data; nothing is made up."""
    data, log = tmp_path / "shop.txt", tmp_path / "log.csv"
    data.write_text("1 1 2 3 4 5\n2 2 3 4 5 6\n", encoding="utf-8")
    log.write_text("user,item,time\n" + "".join(f"u{n % 6},i{n // 6},{1_500_000_000 + n}\n" for n in range(36)))
    workspace = Workspace(tmp_path / "workspace")
    made = Path(workspace.imports.run(str(log), ImportRecipe()).path)

    def said(run_id: str) -> str:
        return {fact.name: fact.value for fact in workspace.protocols.of(run_id).facts}["Preprocessing"]

    runs = [
        workspace.runs.submit(preset("sample").config.replace({"data.path": str(path)}))[0].id
        for path in ("sample", data, made)
    ]
    assert said(runs[0]) == "none here: the sample is read as it is"
    assert said(runs[1]) == "none here: shop.txt is read as it is"
    assert said(runs[2]).startswith("duplicates kept; 5-core; times in seconds; from log.csv (sha256 ")
    facts = made.with_name("import.json")
    facts.write_text(facts.read_text(encoding="utf-8").replace('"fingerprint": "', '"fingerprint": "0'))
    assert said(runs[2]) == "unknown: the import.json beside the data is of other data"
    facts.unlink()
    assert said(runs[2]) == "unknown: there is no import.json beside the data"
    workspace.runs.close()
