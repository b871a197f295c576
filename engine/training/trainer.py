"""Multi-task training of CoSeRec: the paper's Algorithm 1, line by line; and of every other recommender.

SASRec is the same without views (λ = 0), CL4SRec the same with other operators. What a model is trained on, and by
which loss, it says itself (`engine.models.contract`); a run may be pre-trained first (`engine.training.stages`). A
model that does not train (PopRec) takes the same road and visits no epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config import STOPPING_METRIC, ExperimentConfig, makes_views, minutes_text, total_epochs
from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut, leave_one_out, training_rows
from engine.errors import RunError
from engine.evaluation.protocol import Evaluation, Which, evaluate
from engine.evaluation.scoring import ModelScorer
from engine.models.contract import Batch
from engine.records import EpochReport, TrainingResult
from engine.similarity.source import Correlations
from engine.similarity.table import NeighbourTable
from engine.training import captured, checkpoint, setup, stages
from engine.training.budget import Budget
from engine.training.device import describe, memory_guard, resolve
from engine.training.early_stopping import EarlyStopping
from engine.training.listening import Listener
from engine.training.objectives import encode, joint
from engine.training.seeding import Generators

_SECONDS_BETWEEN_STEPS_TOLD = 1.0


@dataclass(eq=False)
class EpochState:
    """An epoch that has begun: what it goes by, and what has been done of it.

    ``order`` int64 [E] are its examples (users, of most models); ``table`` float [I + 2, d] the item embeddings at its
    start, None where no correlation follows them (FACTS F16); ``totals`` [objectives] sums the losses of its first
    ``step`` batches, which took ``seconds``, correlations included.
    """

    order: NDArray[np.int64]
    table: Tensor | None
    totals: Tensor
    step: int = 0
    seconds: float = 0.0


class Trainer:
    """One training run on one data set."""

    def __init__(self, config: ExperimentConfig, dataset: Dataset, *, listener: Listener, directory: Path) -> None:
        self.config = config
        self.dataset = dataset
        self.listener = listener
        self.directory = directory
        self.split = leave_one_out(dataset)
        self.device = resolve(config.train.device)
        self.generators = Generators(config.train.seed, self.device)
        self.stopping = EarlyStopping(config.train.patience)
        self.budget = Budget(config.train.max_minutes)
        self.reports: list[EpochReport] = []
        self.current: EpochState | None = None
        self.best_weights: dict[str, Tensor] | None = None
        self.hybrid_started = False
        self.stopped = False
        self.cut_at = 0
        """Steps that the last epoch had when the time was spent; 0: it is whole."""
        self._saved = 0.0
        self._is_dirty = False

    def run(self, *, resume: bool = False) -> TrainingResult:
        """Train, or go on training, and test. Raises as `engine.training.train` says."""
        with memory_guard(self.config, self.device):
            self.model = setup.model(self.config, self.dataset, self.split, self.generators.initial).to(self.device)
            if setup.trains(self.config):
                self.budget.begin()
                self._prepare()
                if resume:
                    self._resume()
                self._train()
                self.budget.end()
                self._refuse_untuned()
            return self._result()

    def _prepare(self) -> None:
        """Everything that no parameter update changes, made once."""
        train = self.config.train
        self.rows = training_rows(
            len(self.split.users), self.config.data.train_fraction, self.config.fidelity.train_subset, train.seed
        )
        self.correlations = None
        if makes_views(self.config):
            self.listener.phase("correlations")
            self.correlations = self._correlations()
        self._enter(stages.plan_at(self.config, 0))
        self.validated = self.split.sample(self.config.evaluate.validation_users)
        rows = self.split.sampled_rows(self.config.evaluate.validation_users)
        self.scorers = {"valid": self._scorer("valid", self.validated, rows)}

    def _enter(self, plan: stages.Plan) -> None:
        """Begin a stage: other examples and tasks, and a fresh optimiser, on the same weights."""
        given = self.config, self.dataset, self.split, self.model, self.generators, self.rows, self.device
        of_everybody = sum(map(self._is_of_everybody, range(plan.first, plan.end)))
        stage = self.stage = stages.begin(plan, *given, of_everybody)
        self.data, self.objectives, self.contrastive = stage.data, stage.objectives, stage.contrastive
        self.steps, self.optimiser = stage.steps, stage.optimiser
        self.captured = captured.begin(stage, self.config, self.generators, self._plain_step, self.listener.remark)

    def _correlations(self) -> Correlations | None:
        return setup.correlations_or_none(self.config, self.split, self.dataset)

    def _train(self) -> None:
        """Algorithm 1: epochs until B, or until validation has not improved for long (FACTS F5), or the time is spent.

        A time that is spent inside an epoch ends the epoch there: what it has learned is validated like any other's.
        The checkpoint stays before that, so that a longer time would go on as if the epoch had never been cut.
        """
        if not self.reports:
            self._write_checkpoint()
        self._saved = time.monotonic()
        for epoch in range(len(self.reports), total_epochs(self.config)):  # line 1
            if self.stopping.is_over or self.stopped or self._has_no_time():
                break
            if epoch >= self.stage.plan.end:
                self._enter(stages.plan_at(self.config, epoch))
            current = self.current = self.current or self._begin_epoch(epoch)
            began = time.perf_counter()
            correlation = self._select_correlation(epoch, current)
            current.seconds += time.perf_counter() - began
            losses = self._run_epoch(epoch, current)
            self._write_checkpoint_if(bool(self.cut_at))
            began = time.perf_counter()
            found = None if self.stopped else self._validate()
            if found is None or (self._validates and not found.metrics):
                self._write_checkpoint()  # stopped half-way: Resume goes on with the very next step
                break
            self._finish_epoch(epoch, correlation, losses, found, current.seconds, time.perf_counter() - began)
            if self.cut_at:
                return
        self._write_checkpoint_if(self._is_dirty)

    def _has_no_time(self) -> bool:
        """Whether the time is spent between two epochs. A run takes one step at least, to have weights to test."""
        return self.budget.is_spent and bool(self.reports) and self.current is None

    def _refuse_untuned(self) -> None:
        """Weights that were only pre-trained are no result. Raises ``RunError`` where no time was left for more."""
        if (
            self.config.train.pretrain_epochs
            and self.best_weights is None
            and self.budget.is_spent
            and not self.stopped
        ):
            raise RunError(
                f"All of its time, {minutes_text(self.config.train.max_minutes)}, went into pre-training: nothing was "
                "fine-tuned, so there is nothing to test.",
                "Raise train.max_minutes, or lower train.pretrain_epochs.",
            )

    def _begin_epoch(self, epoch: int) -> EpochState:
        """The order of this epoch's users, and the embeddings that its correlations follow."""
        source = None if self.contrastive is None else self.correlations
        follows = source is not None and source.name_at(epoch) != "memory"
        table = self.model.item_embedding.weight.detach().clone() if follows else None
        order = self.generators.order.permutation(self.data.of_users(self._rows_of(epoch)))
        return EpochState(order, table, torch.zeros(len(self.objectives), device=self.device))

    def _select_correlation(self, epoch: int, current: EpochState) -> str:
        """Item correlation of this epoch: memory-based first, hybrid after E (Algorithm 1, lines 2–5; §4.1.3)."""
        if self.contrastive is None:
            return "none"
        if self.correlations is None:
            self.contrastive.neighbours = NeighbourTable.empty(self.dataset.rows, self.device)
            return "none"
        self.listener.phase("correlations")
        table = self.model.item_embedding.weight.detach() if current.table is None else current.table
        self.contrastive.neighbours = self.correlations.at_epoch(epoch, table)
        name = self.correlations.name_at(epoch)
        if name == "hybrid" and not self.hybrid_started:
            self.hybrid_started = True
            self.listener.hybrid_began(epoch)
        return name

    def _run_epoch(self, epoch: int, current: EpochState) -> dict[str, float]:
        """Lines 6–16 for one pass over the users, or for what is left of it; mean losses over its batches."""
        self.listener.phase(self.stage.plan.name)
        self.model.train()
        size = self.config.train.batch_size
        steps = -(-len(current.order) // size)
        told = time.monotonic()
        began = time.perf_counter() - current.seconds
        for step in range(current.step, steps):  # line 6
            if self.listener.should_stop():
                self.stopped = True
                break
            if step and self.budget.is_spent:
                self.cut_at = step
                break
            current.totals += self._take(current.order[step * size : (step + 1) * size])
            current.step, current.seconds = step + 1, time.perf_counter() - began
            if time.monotonic() - told >= _SECONDS_BETWEEN_STEPS_TOLD:
                told = time.monotonic()
                self.listener.step(epoch, step + 1, steps, self._named(current.totals / (step + 1)))
                self._write_checkpoint_if(self._is_long_ago())
        return self._named(current.totals / max(current.step, 1))

    def _take(self, chosen: NDArray[np.int64]) -> Tensor:
        """The step of the examples ``chosen``, in whatever way is quickest here."""
        return self._plain_step(chosen) if self.captured is None else self.captured.step(chosen)

    def _plain_step(self, chosen: NDArray[np.int64]) -> Tensor:
        return self._step(self.data.batch(chosen))

    def _step(self, batch: Batch) -> Tensor:
        """One batch: views, representations, losses, update. Returns the losses, [objectives], on the device."""
        wishes = [(objective.sequences(batch), objective.is_padded) for objective in self.objectives]  # lines 7–12
        encoded = encode(self.stage.encoder, wishes)  # lines 13, 14
        losses = [objective.loss(batch, states) for objective, states in zip(self.objectives, encoded, strict=True)]
        self.optimiser.zero_grad()
        joint(self.objectives, losses).backward()  # type: ignore[no-untyped-call]  # line 15
        self.optimiser.step()  # line 16
        return torch.stack([loss.detach() for loss in losses])

    def _rows_of(self, epoch: int) -> NDArray[np.int64]:
        """Users of this epoch (FACTS F18): the share, or everybody again once the hybrid has taken over."""
        return np.arange(len(self.split.users), dtype=np.int64) if self._is_of_everybody(epoch) else self.rows

    def _is_of_everybody(self, epoch: int) -> bool:
        is_hybrid = self.correlations is not None and self.correlations.name_at(epoch) == "hybrid"
        return is_hybrid and self.config.fidelity.train_subset_after_switch == "whole"

    def _named(self, losses: Tensor) -> dict[str, float]:
        values = losses.tolist()
        named = {task.name: value for task, value in zip(self.objectives, values, strict=True)}
        total = sum(task.weight * value for task, value in zip(self.objectives, values, strict=True))
        return named | {"total": total}

    @property
    def _validates(self) -> bool:
        """Whether epochs are validated: not in pre-training, which knows no next items yet."""
        return not self.stage.plan.is_pretraining

    def _validate(self) -> Evaluation:
        """Validation of an epoch, where it is validated."""
        if not self._validates:
            return Evaluation({}, np.empty(0), {})
        self.listener.phase("validating")
        return self._evaluate("valid", self.validated, self._asks_to_stop)

    def _scorer(self, which: Which, split: LeaveOneOut, rows: NDArray[np.int64] | None = None) -> ModelScorer:
        return setup.scorer(self.config, self.dataset, split, which, self.model, self.device, rows)

    def _evaluate(
        self, which: Which, split: LeaveOneOut, should_stop: Callable[[], bool] = lambda: False
    ) -> Evaluation:
        config = self.config
        items = self.dataset.item_count
        return evaluate(
            self.scorers[which], split, which, items, config.evaluate, config.fidelity, should_stop=should_stop
        )

    def _asks_to_stop(self) -> bool:
        self.stopped = self.stopped or self.listener.should_stop()
        return self.stopped

    def _finish_epoch(
        self,
        epoch: int,
        correlation: str,
        losses: dict[str, float],
        found: Evaluation,
        train_seconds: float,
        validate_seconds: float,
    ) -> None:
        """Early stopping, checkpoint, report."""
        if not np.isfinite(list(losses.values())).all():
            raise RunError(
                f"The loss of epoch {epoch + 1} is not a number: training has diverged.",
                "Lower train.learning_rate or loss.contrastive_weight and start again.",
            )
        is_best = bool(found.metrics) and self.stopping.update(epoch, found.metrics[STOPPING_METRIC])
        seconds = train_seconds, validate_seconds if found.metrics else 0.0
        report = EpochReport(epoch, *seconds, losses, found.metrics, correlation, is_best, self.stage.plan.name)
        self.reports.append(report)
        if is_best:
            self.best_weights = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.current, self._is_dirty = None, True
        is_due = len(self.reports) % self.config.train.checkpoint_epochs == 0
        self._write_checkpoint_if(not self.cut_at and (is_due or self._is_long_ago()))
        if is_best:
            self._write_best(epoch)
        self.listener.epoch(report)

    def _is_long_ago(self) -> bool:
        return time.monotonic() - self._saved >= 60 * self.config.train.checkpoint_minutes

    def _write_checkpoint_if(self, is_due: bool) -> None:
        if is_due:
            self._write_checkpoint()

    def _write_checkpoint(self) -> None:
        """All that the next step depends on, and all that has been reported."""
        self._saved, self._is_dirty = time.monotonic(), False
        checkpoint.write(
            self.directory / checkpoint.CHECKPOINT,
            {
                "config": self.config.model_dump_json(),
                "fingerprint": self.dataset.fingerprint,
                "epochs": [setup.plain(report) for report in self.reports],
                "model": self.model.state_dict(),
                "best": self.best_weights,
                "stage": self.stage.plan.name,
                "optimiser": self.optimiser.state_dict(),
                "generators": self.generators.state(),
                "stopping": self.stopping.state(),
                "hybrid_started": self.hybrid_started,
                "spent": self.budget.spent,
                "current": None if self.current is None else setup.state_of(self.current),
            },
        )

    def _write_best(self, epoch: int) -> None:
        checkpoint.write(
            self.directory / checkpoint.BEST,
            {
                "config": self.config.model_dump_json(),
                "fingerprint": self.dataset.fingerprint,
                "epoch": epoch,
                "model": self.best_weights,
            },
        )

    def _resume(self) -> None:
        """Continue from the checkpoint in the run's folder, if there is one."""
        path = self.directory / checkpoint.CHECKPOINT
        if not path.exists():
            return
        saved = checkpoint.read(path)
        setup.refuse_another_run(saved, self.config, self.dataset, path)
        self.model.load_state_dict(saved["model"])
        plan = stages.plan_at(self.config, len(saved["epochs"]))
        self._enter(plan)
        if saved.get("stage", plan.name) == plan.name:  # else the next epoch is another stage's first
            self.optimiser.load_state_dict(saved["optimiser"])
        self.generators.restore(saved["generators"])
        self.stopping.restore(saved["stopping"])
        self.reports = [EpochReport(**report) for report in saved["epochs"]]
        self.hybrid_started = saved["hybrid_started"]
        self.budget.restore(saved.get("spent", sum(r.train_seconds + r.validate_seconds for r in self.reports)))
        current = saved.get("current")  # files of version 1 stand between two epochs
        self.current = None if current is None else EpochState(**setup.restored(current, self.device))
        if saved["best"] is not None:
            self.best_weights = {name: value.to(self.device) for name, value in saved["best"].items()}
        self.listener.resumed(tuple(self.reports))

    def _result(self) -> TrainingResult:
        """Test the best epoch's weights (FACTS F5), if there is an epoch or nothing to train."""
        trains = setup.trains(self.config)
        metrics: dict[str, dict[str, float]] = {}
        ranks: dict[str, NDArray[np.float64]] = {}
        if not trains or self.best_weights is not None:
            self.listener.phase("testing")
            if self.best_weights is not None:
                self.model.load_state_dict(self.best_weights)
            whiches: Sequence[Which] = ("valid", "test")
            self.scorers = {which: self._scorer(which, self.split) for which in whiches}
            for which in whiches:
                found = self._evaluate(which, self.split)
                metrics[which], ranks[which] = found.metrics, found.ranks
        path = self.directory / checkpoint.CHECKPOINT
        has_ended_early = trains and self.stopping.is_over and not self.stopped and not self.cut_at
        is_unfinished = bool(self.cut_at) or len(self.reports) < total_epochs(self.config)
        return TrainingResult(
            epochs=tuple(self.reports),
            best_epoch=self.stopping.best_epoch,
            metrics=metrics,
            ranks=ranks,
            users=self.split.users,
            stopped=self.stopped,
            stopped_early=has_ended_early,
            hybrid_started=self.hybrid_started if setup.asks_for_hybrid(self.config) else None,
            device=describe(self.device),
            checkpoint=path if path.exists() else None,
            out_of_time=trains and is_unfinished and not self.stopped and not has_ended_early,
            cut_at=self.cut_at,
            seconds=self.budget.spent if trains else 0.0,
        )
