"""Every field is an option: generated, explained, and understood as the configuration understands it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import config as configuration
from engine import registry
from engine.cli.settings import all_fields, seeds_of, values_of
from engine.cli.train import train
from engine.config import ExperimentConfig, preset
from engine.errors import UsageError
from tests.engine.cli.conftest import Shell
from tests.helpers.other_values import another


def test_every_field_of_every_model_is_an_option() -> None:
    options = {name for parameter in train.params for name in parameter.opts}
    for model in registry.entries("model"):
        for field in configuration.fields_of(ExperimentConfig().replace({"model.name": model.name})):
            assert f"--{field.path}" in options


def test_help_says_bounds_default_symbol_and_source(shell: Shell) -> None:
    text = " ".join(shell("train", "--help").stdout.split())
    assert "Settings: augment" in text
    for field in all_fields():
        assert f"--{field.path}" in text
        assert " ".join(field.source.split()) in text
    assert (
        "K: A training input of at most this many items counts as short. [from 0 to 1,000,000; items; default 4;"
        in text
    )
    assert "τ: The similarity of two views is divided by it. [more than 0 to 100; default 1.0; Eq. 14]" in text
    assert "exclude|zero|keep" in text


CHANGEABLE = [
    field
    for field in configuration.fields_of(ExperimentConfig())
    if field.path != "data.path" and len(values_of(field)) != 1
]


@pytest.mark.parametrize("field", CHANGEABLE, ids=lambda field: field.path)
def test_an_option_sets_its_field(shell: Shell, field: configuration.SettingInfo) -> None:
    value = another(field)
    chosen: dict[str, object] = {}
    if not configuration.applies(ExperimentConfig(), field.path):
        # A loss's own field: with another loss it is refused, by name.
        told = shell("train", "sample", "--queue", f"--{field.path}", value, code=2).output
        assert f"{field.path}: No effect while loss.next_item is bce." in " ".join(told.split())
        losses = [entry for entry in registry.entries("next_item_loss") if field.name in entry.options.model_fields]
        chosen = {"loss.next_item": losses[0].name}
    elif configuration.why_idle(ExperimentConfig(), field.path):
        told = shell("train", "sample", "--queue", f"--{field.path}", value, code=2).output
        assert f"{field.path}: No effect while there is no pre-training." in " ".join(told.split())
        chosen = {"train.pretrain_epochs": 1}
    expected = ExperimentConfig().replace({field.path: value, **chosen})
    assert expected != ExperimentConfig().replace(chosen)
    options = [f"--{path}={text}" for path, text in chosen.items()]
    (run,) = shell.runs("train", "sample", "--queue", f"--{field.path}", value, *options)["runs"]
    assert configuration.parse(run["config"]) == expected


def test_a_preset_is_the_base_and_a_field_its_change(shell: Shell) -> None:
    arguments = ("train", "sample", "--queue", "--preset", "coserec-published-beauty", "--train.epochs", 7)
    (run,) = shell.runs(*arguments)["runs"]
    expected = preset("coserec-published-beauty").config.replace({"train.epochs": 7, "data.path": "sample"})
    assert configuration.parse(run["config"]) == expected


def test_what_show_prints_is_a_base_too(shell: Shell, tmp_path: Path) -> None:
    (run,) = shell.runs("train", "sample", "--queue", "--preset", "sasrec", "--train.epochs", 9)["runs"]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(shell.runs("show", run["id"])), encoding="utf-8")
    (again,) = shell.runs("train", "sample", "--queue", "--config", path)["runs"]
    assert again["config"] == run["config"]
    path.write_text(json.dumps(run["config"]), encoding="utf-8")
    (bare,) = shell.runs("train", "sample", "--queue", "--config", path, "--train.epochs", 2)["runs"]
    assert bare["config"]["train"]["epochs"] == 2


@pytest.mark.parametrize(
    ("content", "words"), [("{", "line 1"), ("[1]", "no JSON object"), ('{"warp": 1}', "no such setting")]
)
def test_a_wrong_configuration_file_is_one_sentence(shell: Shell, tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content, encoding="utf-8")
    result = shell("train", "sample", "--queue", "--config", path, "--workspace", shell.workspace, code=2)
    assert words in result.stderr
    both = shell("train", "sample", "--config", path, "--preset", "sasrec", code=2)
    assert "Give one of them" in both.stderr


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=20))
def test_listed_seeds_are_those_seeds(seeds: list[int]) -> None:
    assert seeds_of(",".join(map(str, seeds))) == tuple(seeds)


def test_ranges_of_seeds() -> None:
    assert seeds_of("1-3, 7,9-9") == (1, 2, 3, 7, 9)
    assert seeds_of("") == ()
    for wrong in ("a", "1-", "-1", "3-1", "1,1", "1-2,2", ",", "1-99999999"):
        with pytest.raises(UsageError, match="--seeds"):
            seeds_of(wrong)


def test_resume_says_where_it_goes_on(shell: Shell) -> None:
    text = " ".join(shell("resume", "--help").stdout.split())
    assert "goes on with the step after its last checkpoint" in text
    assert "finished epoch" not in text
