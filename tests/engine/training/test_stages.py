"""Two stages: pre-training by contrast (Table 4) or by a model's own tasks (FACTS B7), then training proper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.augment.views import Augmenter
from engine.config import ExperimentConfig, total_epochs
from engine.data.splits import leave_one_out
from engine.errors import UsageError
from engine.records import CostEstimate
from engine.training import checkpoint, setup, stages, train
from engine.training.cost import rehearse
from engine.training.listening import Silent
from engine.training.replay import replay
from engine.training.trainer import Trainer
from tests.engine.training.small import Notes, circles, config, told

DATA = circles()
STEPS = 4
"""Batches of an epoch: 120 users, 32 at once."""


def by_contrast(**values: Any) -> ExperimentConfig:
    """CoSeRec in two stages: two epochs of contrast, three of next items."""
    chosen = {"loss__contrastive_weight": 0.0, "train__pretrain_epochs": 2} | values
    return config("coserec-paper", **chosen)


def s3rec(**values: Any) -> ExperimentConfig:
    """S3-Rec: two epochs of its own tasks, three of next items."""
    chosen = {
        "model__name": "s3rec",
        "model__hidden_size": 8,
        "model__layers": 1,
        "model__max_length": 8,
        "model__segment_weight": 0.5,
        "train__pretrain_epochs": 2,
    }
    return config("sasrec", **(chosen | values))


KINDS = {
    "by contrast": by_contrast(),
    "by contrast, hybrid": by_contrast(similarity__hybrid_after_epoch=1),
    "by contrast, and with it": by_contrast(loss__contrastive_weight=0.1, train__pretrain_learning_rate=0.003),
    "s3rec": s3rec(train__rate_decay="linear", train__optimiser="adamw"),
    "s3rec, with views": s3rec(
        loss__contrastive_weight=0.1, similarity__name="hybrid", similarity__hybrid_after_epoch=1
    ),
    "gru4rec": config("gru4rec-strong", model__name="gru4rec", train__pretrain_epochs=2),
}


def run(settings: ExperimentConfig, directory: Path, **values: Any) -> Any:
    return train(settings, DATA, listener=values.pop("listener", Silent()), directory=directory, **values)


def test_epochs_say_their_stage_and_only_the_last_one_is_validated(tmp_path: Path) -> None:
    notes = Notes()
    result = run(by_contrast(), tmp_path, listener=notes)
    assert [report.stage for report in result.epochs] == ["pre-training"] * 2 + ["fine-tuning"] * 3
    assert [report.epoch for report in result.epochs] == list(range(5))
    assert [set(report.losses) for report in result.epochs] == [{"contrastive", "total"}] * 2 + [
        {"next_item", "total"}
    ] * 3
    assert [bool(report.metrics) for report in result.epochs] == [False] * 2 + [True] * 3
    assert [report.correlation for report in result.epochs] == ["memory"] * 2 + ["none"] * 3
    assert {report.validate_seconds for report in result.epochs[:2]} == {0.0}
    before = ["correlations", "pre-training"]
    assert notes.phases == ["correlations", *before * 2, *["fine-tuning", "validating"] * 3, "testing"]
    assert result.best_epoch in (2, 3, 4)
    assert [report.losses["total"] for report in result.epochs[:2]] == [
        report.losses["contrastive"] for report in result.epochs[:2]
    ]


def test_a_run_of_one_stage_is_called_training(tmp_path: Path) -> None:
    result = run(config("coserec-paper"), tmp_path)
    assert [report.stage for report in result.epochs] == ["training"] * 3
    assert stages.plans(config("coserec-paper")) == (stages.Plan("training", 0, 3, 0.01),)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_cut_off_in_either_stage_goes_on_as_if_it_had_not_been(kind: str, tmp_path: Path) -> None:
    settings = KINDS[kind]
    whole = run(settings, tmp_path / "whole")
    done = 0
    # Inside pre-training, just before its end, inside the second stage's first epoch, and in a later one.
    for step in (STEPS + 2, 2 * STEPS, 2 * STEPS + 3, 4 * STEPS + 1):
        torch.manual_seed(step)
        stopped = run(settings, tmp_path / "parts", listener=Notes(step - done), resume=True)
        done = step
        assert stopped.stopped
        assert len(stopped.epochs) == step // STEPS
        assert bool(stopped.metrics) == (step >= 3 * STEPS)  # before an epoch is validated there is nothing to test
    resumed = run(settings, tmp_path / "parts", resume=True)
    assert told(resumed.epochs) == told(whole.epochs)
    assert resumed.metrics == whole.metrics
    assert np.array_equal(resumed.ranks["test"], whole.ranks["test"])


def test_a_run_that_was_killed_between_two_stages_goes_on_with_the_second(tmp_path: Path) -> None:
    """A checkpoint at the end of pre-training holds that stage's optimiser, which must not be gone on with."""
    whole = run(by_contrast(), tmp_path / "whole")

    class KilledError(Exception):
        pass

    class Dies(Notes):
        def epoch(self, report: Any) -> None:
            super().epoch(report)
            if report.epoch == 1:
                raise KilledError

    with pytest.raises(KilledError):
        run(by_contrast(), tmp_path / "parts", listener=Dies())
    stored = checkpoint.read(tmp_path / "parts" / "checkpoint.pt")
    assert (stored["stage"], len(stored["epochs"]), stored["optimiser"]["taken"]) == ("pre-training", 2, 2 * STEPS)
    notes = Notes()
    resumed = run(by_contrast(), tmp_path / "parts", resume=True, listener=notes)
    assert notes.before == resumed.epochs[:2]
    assert told(resumed.epochs) == told(whole.epochs)
    stored = checkpoint.read(tmp_path / "parts" / "checkpoint.pt")
    assert (stored["stage"], stored["optimiser"]["taken"]) == ("fine-tuning", 3 * STEPS)


