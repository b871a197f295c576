"""What a run does not read is refused before it is stored, with the reason and the exit code of wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import preset
from tests.engine.cli.conftest import Shell


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--preset", "caser-paper", "--set", "loss.next_item=bpr,cross_entropy"), "loss.next_item: Caser has several"),
        (("--preset", "popularity", "--loss.next_item", "bpr"), "loss.next_item: PopRec does not train"),
        (("--preset", "caser-paper", "--loss.bce_negatives", "10"), "loss.bce_negatives: Caser has several"),
        (("--preset", "bpr-mf-paper", "--augment.crop_rate", "0.3"), "augment.crop_rate: BPR-MF knows no order"),
        (("--preset", "sasrec", "--augment.crop_rate", "0.3"), "augment.crop_rate: No effect while λ is 0"),
        (("--preset", "gru4rec-paper", "--fidelity.mask_token", "padding"), "fidelity.mask_token: No effect"),
        (
            ("--preset", "s3rec-strong", "--train.pretrain_epochs", "0", "--model.mask_rate", "0.3"),
            "model.mask_rate: No effect while there is no pre-training. Leave it out, or set train.pretrain_epochs",
        ),
        (
            ("--model.name", "bert4rec", "--fidelity.mask_token", "padding"),
            "fidelity.mask_token: BERT4Rec's attention sees every item",
        ),
    ],
)
def test_it_is_refused_with_its_reason(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    for command in (
        ("train", "sample", "--queue", "--workspace", shell.workspace),
        ("cost", "sample", "--workspace", shell.workspace),
    ):
        if command[0] == "cost" and "--set" in arguments:
            continue
        text = " ".join(shell(*command, *arguments, code=2).stderr.split())
        assert told in text
        assert "Leave it out" in text or "Set fidelity" in text
    assert shell.runs("runs")["runs"] == []


def test_a_value_that_it_has_anyway_passes(shell: Shell) -> None:
    (run,) = shell.runs("train", "sample", "--queue", "--preset", "caser-paper", "--loss.next_item", "bce")["runs"]
    expected = preset("caser-paper").config.replace({"data.path": "sample"})
    assert run["config"] == json.loads(expected.model_dump_json())
    arguments = ("--preset", "sasrec", "--augment.crop_rate", "0.3", "--set", "loss.contrastive_weight=0,0.1")
    assert len(shell.runs("train", "sample", "--queue", *arguments)["runs"]) == 2


def test_a_stored_configuration_that_holds_such_values_is_a_base(shell: Shell, tmp_path: Path) -> None:
    config = preset("caser-paper").config.replace({"loss.next_item": "bpr", "augment.crop_rate": 0.3})
    path = tmp_path / "config.json"
    path.write_text(config.model_dump_json(), encoding="utf-8")
    arguments = ("train", "sample", "--queue", "--config", path)
    (run,) = shell.runs(*arguments, "--train.epochs", 2, "--loss.next_item", "bpr")["runs"]
    assert run["config"]["loss"]["next_item"] == "bpr"
    assert "Caser" in shell(*arguments, "--loss.next_item", "bce", "--workspace", shell.workspace, code=2).stderr


def test_views_and_neighbours_are_looked_at_without_a_run(shell: Shell) -> None:
    arguments = ("augment", "sample", "--user", "3", "--preset", "sasrec", "--workspace", shell.workspace)
    shell(*arguments, "--augment.crop_rate", "0.3")
    assert "loss.next_item is bce" in shell(*arguments, "--loss.bpr_negatives", "3", code=2).stderr
