"""Groups of runs: the seed does not tell runs apart, nor do settings that came after a run was stored."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from engine import registry
from engine.config import ExperimentConfig, fields_of, preset, why_without_effect
from engine.config.grouping import changes_nothing, filled, group_key, has_seeds, left_out_words, once_a_seed
from engine.records import RunStatus
from tests.helpers.fake_runs import make_record


def stored(**values: Any) -> dict[str, Any]:
    return preset("sample").config.replace(values).model_dump(mode="json")


def test_the_seed_alone_makes_no_other_group() -> None:
    assert group_key(stored(**{"train.seed": 1})) == group_key(stored(**{"train.seed": 2}))
    assert group_key(stored()) != group_key(stored(**{"train.epochs": 3}))


def test_a_run_from_before_a_setting_is_of_the_same_group() -> None:
    older = copy.deepcopy(stored())
    del older["loss"]["bce_negatives"], older["train"]["optimiser"], older["model"]["heads"]
    assert filled(older) == stored()
    assert group_key(older) == group_key(stored())
    assert group_key(older) != group_key(stored(**{"loss.bce_negatives": 3}))
    assert "bce_negatives" not in older["loss"]  # what is stored is left as it is


def test_what_todays_code_does_not_know_has_a_key_too() -> None:
    strange = stored() | {"model": {"name": "gone", "width": 3}, "extra": 1}
    assert filled(strange)["model"] == {"name": "gone", "width": 3}
    assert group_key(strange) != group_key(strange | {"extra": 2})


def test_where_the_data_file_lies_makes_no_other_group() -> None:
    """A run that came in a bundle has its file elsewhere; which data they are, its fingerprint says."""
    assert group_key(stored(**{"data.path": "here.txt"})) == group_key(stored(**{"data.path": "/there/here.txt"}))
    assert group_key(stored()) != group_key(stored(**{"data.train_fraction": 0.5}))


def test_what_changes_nothing_makes_no_other_group() -> None:
    caser = preset("caser-paper").config
    one = caser.model_dump(mode="json")
    assert group_key(one) == group_key(caser.replace({"loss.next_item": "bpr"}).model_dump(mode="json"))
    assert group_key(one) != group_key(caser.replace({"model.dropout": 0.1}).model_dump(mode="json"))
    with_views = stored(**{"augment.crop_rate": 0.3})
    assert group_key(with_views) != group_key(stored())
    none = {"loss.contrastive_weight": 0}
    assert group_key(stored(**none, **{"augment.crop_rate": 0.3})) == group_key(stored(**none))
    by_contrast = none | {"train.pretrain_epochs": 3}
    assert group_key(stored(**by_contrast, **{"augment.crop_rate": 0.3})) != group_key(stored(**by_contrast))


@pytest.mark.parametrize("name", [entry.name for entry in registry.entries("model")])
def test_the_stored_reading_is_that_of_the_configuration(name: str) -> None:
    config = ExperimentConfig().replace({"model.name": name})
    for base in (config, config.replace({"loss.contrastive_weight": 0, "train.pretrain_epochs": 0})):
        is_nothing = changes_nothing(base.model_dump(mode="json"))
        for info in fields_of(base):
            # What does not train has no use for the rest of training either: a device, a seed.
            of_training = info.path.startswith("train.") and not registry.entry("model", name).facts["trains"]
            assert is_nothing(info.path) == (of_training or bool(why_without_effect(base, info.path))), info.path


def test_of_what_is_no_longer_known_everything_counts() -> None:
    loss = stored() | {"loss": stored()["loss"] | {"next_item": "gone", "contrastive_weight": 0}}
    for strange in (stored() | {"model": {"name": "gone"}}, stored() | {"model": 5}, stored() | {"loss": 5}, loss, {}):
        assert not changes_nothing(strange)("augment.crop_rate")
        assert group_key(strange)


def test_what_has_no_effect_makes_no_other_group() -> None:
    popular = {"model.name": "popularity"}
    one = stored(**popular)
    for path, value in {"train.max_minutes": 0.5, "train.epochs": 3, "loss.next_item": "bpr", "train.seed": 9}.items():
        assert group_key(stored(**popular, **{path: value})) == group_key(one), path
    assert group_key(stored(**popular, **{"evaluate.ties": "id"})) != group_key(one)
    assert group_key(stored(**popular, **{"model.count_everything": True})) != group_key(one)
    is_nothing = changes_nothing(one)
    assert is_nothing("train.device")
    assert not is_nothing("evaluate.ties")
    assert not changes_nothing(stored())("train.epochs")
    assert [has_seeds(stored(**values)) for values in ({}, popular, popular | {"evaluate.noise_rate": 0.1})] == [
        True,
        False,
        True,
    ]
    assert has_seeds({"model": {"name": "gone"}})


def test_of_one_seed_the_newest_finished_run_counts() -> None:
    config = stored()
    runs = [
        make_record("r1", seed=1, config=config, status=RunStatus.FINISHED),
        make_record("r2", seed=2, config=config, status=RunStatus.FINISHED),
        make_record("r3", seed=1, config=config, status=RunStatus.FINISHED),
        make_record("r4", seed=1, config=config, status=RunStatus.RUNNING),
        make_record("r5", seed=3, config=config, status=RunStatus.STOPPED),
    ]
    assert [run.id for run in once_a_seed(runs)] == ["r2", "r3", "r5"]
    assert [run.id for run in once_a_seed(runs[::-1])] == ["r5", "r3", "r2"]
    assert left_out_words(runs, once_a_seed(runs)) == (
        "Runs r1, r4 are left out: seed 1 counts once, by its newest finished run, r3."
    )
    assert left_out_words(runs[:2], once_a_seed(runs[:2])) == ""
