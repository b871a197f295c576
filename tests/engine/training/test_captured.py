"""Captured steps: what is recorded is proved, used where it is quicker, and leaves no trace where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.modules.ways import as_elsewhere
from engine.training import captured, fixed_step, train
from engine.training.captured import CapturedSteps
from engine.training.fixed_step import FixedStep
from engine.training.listening import Silent
from engine.training.trainer import Trainer
from tests.engine.training.small import Notes, config
from tests.engine.training.steps import DATA, KINDS, batches, started
from tests.helpers.tape import Tape, Taped


class OnTape(CapturedSteps):
    """Captured steps whose gain is taken for granted."""

    def _loss_of_time(self, chosen: NDArray[np.int64], planned: Any, before: Any) -> str:  # noqa: ARG002
        return ""


def on_tape(trainer: Trainer, record: Any = Taped) -> OnTape:
    fixed = FixedStep(trainer.stage, trainer.config)
    notes = trainer.listener = Notes()
    return OnTape(fixed, trainer.generators, trainer._plain_step, notes.remark, record)


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_once_a_step_is_right_for_every_batch(kind: str) -> None:
    """The recording knows nothing of later batches but their numbers; dropout and negatives are drawn anew."""
    settings = config(**KINDS[kind], train__batch_size=24)
    with as_elsewhere():
        repeated, fixed_by_hand = started(settings), started(settings)
        steps, fixed = on_tape(repeated), FixedStep(fixed_by_hand.stage, settings)
        fixed_by_hand.optimiser.inner.keep_rate_on_device()
        recordings, rooms = 0, []
        for chosen in batches(8, 24):
            fixed.follow()
            before, dropout = steps._repeat, torch.get_rng_state()
            found = steps.step(chosen)
            assert not steps.refused
            recordings += steps._repeat is not before
            rooms.append(steps.room)
            torch.set_rng_state(dropout)  # both draw their masks from the one default generator
            planned = fixed.plan(chosen)
            fixed.stage.optimiser.count()
            expected = fixed.take(fixed.pack(planned, steps.room), steps.room)
            assert torch.allclose(found, expected, rtol=1e-4, atol=1e-6)
        assert recordings < 8
        assert recordings == len(set(rooms))
    for ours, theirs in zip(repeated.model.parameters(), fixed_by_hand.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    assert captured._is_same(repeated.generators.state(), fixed_by_hand.generators.state())


def forgetting_dropout(step: Any) -> Any:
    """A recording that draws the same random numbers each time."""
    state = torch.get_rng_state()
    repeat = Taped(step)

    def again() -> Tensor:
        torch.set_rng_state(state)
        return repeat()

    return again


def without_the_update(step: Any) -> Any:
    """A recording that left Adam out: the weights stay."""
    repeat = Taped(step)
    repeat.tape.work[:] = [one for one in repeat.tape.work if "fused_adam" not in str(one[0])]
    return repeat


def other_losses(step: Any) -> Any:
    repeat = Taped(step)
    return lambda: repeat() + 1


def with_its_batch_in_it(step: Any) -> Any:
    """A recording that does not read the buffer: it learns from its own batch again and again."""
    steps = step.__self__
    own = steps._buffer.clone()
    return Taped(lambda: steps.fixed.take(own, steps.room))


def with_its_rate_in_it(step: Any) -> Any:
    """A recording whose learning rate is a number of the host's."""
    inner = step.__self__.optimiser.inner
    rate, inner.lr = inner.lr, float(inner.lr)
    repeat = Taped(step)
    inner.lr = rate
    return repeat


def drawing_once_more(step: Any) -> Any:
    repeat = Taped(step)

    def again() -> Tensor:
        losses = repeat()
        if len(said) % 2:  # behind the second of two steps, where no loss can tell
            torch.rand(1)
        said.append(1)
        return losses

    said: list[int] = []
    return again


