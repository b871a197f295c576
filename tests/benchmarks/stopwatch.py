"""Where a training step's time goes: a trainer whose parts are timed, with their work counted.

The parts are the trainer's own; only clocks are put around them. On an accelerator every clock waits for the device, so
the parts are true and their sum is more than an unwatched epoch takes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch

from engine.training.stages import Plan
from engine.training.trainer import EpochState, Trainer


class WatchedTrainer(Trainer):
    """``seconds`` by part, one entry an epoch, and ``operations``: an encoder's float operations, all epochs of a run's
    last stage."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.seconds: list[dict[str, float]] = []
        self.operations = 0

    def _enter(self, plan: Plan) -> None:
        super()._enter(plan)
        self.captured = None  # clocks wait for the device, and a recording must not
        self.operations = 0
        for objective in self.objectives:
            self._watch(objective, "sequences", "augment")
        self._watch(self.optimiser, "step", "optimiser")

    def _prepare(self) -> None:
        super()._prepare()
        encode = self.model.encode_slots

        def counted(items: Any, layout: Any, *slots: Any) -> Any:
            self.operations += 0 if slots else operations_of(layout, self.config.model)  # not those of validation
            return encode(items, layout, *slots)

        self.model.encode_slots = counted

    def _run_epoch(self, epoch: int, current: EpochState) -> dict[str, float]:
        self.seconds.append(defaultdict(float))
        backward = torch.Tensor.backward

        def timed(tensor: torch.Tensor, *arguments: Any) -> None:
            with self._clock("backward"):
                backward(tensor, *arguments)  # type: ignore[no-untyped-call]

        with mock.patch.object(torch.Tensor, "backward", timed), self._clock("steps"):
            return super()._run_epoch(epoch, current)

    def _watch(self, owner: Any, method: str, part: str) -> None:
        inner: Callable[..., Any] = getattr(owner, method)

        def timed(*arguments: Any, **options: Any) -> Any:
            with self._clock(part):
                return inner(*arguments, **options)

        setattr(owner, method, timed)

    @contextmanager
    def _clock(self, part: str) -> Iterator[None]:
        began = self._now()
        yield
        self.seconds[-1][part] += self._now() - began

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def operations_of(layout: Any, options: Any) -> int:
    """Float operations of the encoder's products over a layout, forward and backward, what is only recomputed left out.

    A slot and layer: 2 · d · 4d for query, key, value and output, 2 · 2 · d · f·d for the feed-forward layer. A group
    of n sequences of L slots: two products of 2 · n · L² · d. The backward pass takes twice the forward pass.
    """
    size = options.hidden_size
    rows = layout.slots * 2 * size * size * (4 + 2 * options.feed_forward)
    pairs = sum(4 * group.count * group.length**2 * size for group in layout.groups)
    return 3 * options.layers * (rows + pairs)


def product_rate(device: torch.device, size: int = 64, width: int = 256, rows: int = 4096) -> float:
    """Float operations a second of this model's widest product, the best of many runs."""
    x, weight = torch.randn(rows, size, device=device), torch.randn(size, width, device=device)
    out = torch.empty(rows, width, device=device)
    best = float("inf")
    for _ in range(50):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        began = time.perf_counter()
        torch.mm(x, weight, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 2 * rows * size * width / best
