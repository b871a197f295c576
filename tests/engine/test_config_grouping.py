"""Groups of runs: the seed does not tell runs apart, nor do settings that came after a run was stored."""

from __future__ import annotations

import copy
from typing import Any

from engine.config import preset
from engine.config.grouping import filled, group_key


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
