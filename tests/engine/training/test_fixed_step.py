"""Steps of fixed shapes come to what plain steps come to, and nothing in either waits for the device."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from engine.modules.ways import as_elsewhere
from engine.training.fixed_step import FixedStep, Room, supports
from engine.training.trainer import Trainer
from tests.engine.training.small import config
from tests.engine.training.steps import DATA, KINDS, batches, started


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


def test_what_has_no_fixed_shape() -> None:
    for name, settings in {
        "bert4rec": config("bert4rec-paper"),
        "gru4rec": config("gru4rec-paper"),
        "pre-training": config("s3rec-paper", train__pretrain_epochs=1),
    }.items():
        assert not supports(started(settings).stage, settings), name


def test_a_batch_smaller_than_its_room_is_refused() -> None:
    trainer = started(config("coserec-paper"))
    fixed = FixedStep(trainer.stage, trainer.config)
    fixed.follow()
    planned = fixed.plan(batches(1, 20)[0])
    with pytest.raises(AssertionError, match="smaller batch"):
        fixed.pack(planned, planned.need)
