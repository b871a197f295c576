"""Our Adam is PyTorch's, bit for bit where both are fused, and leaves its compiler alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from engine.training.adam import Adam

LR, BETAS = 0.01, (0.8, 0.95)


def parameters() -> list[torch.Tensor]:
    chance = torch.Generator().manual_seed(1)
    shapes = [(7, 3), (5,), (2, 2, 2)]
    return [torch.nn.Parameter(torch.randn(shape, generator=chance)) for shape in shapes]


def feed(tensors: list[torch.Tensor], turn: int) -> None:
    """Gradients of a turn; in some turns one parameter has none."""
    chance = torch.Generator().manual_seed(100 + turn)
    for place, tensor in enumerate(tensors):
        gradient = torch.randn(tensor.shape, generator=chance)
        tensor.grad = None if turn % 3 == 1 and place == 1 else gradient


def test_it_equals_torchs_bit_for_bit_and_states_load_either_way() -> None:
    ours, theirs = parameters(), parameters()
    own, other = Adam(ours, LR, BETAS), torch.optim.Adam(theirs, lr=LR, betas=BETAS, fused=True)
    for turn in range(30):
        if turn in (10, 20):  # each goes on from the other's state
            mine, yours = own.state_dict(), other.state_dict()
            own, other = Adam(ours, LR, BETAS), torch.optim.Adam(theirs, lr=LR, betas=BETAS, fused=True)
            own.load_state_dict(yours)
            other.load_state_dict({"state": mine["state"], "param_groups": other.state_dict()["param_groups"]})
        feed(ours, turn)
        feed(theirs, turn)
        own.step()
        other.step()
        assert all(torch.equal(one, two) for one, two in zip(ours, theirs, strict=True)), turn
    own.zero_grad()
    assert all(tensor.grad is None for tensor in ours)


def test_the_plain_form_equals_the_fused_one(monkeypatch: pytest.MonkeyPatch) -> None:
    fused, plain = parameters(), parameters()
    one, other = Adam(fused, LR, BETAS), Adam(plain, LR, BETAS)
    for turn in range(30):
        feed(fused, turn)
        feed(plain, turn)
        one.step()
        with monkeypatch.context() as patch:
            patch.setattr("engine.training.adam._HAS_FUSED", ())
            other.step()
    for left, right in zip(fused, plain, strict=True):
        assert torch.allclose(left, right, atol=1e-6)


def test_a_state_of_other_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="1 parameters for 3"):
        Adam(parameters(), LR, BETAS).load_state_dict(Adam(parameters()[:1], LR, BETAS).state_dict())


def test_a_training_step_does_not_import_the_compiler() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\nfrom tempfile import TemporaryDirectory\n"
        "from engine.training import train\nfrom engine.training.listening import Silent\n"
        "from tests.engine.training.small import circles, config\n"
        "with TemporaryDirectory() as folder:\n"
        "    train(config(train__epochs=1), circles(), listener=Silent(), directory=Path(folder))\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