def test_the_second_stage_begins_with_the_first_ones_weights_and_a_fresh_optimiser(tmp_path: Path) -> None:
    settings = by_contrast(train__pretrain_learning_rate=0.004, train__warmup_steps=2, train__rate_decay="linear")
    trainer = Trainer(settings, DATA, listener=Silent(), directory=tmp_path)
    trainer.model = setup.model(settings, DATA, trainer.split, trainer.generators.initial)
    trainer._prepare()
    first = trainer.optimiser
    assert trainer.stage.plan == stages.Plan("pre-training", 0, 2, 0.004)
    # Each stage warms up and falls over its own steps.
    assert [first.rate(taken) for taken in (0, 1, 2 * STEPS)] == pytest.approx([0.002, 0.004, 0.0])
    trainer.contrastive.neighbours = trainer.correlations.at_epoch(0, None)  # type: ignore[union-attr]
    trainer._step(trainer.data.batch(np.arange(32)))
    weights = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer._enter(stages.plan_at(settings, 2))
    assert all(torch.equal(value, weights[name]) for name, value in trainer.model.state_dict().items())
    assert trainer.optimiser is not first
    assert (trainer.optimiser.taken, trainer.optimiser.state_dict()["state"]) == (0, {})
    assert [trainer.optimiser.rate(taken) for taken in (0, 1, 3 * STEPS)] == pytest.approx([0.005, 0.01, 0.0])
    assert [task.name for task in trainer.objectives] == ["next_item"]
    assert trainer.contrastive is None


def test_pre_training_is_never_stopped_early(tmp_path: Path) -> None:
    settings = by_contrast(train__pretrain_epochs=6, train__patience=1, train__epochs=40, train__learning_rate=0.05)
    result = run(settings, tmp_path)
    assert [report.stage for report in result.epochs].count("pre-training") == 6
    assert result.stopped_early
    assert result.best_epoch is not None
    assert len(result.epochs) == result.best_epoch + 2
    assert not any(report.is_best for report in result.epochs[:6])


def test_e_is_counted_from_the_first_epoch_with_views(tmp_path: Path) -> None:
    first = run(KINDS["by contrast, hybrid"], tmp_path / "a")
    assert [report.correlation for report in first.epochs] == ["memory", "hybrid", "none", "none", "none"]
    assert first.hybrid_started is True
    second = run(KINDS["s3rec, with views"], tmp_path / "b")
    assert [report.correlation for report in second.epochs] == ["none", "none", "memory", "hybrid", "hybrid"]
    never = run(by_contrast(similarity__hybrid_after_epoch=2), tmp_path / "c")
    assert never.hybrid_started is False


