"""A small world to train in: users walk round circles of items, so the next item can be learnt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.config import ExperimentConfig, preset
from engine.data.dataset import Dataset, build
from engine.records import STAGES, EpochReport


def circles(users: int = 120, items: int = 60, seed: int = 5) -> Dataset:
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(users):
        circle, start = generator.integers(0, items // 12), generator.integers(0, 12)
        length = generator.integers(4, 11)
        rows.append([circle * 12 + (start + step) % 12 + 1 for step in range(length)])
    offsets = np.cumsum([0, *(len(row) for row in rows)])
    flat = np.array([item for row in rows for item in row], dtype=np.int64)
    return build(Path("circles.txt"), np.arange(1, users + 1), flat, offsets.astype(np.int64))


def config(name: str = "coserec-paper", **values: Any) -> ExperimentConfig:
    """A quick version of a preset; keywords are dotted paths with ``__`` for the dot."""
    quick = {
        "model.hidden_size": 8,
        "model.layers": 1,
        "model.max_length": 8,
        "train.batch_size": 32,
        "train.epochs": 3,
        "train.device": "cpu",
        "train.learning_rate": 0.01,
    }
    return preset(name).config.replace(quick | {key.replace("__", "."): value for key, value in values.items()})


class Notes:
    """A listener that writes down what it hears and asks to stop when told."""

    def __init__(self, stop_at_step: int | None = None, stop_in_phase: str = "") -> None:
        self.phases: list[str] = []
        self.epochs: list[EpochReport] = []
        self.hybrid: list[int] = []
        self.remarks: list[str] = []
        self.steps: list[tuple[int, int, int, dict[str, float]]] = []
        self.before: tuple[EpochReport, ...] | None = None
        self.asked = 0
        self._stop_at_step = stop_at_step
        self._stop_in_phase = stop_in_phase

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def step(self, epoch: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        self.steps.append((epoch, step, steps, dict(losses)))

    def epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)

    def resumed(self, reports: tuple[EpochReport, ...]) -> None:
        self.before = reports

    def hybrid_began(self, epoch: int) -> None:
        self.hybrid.append(epoch)

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def should_stop(self) -> bool:
        if self._stop_in_phase and self.phases[-1] == self._stop_in_phase:
            return True
        if self.phases[-1] in STAGES:
            self.asked += 1
        return self._stop_at_step is not None and self.asked > self._stop_at_step


def told(reports: tuple[EpochReport, ...]) -> list[tuple[Any, ...]]:
    """What of the reports must not differ between two runs: everything but the seconds."""
    return [(r.epoch, r.stage, dict(r.losses), dict(r.metrics), r.correlation, r.is_best) for r in reports]
