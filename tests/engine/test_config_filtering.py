"""What filters and orders can ask of a run by number: the settings of every model, and never an error for one run."""

from __future__ import annotations

import pytest

from engine.config import ExperimentConfig
from engine.config.filtering import as_number, number_named, run_filter
from engine.records import RunMarks
from engine.records.query import QueryError
from tests.helpers.fake_runs import make_record

BERT = {"model": {"name": "bert4rec", "mask_rate": 0.6}, "augment": {"mask_rate": 0.3}}


@pytest.mark.parametrize(
    "path", ["model.window", "model.targets", "model.negatives", "model.last_only", "model.embedding_decay", "window"]
)
def test_settings_of_any_model_are_known(path: str) -> None:
    run = make_record(config={"model": {"name": "other", path.removeprefix("model."): 5}})
    assert number_named(path)(run) == 5
    assert number_named(path)(make_record()) is None
    assert run_filter(f"{path}=5")(run, RunMarks(run.id, 0))


def test_a_name_of_two_sections_is_not_guessed() -> None:
    run = make_record(config=BERT)
    assert (number_named("model.mask_rate")(run), number_named("augment.mask_rate")(run)) == (0.6, 0.3)
    with pytest.raises(QueryError, match=r"'mask_rate' is several settings: write augment.mask_rate or model.mask_ra"):
        number_named("mask_rate")


def test_what_is_no_number_counts_as_nothing() -> None:
    config = ExperimentConfig().model_dump(mode="json")
    config["train"]["learning_rate"] = "auto"
    run = make_record(config=config)
    assert number_named("learning_rate")(run) is None
    assert not run_filter("learning_rate>0")(run, RunMarks(run.id, 0))
    assert [as_number(value) for value in (True, 2, "3", None, float("nan"))] == [1.0, 2.0, None, None, None]
