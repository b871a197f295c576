"""A run's time: it ends after a whole epoch or inside one, is tested all the same, and counts over all attempts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import preset
from engine.errors import RunError
from engine.records import TrainingResult
from engine.training import checkpoint
from engine.training.budget import Budget
from engine.training.listening import Silent
from engine.training.trainer import Trainer
from tests.engine.training.small import Notes, circles, config, told

DATA = circles()  # 4 steps an epoch


class Clock:
    """Stands still until it is told that time passes."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def trained(
    directory: Path,
    minutes: float,
    *,
    step: float = 60.0,
    counting: float = 0.0,
    validating: float = 0.0,
    resume: bool = False,
    notes: Any = None,
    **values: Any,
) -> TrainingResult:
    """A run in which a step, the counting of neighbours and a validation take so many seconds of a made-up clock."""
    clock = Clock()
    settings = config(train__max_minutes=minutes, **values)
    trainer = Trainer(settings, DATA, listener=notes or Silent(), directory=directory)
    trainer.budget = Budget(minutes, clock)
    inner, prepare, validate = trainer._step, trainer._prepare, trainer._validate

    def stepped(batch: Any) -> Any:
        clock.now += step
        return inner(batch)

    def prepared() -> None:
        clock.now += counting
        prepare()

    def validated() -> Any:
        clock.now += validating
        return validate()

    trainer._step, trainer._prepare, trainer._validate = stepped, prepared, validated  # type: ignore[method-assign]
    return trainer.run(resume=resume)


def test_the_clock_counts_training_and_goes_on_where_another_attempt_ended() -> None:
    clock = Clock()
    budget = Budget(2, clock)
    assert (budget.spent, budget.is_spent) == (0.0, False)
    budget.begin()
    clock.now += 50
    assert budget.spent == 50
    budget.restore(100)  # what this attempt did before, the earlier one has paid for
    assert budget.spent == 100
    clock.now += 20
    assert budget.is_spent
    budget.end()
    clock.now += 1000
    assert budget.spent == 120
    assert not Budget(0, clock).is_spent


@pytest.mark.parametrize(("minutes", "epochs", "cut"), [(4, 1, 0), (8, 2, 0), (6, 2, 2), (1, 1, 1), (0.5, 1, 1)])
def test_the_time_ends_the_run_after_an_epoch_or_inside_one(
    minutes: float, epochs: int, cut: int, tmp_path: Path
) -> None:
    result = trained(tmp_path, minutes)
    assert (len(result.epochs), result.cut_at) == (epochs, cut)
    assert result.out_of_time
    assert not result.stopped
    assert not result.stopped_early
    assert result.seconds == 60 * (4 * (epochs - 1) + (cut or 4))
    assert set(result.metrics) == {"valid", "test"}
    assert result.best_epoch is not None
    assert result.metrics["valid"] == result.epochs[result.best_epoch].metrics


def test_a_time_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    free = trained(tmp_path / "free", 0)
    bound = trained(tmp_path / "bound", 13)
    assert told(bound.epochs) == told(free.epochs)
    assert not bound.out_of_time
    assert not free.out_of_time
    assert bound.seconds == 60 * 12


def test_counting_and_validation_are_part_of_the_time_and_the_test_is_not(tmp_path: Path) -> None:
    result = trained(tmp_path, 10, counting=120, validating=120)  # 2 + 4 + 2 = 8 minutes, and two steps
    assert (len(result.epochs), result.cut_at) == (2, 2)
    assert result.seconds == 12 * 60  # the last validation is whole
    spent = trained(tmp_path / "b", 1, counting=300)  # nothing is left when training begins: one step all the same
    assert (len(spent.epochs), spent.cut_at) == (1, 1)
    assert spent.metrics["test"]


