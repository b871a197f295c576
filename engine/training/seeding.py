"""Every source of randomness of a run, seeded from one number and saved with the checkpoint.

Each purpose has a stream of its own. So two runs of one seed start from the same weights and visit the users in the
same order even where only one of them draws views.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


class Generators:
    """``initial`` (weights), ``views`` and ``masks`` live on the host, ``negatives`` on the device; ``order`` is
    numpy's.

    Dropout draws from torch's default generators, which are seeded too: there is one run a process.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        default, initial, views, negatives, order, masks = np.random.SeedSequence(seed).spawn(6)
        self._device = device
        torch.manual_seed(_number(default))
        self.initial = torch.Generator().manual_seed(_number(initial))
        self.views = torch.Generator().manual_seed(_number(views))
        self.masks = torch.Generator().manual_seed(_number(masks))
        self.negatives = torch.Generator(device).manual_seed(_number(negatives))
        self.order = np.random.Generator(np.random.PCG64(order))

    def state(self) -> dict[str, Any]:
        """Where every stream stands, as tensors and plain values."""
        state: dict[str, Any] = {
            "default": torch.get_rng_state(),
            "views": self.views.get_state(),
            "masks": self.masks.get_state(),
            "negatives": self.negatives.get_state(),
            "order": _as_text(self.order.bit_generator.state),
        }
        if self._device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self._device)
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Continue every stream from `state`. A run that moved to another device draws anew there."""
        torch.set_rng_state(state["default"])
        self.views.set_state(state["views"])
        if "masks" in state:  # checkpoints of before there were models that mask have none
            self.masks.set_state(state["masks"])
        self.order.bit_generator.state = _as_numbers(state["order"])
        if state["negatives"].shape == self.negatives.get_state().shape:
            self.negatives.set_state(state["negatives"])
        if self._device.type == "cuda" and "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"], self._device)


def _number(sequence: np.random.SeedSequence) -> int:
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def _as_text(state: Any) -> Any:
    """numpy's generator state holds integers of 128 bits, which no checkpoint format keeps: write them as text."""
    if isinstance(state, dict):
        return {key: _as_text(value) for key, value in state.items()}
    return str(state)


def _as_numbers(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: value if key == "bit_generator" else _as_numbers(value) for key, value in state.items()}
    return int(state)
