"""A rehearsal counts what a run would do, times a part of it, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.config import preset
from engine.data.sequences import Sequences
from engine.records import CostEstimate
from engine.training import cost, train
from engine.training.cost import rehearse
from engine.training.listening import Silent
from tests.engine.training.small import circles, config

DATA = circles()


def test_it_counts_what_the_run_then_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = config("coserec-published", similarity__hybrid_after_epoch=0)  # hybrid in epochs 2 and 3
    found = rehearse(settings, DATA)
    assert list(tmp_path.iterdir()) == []
    result = train(settings, DATA, listener=Silent(), directory=tmp_path)
    assert (found.users, found.steps, found.epochs) == (120, 4, 3)
    assert found.model_epochs == sum(epoch.correlation == "hybrid" for epoch in result.epochs) == 2
    assert found.device == result.device
    parts = (found.train_seconds, found.validate_seconds, found.neighbours_seconds, found.count_seconds)
    assert min(*parts, found.test_seconds) > 0


def test_what_a_run_would_not_do_costs_nothing() -> None:
    plain = rehearse(config("sasrec"), DATA)
    assert (plain.neighbours_seconds, plain.count_seconds, plain.model_epochs) == (0, 0, 0)
    memory_only = rehearse(config("coserec-paper", similarity__name="item_cf"), DATA)
    assert (memory_only.neighbours_seconds, memory_only.model_epochs) == (0, 0)
    assert memory_only.count_seconds > 0
    counted = rehearse(preset("popularity").config, DATA)
    assert (counted.users, counted.steps, counted.epochs, counted.train_seconds) == (0, 0, 0, 0)
    assert counted.test_seconds > 0
    never = rehearse(config(similarity__hybrid_after_epoch=160), DATA)
    assert never.model_epochs == 0


def test_the_whole_is_the_sum_of_its_parts() -> None:
    found = CostEstimate("cpu", 10, 2, 3.0, 1.0, 0.5, 7.0, 2.0, 0, epochs=10, model_epochs=4)
    assert found.epoch_seconds == 4.0
    assert found.most_seconds == 7.0 + 10 * 4.0 + 4 * 0.5 + 2.0


def test_memory_grows_with_what_is_kept() -> None:
    small, large = (rehearse(config(train__batch_size=size), DATA) for size in (8, 64))
    assert large.memory > small.memory
    wide = rehearse(config(train__batch_size=8, model__hidden_size=64), DATA)
    assert wide.memory - small.memory > 6 * 4 * (64 - 8) * DATA.rows  # six copies of a table that is 56 wider


def test_neighbours_of_a_part_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    count = cost.item_cf

    def noting(sequences: Sequences, *rest: Any) -> object:
        counted.append(len(sequences))
        return count(sequences, *rest)

    monkeypatch.setattr(cost, "item_cf", noting)
    monkeypatch.setattr(cost, "_PAIRS", 200)
    monkeypatch.setattr(cost, "_ITEMS", 10)
    found = rehearse(config(), DATA)
    assert 0 < counted[0] < len(DATA.sequences)
    assert found.count_seconds > 0
