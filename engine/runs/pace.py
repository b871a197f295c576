"""How long an epoch of a run to come will take, by one that has ended: its median, for one epoch may have slept."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from engine.records import EpochReport, RunRecord


def seconds_an_epoch(record: RunRecord, epochs: Sequence[EpochReport]) -> float | None:
    """An epoch's seconds, with its share of what a run does before and after its epochs; None without epochs.

    Of each stage the median, for as many epochs as it had: an epoch in which the computer slept, or the process stood
    still, says nothing of another run, and one of pre-training costs another time than one of training.
    """
    if not epochs:
        return None
    stages: dict[str, list[float]] = {}
    for report in epochs:
        stages.setdefault(report.stage, []).append(report.train_seconds + report.validate_seconds)
    usual = sum(len(seconds) * median(seconds) for seconds in stages.values())
    return (usual + _beside(record, sum(map(sum, stages.values())))) / len(epochs)


def _beside(record: RunRecord, in_epochs: float) -> float:
    """Seconds of a run outside its epochs: reading, counting, the test. 0 where several attempts waited in between."""
    if record.started_at is None or record.ended_at is None or record.attempt != 1:
        return 0.0
    return max((record.ended_at - record.started_at).total_seconds() - in_epochs, 0.0)
