"""Steps as a CUDA graph: some hundred kernels started by one call, and the host free to plan the next batch.

A step of fixed shapes (`engine.training.fixed_step`) is recorded once and repeated with other numbers. Nothing is taken
on trust: before a graph is used, it repeats a step that was taken kernel by kernel, from the same weights and random
numbers, and has to come to the same losses, weights and moments and to leave the random generators where they would be;
and it has to be quicker. What was tried leaves no trace in the run. Where any of that fails, or a GPU or PyTorch will
not record, steps are taken as ever and the run's log says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config import ExperimentConfig
from engine.training.adam import Adam
from engine.training.fixed_step import FixedStep, Room, supports
from engine.training.seeding import Generators
from engine.training.stages import Stage

Step = Callable[[], Tensor]
"""Takes the step whose batch is in the buffer; returns its losses."""
Recorder = Callable[[Step], Step]
"""Turns a step into one that repeats the very same work on the device."""
Plain = Callable[[NDArray[np.int64]], Tensor]
"""Takes the step of those users as ever."""

_WARM_UP = 3
"""Steps that PyTorch asks for before it records: they make what is made once."""
_TURNS = 5
_CLOSE = 0.05
"""How far what is repeated may be from what was expected, as a share of the steps' change: atomic sums are noisy, and
weights whose gradient is nothing but noise move by it. A wrong mask or a missing kernel is off by its whole change."""


def cuda_graph(generator: torch.Generator) -> Recorder:
    """Recording as a CUDA graph; ``generator``, on the device, is one that the steps draw from, beside the default."""

    def record(step: Step) -> Step:
        ours = torch.cuda.current_stream()
        stream = torch.cuda.Stream()
        stream.wait_stream(ours)
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                step()
        ours.wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(generator)
        try:
            # A recording that fails leaves its own stream in force, and generators that still wait for its end.
            with torch.cuda.stream(ours), torch.cuda.graph(graph):
                losses = step()
        except RuntimeError:
            _let_go(generator, torch.cuda.default_generators[ours.device_index])
            raise

        def repeat() -> Tensor:
            graph.replay()
            return losses

        return repeat

    return record


def _let_go(*generators: torch.Generator) -> None:
    """Free generators of a recording that has failed. Whoever called sets them to where they stood."""
    for generator in generators:
        generator.graphsafe_set_state(torch.Generator(generator.device).graphsafe_get_state())


def begin(
    stage: Stage,
    config: ExperimentConfig,
    generators: Generators,
    plain: Plain,
    remark: Callable[[str], None],
) -> CapturedSteps | None:
    """The captured steps of a stage on a GPU; None where there are none to be had or none are wanted."""
    device = stage.optimiser.inner.parameters[0].device
    if device.type != "cuda" or config.train.capture == "never" or not supports(stage, config):
        return None
    if not isinstance(stage.optimiser.inner, Adam):  # its rate is a number of the host's
        return None
    return CapturedSteps(FixedStep(stage, config), generators, plain, remark, cuda_graph(generators.negatives))


class CapturedSteps:
    """The steps of a stage, recorded when the first batch comes and again when one does not fit."""

    def __init__(
        self,
        fixed: FixedStep,
        generators: Generators,
        plain: Plain,
        remark: Callable[[str], None],
        record: Recorder,
    ) -> None:
        """``plain`` takes smaller batches, and all if need be; ``remark`` is told in a sentence what is done."""
        self.fixed, self.optimiser = fixed, fixed.stage.optimiser
        self.room = Room(0, 0, (0,) * (fixed.length + 1))
        self.refused = ""
        """Why no step is captured any more."""
        self._generators, self._plain, self._remark, self._record = generators, plain, remark, record
        self._buffer = torch.empty(0, dtype=torch.int64)
        self._repeat: Step | None = None
        self._is_told = False
        assert isinstance(self.optimiser.inner, Adam)
        self.optimiser.inner.keep_rate_on_device()

    def step(self, chosen: NDArray[np.int64]) -> Tensor:
        """The step of the users ``chosen``: their losses, [objectives], on the device."""
        if self.refused or len(chosen) != self.fixed.size:
            return self._plain(chosen)
        packed = self._packed(chosen)
        if self._repeat is None:
            self._buffer = packed.to(self._device, copy=True)
            self._try(chosen)
        return self._take(packed)

    @property
    def _device(self) -> torch.device:
        return self.fixed.data.items.device

    def _packed(self, chosen: NDArray[np.int64]) -> Tensor:
        """The batch as the host plans it; what was recorded for less room, or other tables, is let go."""
        if not self.fixed.follow():
            self._repeat = None
        planned = self.fixed.plan(chosen)
        if not self.room.holds(planned.need):
            self._repeat, self.room = None, self.room.grown(planned.need)
        return self.fixed.pack(planned, self.room)

    def _take(self, packed: Tensor) -> Tensor:
        self._buffer.copy_(packed, non_blocking=True)
        self.optimiser.count()
        # Refused a moment ago: this batch's views are drawn already.
        return self._kernel_by_kernel() if self._repeat is None else self._repeat().clone()

    def _kernel_by_kernel(self) -> Tensor:
        return self.fixed.take(self._buffer, self.room)

    def _try(self, chosen: NDArray[np.int64]) -> None:
        """Record, prove and time; whatever happens, the run stands where it stood."""
        before = None
        try:
            before = _Standing(self.fixed, self._generators)
            self._repeat = self._record(self._kernel_by_kernel)
            self.refused = self._difference(before)
            if not self.refused and not self._is_told:
                self.refused = self._loss_of_time(chosen, before)
        except RuntimeError as error:  # out of memory is one of them
            self.refused = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        finally:
            if before is not None:
                before.restore()
        if self.refused:
            self._repeat = None
            self._remark(f"steps are not captured: {self.refused}")
        self._is_told = True

    def _difference(self, before: _Standing) -> str:
        """Where two repeated steps come to something else than two taken kernel by kernel; empty if they do not. Two,
        for one alone could draw the random numbers of its recording."""
        assert self._repeat is not None
        expected, wanted = self._two_steps(self._kernel_by_kernel, before)
        found, stands = self._two_steps(self._repeat, before)
        if not torch.allclose(found, expected, rtol=0.01, atol=1e-5):
            return f"repeated, steps have the losses {found.tolist()} instead of {expected.tolist()}."
        return wanted.difference(stands, before)

    def _two_steps(self, step: Step, before: _Standing) -> tuple[Tensor, _Standing]:
        """The losses of two steps in a row, [2, objectives], and where the run stands then."""
        before.restore()
        losses = torch.stack([step().clone() for _ in range(2)])
        return losses, _Standing(self.fixed, self._generators)

    def _loss_of_time(self, chosen: NDArray[np.int64], before: _Standing) -> str:
        """Why recorded steps are no gain; empty, and a remark, if they are one."""
        captured = self._seconds(lambda: self._take(self._packed(chosen)), before)
        plain = self._seconds(lambda: self._plain(chosen), before)
        told = f"{1000 * captured:.2f} ms each instead of {1000 * plain:.2f}"
        if captured >= plain:
            return f"they take {told}."
        self._remark(f"steps are captured: {told}.")
        return ""

    def _seconds(self, act: Callable[[], Tensor], before: _Standing) -> float:
        """Seconds of one of some steps in a row, from where the run stands."""
        before.restore()
        act()
        self._wait()
        began = time.perf_counter()
        for _ in range(_TURNS):
            act()
        self._wait()
        return (time.perf_counter() - began) / _TURNS

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


class _Standing:
    """Where a run stands between two steps: weights, moments, random generators."""

    def __init__(self, fixed: FixedStep, generators: Generators) -> None:
        self._optimiser, self._generators = fixed.stage.optimiser, generators
        inner = self._optimiser.inner
        assert isinstance(inner, Adam)
        self._weights, self._moments = inner.parameters, inner.moments
        self._kept = [[tensor.detach().clone() for tensor in kind] for kind in (self._weights, self._moments)]
        self._taken, self._random = self._optimiser.taken, generators.state()

    @torch.no_grad()
    def restore(self) -> None:
        """Stand there again."""
        for kind, kept in zip((self._weights, self._moments), self._kept, strict=True):
            for tensor, value in zip(kind, kept, strict=True):
                tensor.copy_(value)
        self._optimiser.taken = self._taken
        self._generators.restore(self._random)

    def difference(self, other: _Standing, before: _Standing) -> str:
        """In what ``other`` is not where this is, after the same steps from ``before``."""
        weights, moments = (
            list(zip(*each, strict=True)) for each in zip(self._kept, other._kept, before._kept, strict=True)
        )
        if not all(_is_close([three]) for three in moments):
            return "repeated, steps have other gradients."
        if not _is_close(weights):
            return "repeated, steps come to other weights."
        if not _is_same(self._random, other._random):
            return "repeated, steps leave the random generators elsewhere."
        return ""


def _is_close(threes: list[tuple[Tensor, Tensor, Tensor]]) -> bool:
    """Whether the changes of all (expected, found, before) together are alike."""
    apart = sum(float((found - expected).double().square().sum()) for expected, found, _ in threes)
    change = sum(float((expected - before).double().square().sum()) for expected, _, before in threes)
    return apart <= _CLOSE**2 * change


def _is_same(left: object, right: object) -> bool:
    """Whether two states of generators are one."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_same(left[key], right[key]) for key in left)
    return left == right