def test_s3rec_without_pre_training_is_sasrec(tmp_path: Path) -> None:
    plain = run(config("sasrec"), tmp_path / "plain")
    twin = run(s3rec(train__pretrain_epochs=0), tmp_path / "twin")
    assert told(twin.epochs) == told(plain.epochs)
    assert twin.metrics == plain.metrics
    trained = run(s3rec(), tmp_path / "trained")
    assert [set(report.losses) for report in trained.epochs[:2]] == [{"masked_items", "segments", "total"}] * 2
    losses = trained.epochs[0].losses
    assert losses["total"] == pytest.approx(losses["masked_items"] + 0.5 * losses["segments"], rel=1e-6)
    assert trained.metrics != plain.metrics


def test_pre_training_learns(tmp_path: Path) -> None:
    longer = {"train.pretrain_epochs": 25, "train.epochs": 1, "model.dropout": 0.0, "model.hidden_size": 32}
    masked = s3rec(model__masked_item_loss="next_item", loss__next_item="cross_entropy")
    for number, settings in enumerate((by_contrast(), masked)):
        epochs = run(settings.replace(longer), tmp_path / str(number)).epochs
        for name in epochs[0].losses:
            assert epochs[24].losses[name] < 0.9 * epochs[0].losses[name]


@pytest.mark.parametrize("kind", ["by contrast, hybrid", "s3rec", "s3rec, with views"])
def test_what_two_stages_cost_is_what_they_do(kind: str, tmp_path: Path) -> None:
    settings = KINDS[kind]
    found = rehearse(settings, DATA)
    result = run(settings, tmp_path)
    assert (found.pretrain_epochs, found.pretrain_steps, found.epochs, found.steps) == (2, STEPS, 3, STEPS)
    assert found.all_epochs == len(result.epochs) == total_epochs(settings)
    assert found.model_epochs == sum(report.correlation == "hybrid" for report in result.epochs)
    assert min(found.pretrain_seconds, found.train_seconds) > 0
    assert rehearse(config("sasrec"), DATA).pretrain_epochs == 0


def test_the_whole_cost_counts_both_stages() -> None:
    parts = {"epochs": 10, "model_epochs": 4, "pretrain_epochs": 5, "pretrain_seconds": 6.0}
    found = CostEstimate("cpu", 10, 2, 3.0, 1.0, 0.5, 7.0, 2.0, 0, **parts)  # type: ignore[arg-type]
    assert found.most_seconds == 7.0 + 5 * 6.0 + 10 * 4.0 + 4 * 0.5 + 2.0


@pytest.mark.parametrize("prefixes", [False, True])
def test_views_of_either_stage_are_foretold(prefixes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = by_contrast(loss__contrastive_weight=0.1, similarity__name="item_cf")
    late = s3rec(loss__contrastive_weight=0.1, similarity__name="item_cf", model__pretrain_prefixes=prefixes)
    made: list[torch.Tensor] = []
    views = Augmenter.views

    def noted(self: Augmenter, *arguments: Any) -> Any:
        found = views(self, *arguments)
        made.append(found.ragged.items)
        return found

    monkeypatch.setattr(Augmenter, "views", noted)
    for number, (settings, epoch, first) in enumerate(((both, 3, 0), (late, 3, 2))):
        made.clear()
        run(settings, tmp_path / str(number))
        trained = list(made)
        made.clear()
        found = replay(settings, DATA, leave_one_out(DATA), row=7, epoch=epoch)
        assert len(made) == (epoch - first) * STEPS + found.step + 1
        assert all(torch.equal(one, other) for one, other in zip(made, trained, strict=False))


def test_an_epoch_without_views_has_none_to_foretell() -> None:
    split = leave_one_out(DATA)
    with pytest.raises(UsageError, match="Epoch 3 is of this run's fine-tuning"):
        replay(by_contrast(), DATA, split, row=7, epoch=2)
    with pytest.raises(UsageError, match="Epoch 1 is of this run's pre-training"):
        replay(s3rec(loss__contrastive_weight=0.1, similarity__name="item_cf"), DATA, split, row=7, epoch=0)
