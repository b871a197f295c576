"""Steps of fixed shapes come to what plain steps come to, and can be repeated without the host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config import ExperimentConfig
from engine.modules.ways import as_elsewhere
from engine.training import captured, setup, train
from engine.training.captured import CapturedSteps
from engine.training.fixed_step import FixedStep, Room, supports
from engine.training.listening import Silent
from engine.training.trainer import Trainer
from tests.engine.training.small import Notes, circles, config
from tests.helpers.tape import Tape, Taped

DATA = circles()
KINDS: dict[str, dict[str, Any]] = {
    "sasrec": {"name": "sasrec"},
    "original": {"name": "sasrec-paper"},
    "cross-entropy": {"name": "sasrec-cross-entropy"},
    "real positions": {"name": "coserec-paper"},
    "users' means": {"name": "coserec-paper", "fidelity__next_item_mean": "users"},
    "padded": {"name": "coserec-published"},
    "padded, masked by padding": {"name": "coserec-published", "fidelity__mask_token": "padding"},
    "masked by padding": {"name": "coserec-paper", "fidelity__mask_token": "padding"},
    "last": {"name": "coserec-paper", "loss__representation": "last"},
    "mean, cosine": {"name": "coserec-paper", "loss__representation": "mean", "loss__similarity": "cosine"},
    "softmax": {"name": "coserec-sampled-softmax"},
    "bpr": {"name": "coserec-paper", "loss__next_item": "bpr"},
    "no neighbours": {"name": "cl4srec"},
    "s3rec": {"name": "s3rec-paper", "train__pretrain_epochs": 0},
    "pre-training": {"name": "coserec-two-stage", "train__pretrain_epochs": 2},
}


def started(settings: ExperimentConfig, epoch: int = 0, device: str = "cpu") -> Trainer:
    """A trainer before the first step of an epoch."""
    trainer = Trainer(settings, DATA, listener=Silent(), directory=Path())
    trainer.device = torch.device(device)
    trainer.model = setup.model(settings, DATA, trainer.split, trainer.generators.initial).to(device)
    trainer._prepare()
    trainer._select_correlation(epoch, trainer._begin_epoch(epoch))
    trainer.model.train()
    return trainer


def batches(count: int, size: int = 32) -> list[NDArray[np.int64]]:
    generator = np.random.default_rng(7)
    return [generator.permutation(120)[:size] for _ in range(count)]


def wide_room(length: int) -> Room:
    return Room(4000, 700, (0, *[150] * length))


def gradients(trainer: Trainer) -> list[Tensor]:
    return [parameter.grad for parameter in trainer.model.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["tight", "wide", "elsewhere"])
def test_losses_and_gradients_are_those_of_the_plain_step(kind: str, how: str) -> None:
    settings = config(**KINDS[kind], model__dropout=0.0)
    plain, other = started(settings), started(settings)
    assert supports(other.stage, settings)
    fixed = FixedStep(other.stage, settings)
    for chosen in batches(3):
        other.generators.negatives.set_state(plain.generators.negatives.get_state())  # idle targets draw too
        expected = plain._plain_step(chosen)
        fixed.follow()
        planned = fixed.plan(chosen)
        room = planned.need if how == "tight" else wide_room(fixed.length)
        packed = fixed.pack(planned, room)
        assert packed.shape == (fixed.width(room),)
        fixed.stage.optimiser.count()
        with as_elsewhere() if how == "elsewhere" else nullcontext():
            found = fixed.take(packed, room)
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)
        pairs = list(zip(gradients(other), gradients(plain), strict=True))
        assert pairs
        for ours, theirs in pairs:
            assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        assert plain.generators.views.get_state().equal(other.generators.views.get_state())
        other.model.load_state_dict(plain.model.state_dict())  # Adam makes much of the smallest difference


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_waits_for_the_device(kind: str) -> None:
    """On torch's ``meta`` device tensors have shapes but no values: whatever asks for one raises."""
    settings = config(**KINDS[kind])
    trainer, chosen = started(settings, device="meta"), batches(1)[0]
    if trainer.contrastive is not None:  # what is asked for once an epoch
        trainer.contrastive._best = trainer.contrastive.neighbours, torch.ones(DATA.rows, dtype=torch.int64)
    assert trainer._plain_step(chosen).device.type == "meta"
    fixed = FixedStep(trainer.stage, settings)
    fixed.follow()
    planned = fixed.plan(chosen)
    assert fixed.take(fixed.pack(planned, planned.need).to("meta"), planned.need).device.type == "meta"


def test_a_room_holds_what_it_was_grown_for_and_keeps_what_it_held() -> None:
    small, large = Room(100, 10, (0, 5, 0)), Room(90, 70, (0, 0, 9))
    room = Room(0, 0, (0, 0, 0)).grown(small)
    assert room.holds(small)
    assert not room.holds(large)
    both = room.grown(large)
    assert both.holds(small)
    assert both.holds(large)
    assert both.slots == both.groups[1] + 2 * both.groups[2]


class OnTape(CapturedSteps):
    """Captured steps whose gain is taken for granted."""

    def _loss_of_time(self, chosen: NDArray[np.int64], before: Any) -> str:  # noqa: ARG002
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


