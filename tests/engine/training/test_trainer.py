"""Training from end to end on a small world: determinism, stop and resume, early stopping, hybrid, shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.augment.views import Augmenter
from engine.config import preset
from engine.data.dataset import build
from engine.errors import DataError, OutOfMemoryError, RunError
from engine.training import checkpoint, train
from engine.training.listening import Silent
from engine.training.trainer import Trainer
from tests.engine.training.small import Notes, circles, config, told

DATA = circles()
KINDS: list[dict[str, Any]] = [
    {"name": "coserec-paper"},
    {"name": "coserec-published"},
    {"name": "sasrec"},
    {"name": "cl4srec"},
    {"name": "sasrec-cross-entropy"},
    {"name": "coserec-paper", "loss__next_item": "cross_entropy", "fidelity__next_item_mean": "users"},
    {"name": "coserec-paper", "loss__representation": "last", "similarity__hybrid_after_epoch": 1},
    {"name": "coserec-paper", "loss__representation": "mean", "fidelity__next_item_mean": "users"},
    {"name": "coserec-paper", "loss__next_item": "cross_entropy", "train__precision": "bfloat16"},
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_the_same_seed_gives_the_same_run_and_another_seed_another(kind: dict[str, Any], tmp_path: Path) -> None:
    runs = [
        train(config(**kind, train__seed=seed), DATA, listener=Silent(), directory=tmp_path / str(index))
        for index, seed in enumerate((1, 1, 2))
    ]
    assert told(runs[0].epochs) == told(runs[1].epochs)
    assert runs[0].metrics == runs[1].metrics
    assert np.array_equal(runs[0].ranks["test"], runs[1].ranks["test"])
    assert told(runs[0].epochs) != told(runs[2].epochs)


@pytest.mark.parametrize("kind", [*KINDS[:2], KINDS[-1]], ids=lambda kind: str(kind["name"]))
@pytest.mark.parametrize("stop_at_step", [5, 8])
def test_stopped_and_resumed_equals_uninterrupted(kind: dict[str, Any], stop_at_step: int, tmp_path: Path) -> None:
    settings = config(**kind, similarity__hybrid_after_epoch=1)
    whole = train(settings, DATA, listener=Silent(), directory=tmp_path / "whole")
    stopped = train(settings, DATA, listener=Notes(stop_at_step), directory=tmp_path / "parts")
    assert stopped.stopped
    assert len(stopped.epochs) == stop_at_step // 4  # 120 users in batches of 32
    assert set(stopped.metrics) == {"valid", "test"}
    assert stopped.checkpoint == tmp_path / "parts" / "checkpoint.pt"
    torch.manual_seed(77)  # another process would not stand where this one stopped
    resumed = train(settings, DATA, listener=Silent(), directory=tmp_path / "parts", resume=True)
    assert not resumed.stopped
    assert told(resumed.epochs) == told(whole.epochs)
    assert resumed.metrics == whole.metrics
    assert resumed.hybrid_started == whole.hybrid_started
    assert np.array_equal(resumed.ranks["test"], whole.ranks["test"])
    best = [checkpoint.read(tmp_path / folder / "best.pt")["model"] for folder in ("whole", "parts")]
    assert all(torch.equal(best[0][name], best[1][name]) for name in best[0])


class Killed(BaseException):
    """What a process would not have lived to see."""


@pytest.mark.parametrize("after", [1, 3, 4, 6, 9, 11])
@pytest.mark.parametrize("saves", [{"epochs": 1, "minutes": 1000}, {"epochs": 2, "minutes": 1e-9}, {"epochs": 3}])
def test_killed_anywhere_and_resumed_equals_uninterrupted(
    after: int, saves: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.training.trainer._SECONDS_BETWEEN_STEPS_TOLD", 0.0)
    settings = config("coserec-published", similarity__hybrid_after_epoch=0)  # hybrid from the second epoch on
    settings = settings.replace({f"train.checkpoint_{unit}": every for unit, every in saves.items()})
    whole = train(settings, DATA, listener=Silent(), directory=tmp_path / "whole")
    killed = Notes()
    step, count = Trainer._step, 0

    def counted(trainer: Trainer, batch: Any) -> torch.Tensor:
        nonlocal count
        if count == after:
            raise Killed
        count += 1
        return step(trainer, batch)

    monkeypatch.setattr(Trainer, "_step", counted)
    with pytest.raises(Killed):
        train(settings, DATA, listener=killed, directory=tmp_path / "parts")
    before, count, after = count, 0, 1000
    torch.manual_seed(77)
    notes = Notes()
    resumed = train(settings, DATA, listener=notes, directory=tmp_path / "parts", resume=True)
    assert told(resumed.epochs) == told(whole.epochs)
    assert resumed.metrics == whole.metrics
    assert notes.before is not None
    assert told((*notes.before, *notes.epochs)) == told(whole.epochs)  # nothing doubled, nothing missing
    # 3 epochs of 4 steps; what is done again is what came after the checkpoint.
    lost = {1000: before % 4, 1e-9: 0, None: before}[saves.get("minutes")]
    assert count == 12 - before + lost
    assert len(notes.before) == (before - lost) // 4


def test_stop_inside_an_epoch_repeats_no_step(tmp_path: Path) -> None:
    train(config(), DATA, listener=Notes(6), directory=tmp_path)  # 4 steps an epoch: two into the second
    saved = checkpoint.read(tmp_path / "checkpoint.pt")
    assert (len(saved["epochs"]), saved["current"]["step"]) == (1, 2)
    notes = Notes()
    train(config(), DATA, listener=notes, directory=tmp_path, resume=True)
    assert notes.asked == 2 + 4


def test_stopping_before_an_epoch_is_over_leaves_a_checkpoint_and_no_metrics(tmp_path: Path) -> None:
    stopped = train(config(), DATA, listener=Notes(0), directory=tmp_path)
    assert (stopped.stopped, stopped.epochs, stopped.metrics, stopped.best_epoch) == (True, (), {}, None)
    assert stopped.checkpoint is not None
    whole = train(config(), DATA, listener=Silent(), directory=tmp_path / "whole")
    resumed = train(config(), DATA, listener=Silent(), directory=tmp_path, resume=True)
    assert told(resumed.epochs) == told(whole.epochs)


def test_stopping_while_validating_does_not_count_the_epoch(tmp_path: Path) -> None:
    stopped = train(config(), DATA, listener=Notes(stop_in_phase="validating"), directory=tmp_path)
    assert stopped.stopped
    assert stopped.epochs == ()


def test_training_learns_to_walk_round(tmp_path: Path) -> None:
    settings = config("sasrec", train__epochs=15, train__learning_rate=0.05, model__dropout=0.0, model__hidden_size=16)
    result = train(settings, circles(200), listener=Silent(), directory=tmp_path)
    assert result.metrics["test"]["HR@5"] > 0.8  # by chance 5 of 60


def test_bfloat16_trains_about_as_float32_does_and_not_the_same(tmp_path: Path) -> None:
    results = [
        train(config(train__precision=precision), DATA, listener=Silent(), directory=tmp_path / precision)
        for precision in ("float32", "bfloat16")
    ]
    first, second = ([epoch.losses["total"] for epoch in result.epochs] for result in results)
    assert first != second
    assert second == pytest.approx(first, rel=0.02)


def test_the_listener_hears_every_phase_and_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.trainer._SECONDS_BETWEEN_STEPS_TOLD", 0.0)
    notes = Notes()
    result = train(config(train__epochs=2), DATA, listener=notes, directory=tmp_path)
    once = ["correlations", "training", "validating"]
    assert notes.phases == ["correlations", *once, *once, "testing"]
    assert tuple(notes.epochs) == result.epochs
    assert [step[:3] for step in notes.steps] == [(epoch, step, 4) for epoch in (0, 1) for step in (1, 2, 3, 4)]
    assert set(notes.steps[0][3]) == {"next_item", "contrastive", "total"}
    losses = result.epochs[0].losses
    assert losses["total"] == pytest.approx(losses["next_item"] + 0.1 * losses["contrastive"], rel=1e-5)
    assert notes.steps[3][3] == pytest.approx(dict(losses))


def test_early_stopping_ends_the_run_and_the_best_epoch_is_tested(tmp_path: Path) -> None:
    settings = config(train__epochs=60, train__patience=2)
    result = train(settings, DATA, listener=Silent(), directory=tmp_path)
    assert result.stopped_early
    assert not result.stopped
    assert len(result.epochs) < 60
    values = [report.metrics["NDCG@20"] for report in result.epochs]
    assert result.best_epoch == int(np.argmax(values))
    assert len(values) == result.best_epoch + 1 + 2
    assert result.metrics["valid"] == result.epochs[result.best_epoch].metrics
    assert [report.is_best for report in result.epochs].count(True) >= 1


def test_hybrid_starts_after_e_and_is_told_once_or_never_began(tmp_path: Path) -> None:
    notes = Notes()
    begun = train(config(similarity__hybrid_after_epoch=1), DATA, listener=notes, directory=tmp_path / "a")
    assert [report.correlation for report in begun.epochs] == ["memory", "hybrid", "hybrid"]
    assert notes.hybrid == [1]
    assert begun.hybrid_started is True
    never = train(config(similarity__hybrid_after_epoch=50), DATA, listener=Silent(), directory=tmp_path / "b")
    assert never.hybrid_started is False
    for index, name in enumerate(("sasrec", "cl4srec", "sasrec-cross-entropy")):
        unasked = train(config(name, train__epochs=1), DATA, listener=Silent(), directory=tmp_path / str(index))
        assert unasked.hybrid_started is None


def test_without_contrastive_weight_no_view_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("a view was made")

    monkeypatch.setattr(Augmenter, "views", never)
    result = train(config(loss__contrastive_weight=0, train__epochs=1), DATA, listener=Silent(), directory=tmp_path)
    assert set(result.epochs[0].losses) == {"next_item", "total"}
    with pytest.raises(AssertionError, match="a view was made"):
        train(config(train__epochs=1), DATA, listener=Silent(), directory=tmp_path)


def test_a_training_share_trains_on_some_and_evaluates_all(tmp_path: Path) -> None:
    settings = config(
        data__train_fraction=0.25,
        fidelity__train_subset="first",
        fidelity__train_subset_after_switch="whole",
        similarity__hybrid_after_epoch=1,
        train__rate_decay="linear",
    )
    trainer = Trainer(settings, DATA, listener=Silent(), directory=tmp_path)
    result = trainer.run()
    taken = trainer.optimiser.taken
    assert (trainer.optimiser.rate(taken), taken) == (0, 9)  # a step of 30 users, and twice four of 120
    assert trainer.optimiser.rate(1) == pytest.approx(0.01 * 8 / 9)
    assert trainer._rows_of(0).tolist() == list(range(30))
    assert len(trainer._rows_of(1)) == 120  # FACTS F18: everybody again after E
    assert len(result.ranks["test"]) == 120


def test_validation_on_a_sample_of_users_and_the_end_on_all(tmp_path: Path) -> None:
    settings = config(evaluate__validation_users=30)
    trainer = Trainer(settings, DATA, listener=Silent(), directory=tmp_path)
    result = trainer.run()
    assert len(trainer.validated.users) == 30
    assert len(result.ranks["valid"]) == len(result.ranks["test"]) == 120
    whole = train(config(), DATA, listener=Silent(), directory=tmp_path / "whole")
    assert [report.losses for report in result.epochs] == [report.losses for report in whole.epochs]
    # HR is a share of 30 users, and then of 120.
    hits = [30 * report.metrics["HR@10"] for report in result.epochs]
    assert hits == pytest.approx([round(count) for count in hits])
    assert [report.metrics for report in result.epochs] != [report.metrics for report in whole.epochs]


def test_a_model_that_does_not_train_is_only_evaluated(tmp_path: Path) -> None:
    result = train(
        preset("popularity").config.replace({"train.device": "cpu"}), DATA, listener=Silent(), directory=tmp_path
    )
    assert result.epochs == ()
    assert result.checkpoint is None
    assert result.hybrid_started is None
    assert result.metrics["test"]["HR@20"] > 0
    assert len(result.ranks["valid"]) == len(result.users) == 120


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    train(config(train__epochs=1), DATA, listener=Silent(), directory=tmp_path)
    with pytest.raises(RunError, match=r"another model\.dropout"):
        train(config(model__dropout=0.2), DATA, listener=Silent(), directory=tmp_path, resume=True)
    with pytest.raises(RunError, match="other data"):
        train(config(), circles(seed=6), listener=Silent(), directory=tmp_path, resume=True)
    longer = train(config(train__epochs=2), DATA, listener=Silent(), directory=tmp_path, resume=True)
    assert len(longer.epochs) == 2


def test_other_epochs_are_refused_where_they_would_change_the_rate_of_what_is_trained(tmp_path: Path) -> None:
    falling = {"train__rate_decay": "linear", "loss__contrastive_weight": 0}
    train(config(train__epochs=2, **falling), DATA, listener=Silent(), directory=tmp_path)
    with pytest.raises(RunError, match="falls over 2 epochs") as refused:
        train(config(train__epochs=4, **falling), DATA, listener=Silent(), directory=tmp_path, resume=True)
    assert "over 4 it would have been another" in refused.value.message
    assert "Leave train.epochs at 2" in refused.value.hint
    again = train(
        config(train__epochs=2, train__patience=7, **falling), DATA, listener=Silent(), directory=tmp_path, resume=True
    )
    assert len(again.epochs) == 2


def test_divergence_is_told_and_not_recorded(tmp_path: Path) -> None:
    notes = Notes()
    trainer = Trainer(config(), DATA, listener=notes, directory=tmp_path)
    prepare = trainer._prepare

    def prepare_and_poison() -> None:
        prepare()
        with torch.no_grad():
            trainer.model.item_embedding.weight[1:] = float("nan")

    trainer._prepare = prepare_and_poison  # type: ignore[method-assign]
    with pytest.raises(RunError, match="diverged"):
        trainer.run()
    assert notes.epochs == []


def test_memory_running_out_names_batch_size_and_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Trainer, "_step", full)
    with pytest.raises(OutOfMemoryError, match=r"train\.batch_size = 32 and model\.max_length = 8"):
        train(config(), DATA, listener=Silent(), directory=tmp_path)


def test_data_that_leaves_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    short = build(Path("short.txt"), np.array([1]), np.array([1, 2, 3]), np.array([0, 3]))
    with pytest.raises(DataError, match="no user has at least 4 items"):
        train(config(), short, listener=Silent(), directory=tmp_path)
