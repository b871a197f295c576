"""Steps as a CUDA graph: some hundred kernels started by one call, and the host free to plan the next batch.

A step of fixed shapes (`engine.training.fixed_step`) is recorded once and repeated with other numbers. Nothing is taken
on trust: before a graph is used, it repeats two steps that were taken kernel by kernel, the second of other users and
at another learning rate, from the same weights and random numbers; it has to come to the same losses, weights and
moments and to leave the random generators where they would be; and it has to be quicker. What was tried leaves no trace
in the run. Where any of that fails, or a GPU or PyTorch will not record, steps are taken as if nothing had been tried,
and the run's log says why. A recording that failed may keep its memory: PyTorch gives it back since 2026 only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config import ExperimentConfig
from engine.training.adam import Adam
from engine.training.fixed_step import FixedStep, Planned, Room, supports
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
_NOISE = 1e-6
"""A tensor that changes by less than this share of all of its kind may change by nothing but noise."""


@dataclass(frozen=True)
class _Close:
    """How far what is repeated may be from what was expected, as a share of the losses and of the steps' changes.

    Sums by many threads at once are noisy, and Adam makes a whole step of a gradient that is nothing but noise. With
    made noise of the size of rounding, moments differed by 0.00005 of their change in float32 and 0.07 in bfloat16,
    weights by 0.03 and 0.1; a rate that stays what it was makes 0.3.
    """

    losses: float
    moments: float
    weights: float


_FLOAT32, _BFLOAT16 = _Close(0.001, 0.01, 0.1), _Close(0.01, 0.2, 0.2)


def cuda_graph(generator: torch.Generator) -> Recorder:
    """Recording as a CUDA graph; ``generator``, on the device, is one that the steps draw from, beside the default."""
    stream = torch.cuda.Stream()  # one for all recordings of a stage: each stream keeps a workspace for products

    def record(step: Step) -> Step:
        ours = torch.cuda.current_stream()
        stream.wait_stream(ours)
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                step()
        ours.wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(generator)
        try:
            # A recording that fails leaves its own stream in force, and generators that still wait for its end.
            with torch.cuda.stream(ours), torch.cuda.graph(graph, stream=stream):
                losses = step()
        except Exception:
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
        drawn = self._generators.views.get_state()
        packed = self._prepared(chosen)
        if packed is None:
            self._generators.views.set_state(drawn)  # as if nothing had been tried
            return self._plain(chosen)
        return self._take(packed)

    def _prepared(self, chosen: NDArray[np.int64]) -> Tensor | None:
        """The batch as the host plans it, and a recording that it fits into; None where there is none to be had."""
        try:
            if not self.fixed.follow():
                self._repeat = None
            planned = self.fixed.plan(chosen)
            if self._repeat is None or not self.room.holds(planned.need):
                self._repeat = None
                self.refused = self._try(chosen, planned)
            if not self.refused:
                return self.fixed.pack(planned, self.room)
        except Exception as error:  # whatever it is, steps can be taken as ever
            self.refused = _reason(error)
        self._repeat, self._buffer = None, torch.empty(0, dtype=torch.int64)
        self.fixed.forget()
        self.optimiser.inner.lr = self.optimiser.rate(self.optimiser.taken)  # the host's again
        self._remark(f"steps are {'no longer' if self._is_told else 'not'} captured: {self.refused}")
        return None

    def _take(self, packed: Tensor) -> Tensor:
        assert self._repeat is not None
        self._buffer.copy_(packed, non_blocking=True)
        self.optimiser.count()
        return self._repeat().clone()

    def _try(self, chosen: NDArray[np.int64], planned: Planned) -> str:
        """Record, prove and time; whatever happens, the run stands where it stood. Returns why steps are not to be
        captured, or an empty text."""
        before = _Standing(self.fixed, self._generators)
        try:
            other = self.fixed.plan(chosen[np.arange(len(chosen)) // 2])  # half of the users, each twice
            self.room = self.room.grown(planned.need).grown(other.need)
            first, second = (self.fixed.pack(batch, self.room) for batch in (planned, other))
            self._buffer = first.to(self.fixed.data.items.device, copy=True)
            self._repeat = self._record(self._kernel_by_kernel)
            found = self._difference(first, second, before)
            if not found and not self._is_told:
                found = self._loss_of_time(chosen, planned, before)
                self._is_told = not found
            return found
        finally:
            before.restore()

    def _kernel_by_kernel(self) -> Tensor:
        return self.fixed.take(self._buffer, self.room)

    def _difference(self, first: Tensor, second: Tensor, before: _Standing) -> str:
        """Where recorded steps come to something else than steps taken kernel by kernel; empty if they do not.

        Two of them, of other users and rates: one alone could have the numbers of its recording in it.
        """
        assert self._repeat is not None
        close = _BFLOAT16 if self.fixed.is_reduced else _FLOAT32
        expected, wanted = self._two_steps(self._kernel_by_kernel, first, second, before)
        found, stands = self._two_steps(self._repeat, first, second, before)
        if not torch.allclose(found, expected, rtol=close.losses, atol=1e-5):
            return f"repeated, steps have the losses {found.tolist()} instead of {expected.tolist()}."
        return wanted.difference(stands, before, close)

    def _two_steps(self, step: Step, first: Tensor, second: Tensor, before: _Standing) -> tuple[Tensor, _Standing]:
        """The losses of both batches' steps, [2, objectives], the second at half the rate, and where the run stands
        then."""
        before.restore()
        rate, losses = self.optimiser.rate(self.optimiser.taken), []
        for packed, share in ((first, 1.0), (second, 0.5)):
            self._buffer.copy_(packed)
            self.optimiser.inner.set_rate(share * rate)
            losses.append(step().clone())
        return torch.stack(losses), _Standing(self.fixed, self._generators)

    def _loss_of_time(self, chosen: NDArray[np.int64], planned: Planned, before: _Standing) -> str:
        """Why recorded steps are no gain; empty, and a remark, if they are one."""

        def captured() -> Tensor:
            self.fixed.plan(chosen)  # its views may need more room: they are drawn for their time
            return self._take(self.fixed.pack(planned, self.room))

        ours, theirs = self._seconds(captured, before), self._seconds(lambda: self._plain(chosen), before)
        told = f"{1000 * ours:.2f} ms each instead of {1000 * theirs:.2f}"
        if ours >= theirs:
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
        if self._buffer.is_cuda:
            torch.cuda.synchronize(self._buffer.device)


def _reason(error: BaseException) -> str:
    """What an error says, in a line; of errors that came of one another, the first one. The end of a recording fails
    because of what failed inside it."""
    while error.__context__ is not None:
        error = error.__context__
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class _Standing:
    """Where a run stands between two steps: weights, moments, random generators."""

    def __init__(self, fixed: FixedStep, generators: Generators) -> None:
        self._optimiser, self._generators = fixed.stage.optimiser, generators
        inner = self._optimiser.inner
        assert isinstance(inner, Adam)
        self._kinds = (inner.parameters, *inner.moments)
        self._kept = [[tensor.detach().clone() for tensor in kind] for kind in self._kinds]
        self._taken, self._random = self._optimiser.taken, generators.state()

    @torch.no_grad()
    def restore(self) -> None:
        """Stand there again."""
        for kind, kept in zip(self._kinds, self._kept, strict=True):
            for tensor, value in zip(kind, kept, strict=True):
                tensor.copy_(value)
        self._optimiser.taken = self._taken
        self._generators.restore(self._random)

    def difference(self, other: _Standing, before: _Standing, close: _Close) -> str:
        """In what ``other`` is not where this is, after the same steps from ``before``."""
        weights, *moments = (
            [_Change.of(*three) for three in zip(*kinds, strict=True)]
            for kinds in zip(self._kept, other._kept, before._kept, strict=True)
        )
        for kind in moments:
            noise = _NOISE**2 * sum(change.wanted for change in kind)
            if not all(change.is_within(close.moments) or change.wanted <= noise for change in kind):
                return "repeated, steps have other gradients."
        together = _Change(sum(one.wanted for one in weights), sum(one.apart for one in weights))
        if not together.is_within(close.weights):
            return "repeated, steps come to other weights."
        if not _is_same(self._random, other._random):
            return "repeated, steps leave the random generators elsewhere."
        return ""


@dataclass(frozen=True)
class _Change:
    """Squared lengths of what should have changed, and of how far what did is from it."""

    wanted: float
    apart: float

    @classmethod
    def of(cls, expected: Tensor, found: Tensor, before: Tensor) -> _Change:
        lengths = (
            float((one - other).double().square().sum()) for one, other in ((expected, before), (expected, found))
        )
        return cls(*lengths)

    def is_within(self, share: float) -> bool:
        return self.apart <= share**2 * self.wanted


def _is_same(left: object, right: object) -> bool:
    """Whether two states of generators are one."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_same(left[key], right[key]) for key in left)
    return left == right
