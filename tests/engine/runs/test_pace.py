"""What an epoch of a run to come takes, by the epochs of one that has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.records import PRETRAINING, TRAINING, EpochReport, RunRecord
from engine.runs.pace import seconds_an_epoch
from tests.helpers.fake_runs import EPOCH, make_record
from tests.helpers.fake_training import report


def epochs(*seconds: float, stage: str = TRAINING) -> tuple[EpochReport, ...]:
    return tuple(
        replace(report(n), train_seconds=own - 1, validate_seconds=1, stage=stage) for n, own in enumerate(seconds)
    )


def run(seconds: float, **changes: Any) -> RunRecord:
    times: dict[str, Any] = {"started_at": EPOCH, "ended_at": EPOCH + timedelta(seconds=seconds), "attempt": 1}
    return make_record(**(times | changes))


def test_an_epoch_in_which_the_computer_slept_is_not_counted() -> None:
    # 4 + 5 + 214 + 5 + 6 = 234 s in epochs and 10 s beside them: the median of 5 s, and a fifth of the 10.
    assert seconds_an_epoch(run(244), epochs(4, 5, 214, 5, 6)) == pytest.approx(5 + 10 / 5)


def test_each_stage_counts_with_its_own_epochs() -> None:
    told = (*epochs(2, 2, stage=PRETRAINING), *epochs(8, 8, 8, 80))
    assert seconds_an_epoch(run(108), told) == pytest.approx((2 * 2 + 4 * 8) / 6)


def test_waiting_between_attempts_is_no_cost_of_a_run() -> None:
    assert seconds_an_epoch(run(10_000, attempt=2), epochs(3, 3)) == 3


def test_nothing_is_known_without_epochs() -> None:
    assert seconds_an_epoch(run(10), ()) is None
