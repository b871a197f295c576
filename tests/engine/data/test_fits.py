"""What the data make impossible is refused before a run starts, in a sentence that names the setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import ExperimentConfig, negatives_field, negatives_of, presets
from engine.data.dataset import Dataset, build, load
from engine.data.fits import refuse_impossible
from engine.errors import ConfigurationError, DataError
from tests.engine.cli.conftest import Shell

SAMPLE = load("sample")


def world(*rows: list[int]) -> Dataset:
    flat = np.array([item for row in rows for item in row], dtype=np.int64)
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return build(Path("world.txt"), np.arange(1, len(rows) + 1), flat, offsets)


@pytest.mark.parametrize(
    "values",
    [
        {"loss.bce_negatives": 5000},
        {"loss.next_item": "bpr", "loss.bpr_negatives": 5000},
        {"loss.next_item": "sampled_softmax", "loss.softmax_negatives": 100_000},
        {"model.name": "gru4rec", "loss.next_item": "sampled_softmax", "loss.softmax_negatives": 100_000},
        {"model.name": "caser", "model.negatives": 9999},
    ],
    ids=str,
)
def test_more_negatives_than_items_are_refused_at_their_field(values: dict[str, Any]) -> None:
    config = ExperimentConfig().replace(values)
    with pytest.raises(ConfigurationError, match="cannot be drawn from the") as caught:
        refuse_impossible(config, SAMPLE)
    assert caught.value.field == negatives_field(config) == list(values)[-1]
    assert f"{negatives_of(config):,}" in str(caught.value)
    assert f"fewer than {SAMPLE.item_count:,}" in caught.value.hint
    refuse_impossible(config.replace({list(values)[-1]: SAMPLE.item_count - 1}), SAMPLE)


def test_what_draws_no_negatives_is_not_asked_for_them() -> None:
    tiny = world([1, 2, 1, 2], [2, 1, 2, 1])
    for values in ({"loss.next_item": "cross_entropy"}, {"model.name": "popularity"}):
        refuse_impossible(ExperimentConfig().replace(values), tiny)


def test_a_user_with_every_item_is_named() -> None:
    rows = [[1, 2, 3], [1, 2, 3, 1, 2, 3], [1, 2, 1, 2, 3]]  # the first is too short to be trained on
    with pytest.raises(DataError, match="user number 2 has all 3 items"):
        refuse_impossible(ExperimentConfig(), world(*rows))
    rows[1] = [1, 2, 1, 2, 3, 3]  # the held-out 3 may be drawn, unless the whole sequence is avoided
    refuse_impossible(ExperimentConfig(), world(*rows))
    with pytest.raises(DataError, match="user number 2"):
        refuse_impossible(ExperimentConfig().replace({"fidelity.negatives_exclude": "whole"}), world(*rows))
    refuse_impossible(
        ExperimentConfig().replace({"fidelity.negatives_exclude": "whole", "fidelity.negatives_draw_mask": True}),
        world(*rows),
    )


def test_every_preset_can_train_on_the_sample() -> None:
    for item in presets():
        refuse_impossible(item.config, SAMPLE)


def test_the_command_line_says_so_and_stores_no_run(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "workspace")
    values = ("--loss.next_item", "sampled_softmax", "--set", "loss.softmax_negatives=10,100000")
    said = shell.runs("train", "sample", *values, "--queue", code=2)["error"]
    assert said["kind"] == "ConfigurationError"
    assert "loss.softmax_negatives: 100,000 negatives" in said["message"]
    assert not shell.workspace.exists()  # nothing was stored
    assert (
        "100,000"
        in shell.json("cost", "sample", *values[:2], "--loss.softmax_negatives", "100000", code=2)["error"]["message"]
    )
