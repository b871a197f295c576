"""What is round an optimiser's step: clipping, warm-up and decay (FACTS B6); and RMSProp (FACTS B2).

As in `engine.training.adam`, nothing of ``torch.optim`` is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from engine.config import TrainOptions
from engine.training.adam import Adam, OneGroup

EPS = 1e-8
SMOOTHING = 0.99


class RMSProp(OneGroup):
    """v ← αv + (1 − α)g², θ ← θ − lr · g / (√v + ε), with α = 0.99 (Tieleman and Hinton 2012).

    ``weight_decay`` w adds w · θ to every gradient. A parameter without a gradient is left alone.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, *, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, lr)
        self.weight_decay = weight_decay
        self._squares = [torch.zeros_like(p, memory_format=torch.preserve_format) for p in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """One update of every parameter that has a gradient."""
        for parameter, square in zip(self.parameters, self._squares, strict=True):
            gradient = parameter.grad
            if gradient is None:
                continue
            if self.weight_decay:
                gradient = gradient.add(parameter, alpha=self.weight_decay)
            square.mul_(SMOOTHING).addcmul_(gradient, gradient, value=1 - SMOOTHING)
            parameter.addcdiv_(gradient, square.sqrt().add_(EPS), value=-float(self.lr))

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes."""
        state = {place: {"square_avg": square} for place, square in enumerate(self._squares)}
        group = {"lr": float(self.lr), "alpha": SMOOTHING, "eps": EPS, "weight_decay": self.weight_decay}
        return self.written(state, group)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state of the same parameters. Raises ``ValueError`` for one of another number of them."""
        for place, parts in self.parts_of(state).items():
            self._squares[place].copy_(parts["square_avg"])


class Optimiser:
    """``inner`` with gradients no longer than ``clip_norm`` (0: as they are) and ``rate``, the learning rate after so
    many steps."""

    def __init__(self, inner: Adam | RMSProp, clip_norm: float, rate: Callable[[int], float]) -> None:
        self.inner = inner
        self.clip_norm = clip_norm
        self.rate = rate
        self.taken = 0

    def zero_grad(self) -> None:
        """Forget all gradients."""
        self.inner.zero_grad()

    def step(self) -> None:
        """One update."""
        self.count()
        self.update()

    def count(self) -> None:
        """What the host does for the next update: its learning rate."""
        self.inner.set_rate(self.rate(self.taken))
        self.taken += 1

    def update(self) -> None:
        """What the device does."""
        if self.clip_norm:
            clip(self.inner.parameters, self.clip_norm)
        self.inner.step()

    def state_dict(self) -> dict[str, Any]:
        """The inner optimiser's state, and the steps taken."""
        return {**self.inner.state_dict(), "taken": self.taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict`; states of before there were rates had none that changed."""
        self.inner.load_state_dict(state)
        self.taken = int(state.get("taken", 0))


@torch.no_grad()
def clip(parameters: Iterable[Tensor], longest: float) -> None:
    """Scale all gradients alike so that their joint norm is at most ``longest``; nothing waits for the device."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if gradients:
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (longest / (norm + 1e-6)).clamp(max=1.0))


def learning_rate(train: TrainOptions, taken: int, steps: int) -> float:
    """The rate of the step after ``taken`` of ``steps``: warm-up from 0, then constant or linear to 0."""
    if taken < train.warmup_steps:
        return train.learning_rate * (taken + 1) / train.warmup_steps
    if train.rate_decay == "none":
        return train.learning_rate
    left = max(steps - taken, 0) / max(steps - train.warmup_steps, 1)
    return train.learning_rate * min(left, 1.0)
