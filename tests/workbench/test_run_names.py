from __future__ import annotations

from engine.config import preset
from tests.helpers.fake_runs import make_record
from workbench.run_names import differing, run_name


def test_a_run_is_called_after_its_preset_and_its_seed() -> None:
    config = preset("sample").config.replace({"train.seed": 3, "data.path": "/a/b.txt"}).model_dump(mode="json")
    record = make_record(preset="sample", seed=3, config=config)
    assert differing(record) == {}
    assert run_name(record) == "sample · seed 3"


def test_two_differences_are_named_and_more_are_counted() -> None:
    config = preset("sample").config
    two = config.replace({"train.epochs": 6, "augment.crop_rate": 0.55})
    record = make_record(preset="sample", config=two.model_dump(mode="json"))
    assert sorted(run_name(record).split(" · ")) == ["crop rate 0.55", "epochs 6", "sample", "seed 1"]
    three = two.replace({"model.dropout": 0.25})
    assert run_name(make_record(preset="sample", config=three.model_dump(mode="json"))) == (
        "sample · 3 settings changed · seed 1"
    )


def test_a_run_of_a_preset_that_is_gone_keeps_its_stored_name() -> None:
    record = make_record(preset="gone", name="transformer seed 1")
    assert (run_name(record), differing(record)) == ("transformer seed 1", {})
    assert run_name(make_record("r7", preset="gone", name="")) == "r7"


def test_another_model_is_named_and_its_own_settings_are_not_counted() -> None:
    config = preset("sample").config.replace({"model.name": "gru4rec"})
    record = make_record(preset="sample", config=config.model_dump(mode="json"))
    assert run_name(record) == "sample · gru4rec · seed 1"
