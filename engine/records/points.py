"""Points of a run's series, one by one and in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple


class MetricPoint(NamedTuple):
    """One stored value of one series of a run, e.g. ``loss/next_item``, ``valid/NDCG@20``, ``time/train_seconds``."""

    run_id: str
    attempt: int
    sequence: int
    epoch: int
    step: int
    name: str
    value: float


@dataclass(frozen=True)
class PointBlock:
    """Points of one attempt of a run in columns, at least one, in their order of recording.

    Twenty curves are tens of thousands of points; as objects, one by one, they would keep the window waiting.
    """

    run_id: str
    attempt: int
    sequences: tuple[int, ...]
    epochs: tuple[int, ...]
    steps: tuple[int, ...]
    names: tuple[str, ...]
    values: tuple[float | None, ...]
    """None where the value is NaN."""

    def points(self) -> Iterator[MetricPoint]:
        """The points one by one."""
        columns = zip(self.sequences, self.epochs, self.steps, self.names, self.values, strict=True)
        for sequence, epoch, step, name, value in columns:
            known = float("nan") if value is None else value
            yield MetricPoint(self.run_id, self.attempt, sequence, epoch, step, name, known)

    @classmethod
    def of(cls, points: Iterable[MetricPoint]) -> tuple[PointBlock, ...]:
        """Neighbouring points of one attempt as one block."""
        grouped = groupby(points, key=lambda point: (point.run_id, point.attempt))
        return tuple(cls(*key, *list(zip(*some, strict=True))[2:]) for key, some in grouped)  # type: ignore[arg-type]