def without_the_last_update(step: Any) -> Any:
    """A recording that left something out: the weights stay."""
    repeat = Taped(step)

    def again() -> Tensor:
        losses = repeat()
        repeat.tape.work[:] = [one for one in repeat.tape.work if "fused_adam" not in str(one[0])]
        return losses

    repeat.tape.work[:] = [one for one in repeat.tape.work if "fused_adam" not in str(one[0])]
    return again


def other_losses(step: Any) -> Any:
    repeat = Taped(step)
    return lambda: repeat() + 1


def unable(step: Any) -> Any:
    step()
    raise RuntimeError("operation not permitted when stream is capturing\nmore")


def blind(step: Any) -> Any:
    """A recording into which a number of the host went: whatever is in the buffer, the first batch is repeated."""
    losses = step().clone()
    return lambda: losses


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (forgetting_dropout, "losses|gradients"),
        (without_the_last_update, "losses|gradients|weights"),
        (other_losses, "have the losses"),
        (unable, "operation not permitted when stream is capturing$"),
        (blind, "have the losses"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_recording_that_is_not_right_is_not_used_and_leaves_no_trace(record: Any, told: str) -> None:
    settings = config("coserec-paper")
    chosen = batches(1)[0]
    with as_elsewhere():
        plain, other = started(settings), started(settings)
        other.optimiser.inner.keep_rate_on_device()
        steps, fixed = on_tape(plain, record), FixedStep(other.stage, settings)
        stood = torch.get_rng_state()
        found = steps.step(chosen)
        assert re.search(told, steps.refused)
        assert plain.listener.remarks == [f"steps are not captured: {steps.refused}"]
        torch.set_rng_state(stood)
        fixed.follow()
        planned = fixed.plan(chosen)
        fixed.stage.optimiser.count()
        expected = fixed.take(fixed.pack(planned, steps.room), steps.room)
    assert torch.equal(found, expected)
    for ours, theirs in zip(plain.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert captured._is_same(plain.generators.state(), other.generators.state())
    assert plain.optimiser.taken == 1
    calls = []
    steps._plain = lambda chosen: calls.append(len(chosen))
    steps.step(chosen)
    assert calls == [32]  # from now on as ever


@pytest.mark.parametrize("is_quicker", [True, False])
def test_recorded_steps_are_used_where_they_are_quicker(is_quicker: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config("coserec-paper")
    with as_elsewhere():
        trainer = started(settings)
        fixed, notes = FixedStep(trainer.stage, settings), Notes()
        steps = CapturedSteps(fixed, trainer.generators, trainer._plain_step, notes.remark, Taped)
        now = 0.0

        def clock() -> float:
            return now

        def slow_step(chosen: NDArray[np.int64]) -> Tensor:
            nonlocal now
            now += 0.01 if is_quicker else -0.01
            return trainer._plain_step(chosen)

        steps._plain = slow_step
        monkeypatch.setattr(captured.time, "perf_counter", clock)
        stood = [value.clone() for value in trainer.model.parameters()]
        state = captured._Standing(fixed, trainer.generators)._random
        steps._try_first = None
        steps._buffer = steps._packed(batches(1)[0])
        drawn = trainer.generators.state()
        steps._try(batches(1)[0])
    assert bool(steps.refused) != is_quicker
    start = "steps are captured: 0.00 ms each instead of 10.00." if is_quicker else "steps are not captured: they take"
    assert notes.remarks[0].startswith(start)
    assert len(notes.remarks) == 1
    assert all(map(torch.equal, stood, trainer.model.parameters()))
    assert captured._is_same(trainer.generators.state(), drawn)
    assert not captured._is_same(state, drawn)
    assert trainer.optimiser.taken == 0


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


def test_what_is_not_captured() -> None:
    for name, settings in {
        "bert4rec": config("bert4rec-paper"),
        "gru4rec": config("gru4rec-paper"),
        "pre-training": config("s3rec-paper", train__pretrain_epochs=1),
    }.items():
        assert not supports(started(settings).stage, settings), name
    trainer = started(config("sasrec"))
    assert trainer.captured is None  # no GPU here


class FakeCuda:
    """As much of ``torch.cuda`` as a recording asks for: a tape for a graph, and which stream is in force."""

    def __init__(self, patch: pytest.MonkeyPatch, fails: bool) -> None:
        self.fails, self.told, self.default = fails, [], torch.Generator()
        self.device_index = 0  # this one is the stream that is in force, too
        self.in_force: Any = self
        names = {
            "current_stream": lambda: self.in_force,
            "Stream": lambda: SimpleNamespace(wait_stream=lambda _: self.told.append("waits")),
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
    def graph(self, graph: object) -> Iterator[None]:
        assert graph is self
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_a_cuda_graph_is_proved_right_and_learns_what_plain_steps_learn(kind: str, tmp_path: Path) -> None:
    settings = config(**KINDS[kind], train__device="cuda", train__epochs=4)
    learned = {}
    for capture in ("never", "auto"):
        notes = Notes()
        run = train(settings.replace({"train.capture": capture}), DATA, listener=notes, directory=tmp_path / capture)
        learned[capture] = run.epochs[-1].losses["total"]
        if capture == "auto":
            assert notes.remarks
            assert not any("repeated" in text for text in notes.remarks), notes.remarks
    assert learned["auto"] == pytest.approx(learned["never"], rel=0.1)
