"""What a run will cost, told before it starts: a rehearsal of it on the device it would use.

A few real training steps, some users ranked, model-based neighbours of some items, memory-based ones of some users:
each is timed and multiplied by how much of it there is. Nothing is written, and nothing that takes long is done: a
million users are rehearsed as quickly as a thousand, once their file is read.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from engine import registry
from engine.config import ExperimentConfig, has_views_at, total_epochs
from engine.data.dataset import Dataset
from engine.data.sequences import Sequences
from engine.evaluation.scoring import users_at_once
from engine.records import CostEstimate
from engine.similarity.embedding.products import SCORES_AT_ONCE, embedding_neighbours
from engine.similarity.hybrid.similarity import first_hybrid_epoch
from engine.similarity.item_cf.counting import item_cf
from engine.similarity.table import NeighbourTable
from engine.training import setup, stages
from engine.training.device import describe, memory_guard
from engine.training.listening import Silent
from engine.training.trainer import Trainer

_WARM_UP, _STEPS = 2, 5
_SECONDS = 3.0
"""Steps and blocks are repeated for no longer than this."""
_RANKED = 2**27
"""Scores that are ranked, and so with many items fewer users."""
_ITEMS = 4096
_PAIRS = 1_000_000
_NUMBERS_KEPT = 6
"""Copies of the parameters: weights, gradients, two moments, the best epoch's, and the table at an epoch's start."""


def rehearse(config: ExperimentConfig, dataset: Dataset) -> CostEstimate:
    """Time the parts of a run with ``config`` on ``dataset``.

    Raises ``DataError`` (nothing to train on), ``ConfigurationError`` (no such device), and ``OutOfMemoryError`` where
    even a batch does not fit.
    """
    trainer = _Rehearsal(config, dataset, listener=Silent(), directory=Path())
    with memory_guard(config, trainer.device):
        return trainer.rehearse()


class _Rehearsal(Trainer):
    """A trainer that takes a few steps with made-up neighbours and writes nothing."""

    kept = 0
    """Bytes that a step keeps for its backward pass, and the gradients of what it multiplies; of the larger stage."""

    def _correlations(self) -> None:
        """None: counting them is timed apart."""

    def rehearse(self) -> CostEstimate:
        trains = setup.trains(self.config)
        self.model = setup.model(self.config, self.dataset, self.split, self.generators.initial).to(self.device)
        costs = []
        if trains:
            self._prepare()
            costs = [self._stage_cost(plan) for plan in stages.plans(self.config)]
        before, (train, steps) = costs[:-1], costs[-1] if trains else (0.0, 0)
        asks = trains and setup.uses_neighbours(self.config)
        similarity = registry.entry("similarity", self.config.similarity.name).facts
        validated = len(self.validated.users) if trains else 0
        user = self._user_seconds()
        epochs = self.config.train.epochs if trains else 0
        return CostEstimate(
            device=describe(self.device),
            users=len(self.rows) if trains else 0,
            steps=steps,
            train_seconds=train,
            validate_seconds=user * validated,
            neighbours_seconds=self._table_seconds() if asks and similarity["uses_model"] else 0.0,
            count_seconds=self._count_seconds() if asks and similarity["uses_memory"] else 0.0,
            test_seconds=2 * user * len(self.split.users),
            memory=self._memory(asks),
            epochs=epochs,
            model_epochs=self._model_epochs() if asks and similarity["uses_model"] else 0,
            pretrain_epochs=self.config.train.pretrain_epochs if before else 0,
            pretrain_steps=before[0][1] if before else 0,
            pretrain_seconds=before[0][0] if before else 0.0,
            limit_seconds=60 * self.config.train.max_minutes,
        )

    def _stage_cost(self, plan: stages.Plan) -> tuple[float, int]:
        """Seconds and batches of one of its epochs."""
        if plan != self.stage.plan:
            self._enter(plan)
        return self._step_seconds() * self.steps, self.steps

    def _model_epochs(self) -> int:
        """Epochs whose correlations follow the embeddings: all with views, or those of them after E (FACTS F16)."""
        first = first_hybrid_epoch(self.config) if setup.asks_for_hybrid(self.config) else 0
        return sum(has_views_at(self.config, epoch) for epoch in range(first, total_epochs(self.config)))

    def _step_seconds(self) -> float:
        """Median of a few steps, after others that pay for what is made once."""
        if self.contrastive is not None:
            self.contrastive.neighbours = self._made_up_neighbours()
        self.model.train()
        order = self.generators.order.permutation(self.data.of_users(self.rows))
        size = self.config.train.batch_size
        batches = [order[begin : begin + size] for begin in range(0, len(order), size)]
        before, self.kept = self.kept, 0
        with saved_tensors_hooks(self._note_kept, lambda tensor: tensor):
            self._plain_step(batches[0])
        self.kept = max(self.kept, before)
        return self._timed(lambda turn: self._take(batches[turn % len(batches)]))

    def _note_kept(self, tensor: Tensor) -> Tensor:
        self.kept += tensor.numel() * tensor.element_size()
        return tensor

    def _made_up_neighbours(self) -> NeighbourTable:
        """Neighbours for every item, so that every operator has its work to do."""
        rows = self.dataset.rows
        k = self.config.similarity.top_k
        ids = torch.randint(1, rows - 1, (rows, k), dtype=torch.int64)
        return NeighbourTable.of(ids, torch.rand(rows, k)).to(self.device)

    def _user_seconds(self) -> float:
        """Seconds a user's ranking takes, of some users ranked together."""
        together = max(1, min(self.config.evaluate.batch_size, _RANKED // self.dataset.rows))
        count = min(together, len(self.split.users))
        some = self.split.sample(count)
        self.scorers = {"valid": self._scorer("valid", some, self.split.sampled_rows(count))}
        return self._timed(lambda _: self._evaluate("valid", some)) / max(len(some.users), 1)

    def _table_seconds(self) -> float:
        """Model-based neighbours of every item: its cost is that of the items' products, so some items tell it."""
        table = self.model.item_embedding.weight.detach()
        some = table[: min(len(table), _ITEMS)]
        seconds = self._timed(lambda _: embedding_neighbours(some, min(self.config.similarity.top_k, len(some))))
        return seconds * (len(table) / len(some)) ** 2

    def _count_seconds(self) -> float:
        """Memory-based neighbours of every item: their cost is that of the pairs of items that share a user."""
        sequences = self.split.correlation_sequences(self.config.fidelity.correlation_items)
        pairs = np.cumsum(sequences.lengths.astype(np.float64) ** 2)
        some = int(np.searchsorted(pairs, _PAIRS)) + 1
        if some >= len(pairs):
            return self._timed(lambda _: self._count(sequences), warm_up=0, steps=1)
        rows = np.sort(np.random.default_rng(0).permutation(len(pairs))[:some])
        chosen = sequences.take(rows)
        share = float((chosen.lengths.astype(np.float64) ** 2).sum() / pairs[-1])
        return self._timed(lambda _: self._count(chosen), warm_up=0, steps=1) / max(share, 1e-9)

    def _count(self, sequences: Sequences) -> object:
        return item_cf(sequences, self.dataset.item_count, self.config.similarity.top_k)

    def _memory(self, asks: bool) -> int:
        """Parameters and what belongs to them, neighbours, sequences, and the larger of a step and a ranking block."""
        parameters = getattr(self.model, "parameters", list)
        numbers = sum(parameter.numel() * parameter.element_size() for parameter in parameters())
        neighbours = self.dataset.rows * self.config.similarity.top_k * (8 + 4 + 3 * 4) if asks else 0
        sequences = len(self.dataset.sequences.items) * (4 + 3 * 8)
        rows = self.dataset.rows
        together = min(self.config.evaluate.batch_size, len(self.split.users))
        ranking = min(together, users_at_once(together, rows, self.device)) * rows * 4
        products = min(self.dataset.rows**2, SCORES_AT_ONCE) * 4 if asks else 0
        return _NUMBERS_KEPT * numbers + neighbours + sequences + max(2 * self.kept, ranking, products)

    def _timed(self, act: Callable[[int], object], warm_up: int = _WARM_UP, steps: int = _STEPS) -> float:
        """Median seconds of ``act``."""
        times: list[float] = []
        began = time.perf_counter()
        for turn in range(warm_up + steps):
            before = self._now()
            act(turn)
            if turn >= warm_up:
                times.append(self._now() - before)
            if times and time.perf_counter() - began > _SECONDS:
                break
        return statistics.median(times)

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