def unable(step: Any) -> Any:
    step()
    try:
        raise IndexError("operation not permitted when stream is capturing\nmore")
    finally:
        raise RuntimeError("operation failed due to a previous error during capture")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (forgetting_dropout, "losses|gradients"),
        (without_the_update, "losses|gradients|weights"),
        (other_losses, "have the losses"),
        (with_its_batch_in_it, "losses|gradients"),
        (with_its_rate_in_it, "other weights"),
        (drawing_once_more, "random generators"),
        (unable, "operation not permitted when stream is capturing$"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_recording_that_is_not_right_is_not_used_and_leaves_no_trace(record: Any, told: str) -> None:
    """The run is the one that it would have been had nothing been tried."""
    settings = config("coserec-paper")
    with as_elsewhere():
        tried, plain = started(settings), started(settings)
        steps = on_tape(tried, record)
        for chosen in batches(3):
            stood = torch.get_rng_state()
            found = steps.step(chosen)
            torch.set_rng_state(stood)  # both draw their masks from the one default generator
            assert torch.equal(found, plain._plain_step(chosen))
    assert re.search(told, steps.refused)
    assert tried.listener.remarks == [f"steps are not captured: {steps.refused}"]
    for ours, theirs in zip(tried.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert captured._is_same(tried.generators.state(), plain.generators.state())
    assert tried.optimiser.taken == 3
    assert isinstance(tried.optimiser.inner.lr, float), "the host's again"
    assert steps._repeat is steps.fixed.tables is None


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_step_can_have_its_batch_in_it(kind: str) -> None:
    settings = config(**KINDS[kind], model__dropout=0.0)
    with as_elsewhere():
        steps = on_tape(started(settings), with_its_batch_in_it)
        steps.step(batches(1)[0])
    assert re.search("losses|gradients", steps.refused)


def test_a_recording_that_fails_later_on_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_step, "_more", lambda asked, _: asked)  # nothing to spare: many batches ask for more room
    recordings = iter([Taped, Taped, unable])
    with as_elsewhere():
        trainer = started(config("coserec-paper"))
        steps = on_tape(trainer, lambda step: next(recordings)(step))
        for chosen in batches(30):
            steps.step(chosen)
            if steps.refused:
                break
    assert trainer.listener.remarks == [f"steps are no longer captured: {steps.refused}"]


def test_no_memory_for_a_step_of_fixed_shapes_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    for owner, name in ((FixedStep, "take"), (FixedStep, "follow"), (FixedStep, "pack")):
        with as_elsewhere(), monkeypatch.context() as patch:
            trainer = started(config("coserec-paper"))
            steps = on_tape(trainer)
            patch.setattr(owner, name, full)
            assert steps.step(batches(1)[0]).isfinite().all()
            assert steps.refused == "CUDA out of memory"


class Clock:
    """The clock that steps are timed by: it stands still but for what is made slow."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        patch.setattr(captured, "time", SimpleNamespace(perf_counter=lambda: self.now))

    def slow(self, step: Any) -> Any:
        def taken(*chosen: Any) -> Tensor:
            self.now += 0.2
            return step(*chosen)

        return taken


@pytest.mark.parametrize("seed", range(6))
def test_recorded_steps_are_timed_and_used(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views that are drawn for the clock alone may need more room than there is."""
    monkeypatch.setattr(fixed_step, "_more", lambda asked, _: asked)  # nothing to spare
    settings = config("coserec-paper", train__seed=seed)
    with as_elsewhere():
        trainer, notes = started(settings), Notes()
        fixed = FixedStep(trainer.stage, settings)
        recorded: list[Taped] = []

        def record(step: Any) -> Any:
            recorded.append(Taped(step))
            return recorded[-1]

        clock = Clock(monkeypatch)
        steps = CapturedSteps(fixed, trainer.generators, clock.slow(trainer._plain_step), notes.remark, record)
        for chosen in batches(6):
            assert steps.step(chosen).isfinite().all()
    assert steps.refused == ""
    (told,) = notes.remarks  # once, though they are recorded more than once
    assert len(recorded) > 1
    assert re.fullmatch(r"steps are captured: [\d.]+ ms each instead of [\d.]+\.", told)


def test_recorded_steps_that_are_no_quicker_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config("coserec-paper")
    clock = Clock(monkeypatch)
    with as_elsewhere():
        trainer, notes = started(settings), Notes()
        fixed = FixedStep(trainer.stage, settings)
        steps = CapturedSteps(
            fixed, trainer.generators, trainer._plain_step, notes.remark, lambda step: clock.slow(Taped(step))
        )
        assert steps.step(batches(1)[0]).isfinite().all()
    assert re.fullmatch(r"they take [\d.]+ ms each instead of [\d.]+\.", steps.refused)
    assert notes.remarks == [f"steps are not captured: {steps.refused}"]
    assert trainer.optimiser.taken == 1


def test_small_batches_are_taken_as_ever_and_other_tables_are_recorded_anew() -> None:
    settings = config("coserec-paper")
    with as_elsewhere():
        trainer = started(settings)
        steps = on_tape(trainer)
        sizes = []

        def plain(chosen: NDArray[np.int64]) -> Tensor:
            sizes.append(len(chosen))
            return trainer._plain_step(chosen)

        steps._plain = plain
        steps.step(batches(1)[0])
        recorded = steps._repeat
        assert recorded is not None
        steps.step(batches(1, 20)[0])
        assert sizes == [20]
        trainer._select_correlation(0, trainer._begin_epoch(0))  # the same shape: other numbers in the same place
        steps.step(batches(1)[0])
        assert steps._repeat is recorded
        table = trainer.contrastive.neighbours
        trainer.contrastive.neighbours = type(table)(table.ids.repeat(1, 2), table.scores.repeat(1, 2), table.pool)
        steps.step(batches(1)[0])
        assert steps._repeat is not recorded


@pytest.mark.parametrize("name", ["coserec-paper", "coserec-published", "sasrec-cross-entropy"])
def test_a_run_of_captured_steps_learns_what_a_plain_one_learns(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole run with hybrid phase, small last batches, checkpoints and a stop, without dropout."""
    settings = config(name, model__dropout=0.0, train__epochs=4)
    if name.startswith("coserec"):
        settings = settings.replace({"similarity.hybrid_after_epoch": 2, "loss.next_item": "cross_entropy"})
    plain = train(settings, DATA, listener=Silent(), directory=tmp_path / "plain")

    def begin(stage: Any, settings: Any, generators: Any, plain: Any, remark: Any) -> CapturedSteps:
        return OnTape(FixedStep(stage, settings), generators, plain, remark, Taped)

    monkeypatch.setattr(captured, "begin", begin)
    notes = Notes(stop_at_step=6)
    with as_elsewhere():
        stopped = train(settings, DATA, listener=notes, directory=tmp_path / "captured")
        assert stopped.stopped
        then = Notes()
        found = train(settings, DATA, listener=then, directory=tmp_path / "captured", resume=True)
    assert notes.remarks == then.remarks == []
    assert [report.correlation for report in found.epochs] == [report.correlation for report in plain.epochs]
    for ours, theirs in zip(found.epochs, plain.epochs, strict=True):
        assert ours.losses == pytest.approx(theirs.losses, rel=0.01)
        assert ours.metrics == pytest.approx(theirs.metrics, abs=0.1)


class FakeCuda:
    """As much of ``torch.cuda`` as a recording asks for: a tape for a graph, and which stream is in force."""

    def __init__(self, patch: pytest.MonkeyPatch, fails: bool) -> None:
        self.fails, self.told, self.default = fails, [], torch.Generator()
        self.device_index = 0  # this one is the stream that is in force, too
        self.in_force: Any = self
        names = {
            "current_stream": lambda: self.in_force,
            "Stream": lambda: self,
            "stream": self.stream,
            "graph": self.graph,
            "CUDAGraph": lambda: self,
            "default_generators": (self.default,),
        }
        for name, value in names.items():
            patch.setattr(torch.cuda, name, value, raising=False)

    def wait_stream(self, stream: object) -> None:  # noqa: ARG002
        self.told.append("waits")

    def register_generator_state(self, generator: torch.Generator) -> None:  # noqa: ARG002
        self.told.append("registered")

    @contextmanager
    def stream(self, stream: object) -> Iterator[None]:
        before, self.in_force = self.in_force, stream
        try:
            yield
        finally:
            self.in_force = before

    @contextmanager
    def graph(self, graph: object, stream: object) -> Iterator[None]:
        assert graph is stream is self
        self.in_force, self.tape = "the recording's", Tape()
        with self.tape:
            yield
        if self.fails:
            raise RuntimeError("operation failed due to a previous error during capture")
        self.in_force = self

    def replay(self) -> None:
        with torch.no_grad():
            self.tape.repeat()


@pytest.mark.parametrize("fails", [False, True])
def test_a_cuda_graph_is_recorded_after_a_warm_up_and_leaves_the_stream_as_it_was(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = FakeCuda(monkeypatch, fails)
    total, freed = torch.zeros(1), []
    monkeypatch.setattr(captured, "_let_go", lambda *generators: freed.extend(generators))
    negatives = torch.Generator()

    def step() -> Tensor:
        total.add_(1)
        return total * 2

    record = captured.cuda_graph(negatives)
    if fails:
        with pytest.raises(RuntimeError, match="during capture"):
            record(step)
        assert freed == [negatives, cuda.default]
    else:
        repeat = record(step)
        assert total == 4  # three to warm up; the tape takes the fourth, which a graph does not
        assert repeat() == 10
        assert total == 5
        assert freed == []
    assert cuda.told == ["waits", "waits", "registered"]
    assert cuda.in_force is cuda


def test_generators_of_a_failed_recording_get_states_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    generators: Any = [SimpleNamespace(device=place, graphsafe_set_state=given.append) for place in ("one", "other")]
    monkeypatch.setattr(
        torch, "Generator", lambda place: SimpleNamespace(graphsafe_get_state=lambda: f"new at {place}")
    )
    captured._let_go(*generators)
    assert given == ["new at one", "new at other"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_a_cuda_graph_is_proved_right_and_learns_what_plain_steps_learn(kind: str, tmp_path: Path) -> None:
    settings = config(**KINDS[kind], train__epochs=4)
    learned = {}
    for device, capture in (("cpu", "auto"), ("cuda", "never"), ("cuda", "auto")):
        notes, chosen = Notes(), settings.replace({"train.capture": capture, "train.device": device})
        run = train(chosen, DATA, listener=notes, directory=tmp_path / device / capture)
        learned[device, capture] = run.epochs[-1].losses["total"]
        if (device, capture) == ("cuda", "auto"):
            (told,) = notes.remarks
            assert re.match(r"steps are (captured|not captured: they take)", told), told
    assert learned["cuda", "auto"] == pytest.approx(learned["cuda", "never"], rel=0.1)
    assert learned["cuda", "auto"] == pytest.approx(learned["cpu", "auto"], rel=0.1)