def test_the_losses_of_a_cut_epoch_are_means_of_its_steps(tmp_path: Path) -> None:
    whole, cut = trained(tmp_path / "a", 0, train__epochs=1), trained(tmp_path / "b", 2)
    first = []
    trainer = Trainer(config(), DATA, listener=Silent(), directory=tmp_path)
    inner = trainer._step
    trainer._step = lambda batch: first.append(inner(batch)) or first[-1]  # type: ignore[func-returns-value, method-assign]
    trainer.run()
    assert cut.epochs[0].losses["next_item"] == pytest.approx(float(np.mean([float(loss[0]) for loss in first[:2]])))
    assert whole.epochs[0].losses["next_item"] == pytest.approx(float(np.mean([float(loss[0]) for loss in first[:4]])))


def test_stopped_and_resumed_it_has_the_time_of_one_run(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", 10, counting=60)
    stopped = trained(tmp_path / "parts", 10, counting=60, notes=Notes(6))
    assert stopped.stopped
    assert not stopped.out_of_time
    assert checkpoint.read(tmp_path / "parts" / "checkpoint.pt")["spent"] == 7 * 60
    resumed = trained(tmp_path / "parts", 10, counting=60, resume=True)
    assert resumed.out_of_time
    assert (resumed.cut_at, resumed.seconds) == (whole.cut_at, whole.seconds)
    assert told(resumed.epochs) == told(whole.epochs)
    assert resumed.metrics == whole.metrics


def test_a_cut_run_ends_alike_when_its_end_is_done_again_and_goes_on_exactly_with_more_time(tmp_path: Path) -> None:
    """Its process may be killed between the end and its record; and the checkpoint is the epoch as it was."""
    first = trained(tmp_path, 6)
    again = trained(tmp_path, 6, resume=True)
    assert told(again.epochs) == told(first.epochs)
    assert again.metrics == first.metrics
    longer, free = trained(tmp_path, 0, resume=True), trained(tmp_path / "free", 0)
    assert told(longer.epochs) == told(free.epochs)
    assert longer.metrics == free.metrics


def test_an_older_checkpoint_has_spent_what_its_epochs_took(tmp_path: Path) -> None:
    trained(tmp_path, 0, notes=Notes(8))
    path = tmp_path / "checkpoint.pt"
    saved = checkpoint.read(path)
    seconds = sum(epoch["train_seconds"] + epoch["validate_seconds"] for epoch in saved["epochs"])
    checkpoint.write(path, {name: value for name, value in saved.items() if name != "spent"})
    trainer = Trainer(config(), DATA, listener=Silent(), directory=tmp_path)
    trainer.budget = Budget(0, lambda: 0.0)
    trainer.run(resume=True)
    assert trainer.budget.spent == pytest.approx(seconds)


def test_popularity_has_no_use_for_time(tmp_path: Path) -> None:
    settings = preset("popularity").config.replace({"train.device": "cpu", "train.max_minutes": 1})
    result = Trainer(settings, DATA, listener=Silent(), directory=tmp_path).run()
    assert not result.out_of_time
    assert result.seconds == 0


def test_a_time_that_ends_in_pretraining_leaves_nothing_to_test(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="went into pre-training: nothing was fine-tuned"):
        trained(tmp_path / "short", 4, train__pretrain_epochs=2)
    result = trained(tmp_path / "long", 12, train__pretrain_epochs=2)
    assert (len(result.epochs), result.best_epoch) == (3, 2)
    assert result.out_of_time
    assert set(result.metrics) == {"valid", "test"}


def test_a_time_that_ends_between_two_stages_is_told_again_when_it_goes_on(tmp_path: Path) -> None:
    for is_resumed in (False, True):  # 120 users in batches of 32: eight steps of pre-training
        with pytest.raises(RunError, match="went into pre-training: nothing was fine-tuned"):
            trained(tmp_path, 7.5, train__pretrain_epochs=2, resume=is_resumed)
    assert trained(tmp_path, 20, train__pretrain_epochs=2, resume=True).metrics
