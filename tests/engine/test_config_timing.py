"""What a time is too short for, by arithmetic that a reader can check."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config import preset, rate_falls, too_short
from engine.records import CostEstimate

STRONG = preset("sasrec-strong").config
"""40 epochs over which the learning rate falls."""
S3REC = preset("s3rec-paper").config
"""100 epochs of pre-training, then at most 300 at one rate."""


def cost(epochs: int, pretrain_epochs: int = 0, count_seconds: float = 0.0) -> CostEstimate:
    """15 s an epoch with its validation, 13.2 s one of pre-training."""
    return CostEstimate(
        *("cpu", 22_363, 88, 13.0, 2.0, 0.0),
        count_seconds=count_seconds,
        test_seconds=4.0,
        memory=0,
        epochs=epochs,
        model_epochs=0,
        pretrain_epochs=pretrain_epochs,
        pretrain_seconds=13.2,
    )


def test_pre_training_that_takes_more_than_the_time_is_told() -> None:
    told = too_short(S3REC, cost(300, 100), 10.0)
    assert told.startswith(
        "its 100 epochs of pre-training alone take about 22 min by a rehearsal, more than its 10 minutes"
    )
    assert "nothing to test" in told
    assert too_short(S3REC, cost(300, 100), 23.0) == ""  # its rate stays: what is trained by then is worth testing
    assert "pre-training" in too_short(S3REC, cost(300, 100, count_seconds=90.0), 23.0)


def test_a_rate_that_will_not_have_fallen_is_told() -> None:
    told = too_short(STRONG, cost(40), 2.5)
    assert told == (
        "its learning rate falls over 40 epochs, about 10 min by a rehearsal: its 2.5 minutes end it near epoch 10 of "
        "40, with the rate at about 75 % of its highest"
    )
    assert too_short(STRONG, cost(40), 10.0) == ""  # 40 epochs of 15 s
    assert too_short(STRONG.replace({"train.rate_decay": "none"}), cost(40), 2.5) == ""
    both = S3REC.replace({"train.rate_decay": "linear"})
    assert "near epoch 110 of 140" in too_short(both, cost(40, 100), (1320 + 150) / 60)


@pytest.mark.parametrize(
    ("config", "falls"),
    [
        ({"train": {"rate_decay": "linear"}}, True),
        ({"train": {"rate_decay": "none"}}, False),
        ({"train": {}}, False),
        ({}, False),
    ],
)
def test_a_stored_configuration_says_whether_its_rate_falls(config: dict[str, Any], falls: bool) -> None:
    assert rate_falls(config) is falls
