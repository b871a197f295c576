"""Adam (Kingma and Ba 2015; FACTS F6) by PyTorch's own fused kernel, without the class around it.

Making a ``torch.optim`` optimiser imports PyTorch's compiler: one to two seconds at the start of every run, for nothing
that a run uses. States are written as ``torch.optim.Adam`` writes them, so checkpoints of either load in the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

EPS = 1e-8
_HAS_FUSED = ("cpu", "cuda")


class OneGroup:
    """What Adam and RMSProp have alike: parameters with one learning rate, and states in ``torch.optim``'s form."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters = list(parameters)
        self.lr: float | Tensor = lr

    def set_rate(self, rate: float) -> None:
        """The learning rate of the updates to come."""
        if isinstance(self.lr, Tensor):
            self.lr.fill_(rate)
        else:
            self.lr = rate

    def zero_grad(self) -> None:
        """Forget all gradients; the next backward pass writes new ones instead of adding."""
        for parameter in self.parameters:
            parameter.grad = None

    def written(self, state: dict[int, dict[str, Any]], group: dict[str, Any]) -> dict[str, Any]:
        """``state`` by the place of each parameter, and the settings they share."""
        return {"state": state, "param_groups": [{**group, "params": list(range(len(self.parameters)))}]}

    def parts_of(self, state: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """What `written` was given. Raises ``ValueError`` for a state of another number of parameters."""
        (group,) = state["param_groups"]
        if len(group["params"]) != len(self.parameters):
            raise ValueError(f"a state of {len(group['params'])} parameters for {len(self.parameters)}")
        parts: dict[int, dict[str, Any]] = state["state"]
        return parts


class Adam(OneGroup):
    """One group of parameters: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − lr · m̂ / (√v̂ + ε).

    m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). A parameter without a gradient is left alone, as is its count of steps.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float],
        *,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        """``weight_decay`` w adds w · θ to every gradient; ``decoupled`` (AdamW, Loshchilov and Hutter 2019) instead
        takes lr · w · θ from the weight itself, and from matrices only: biases and norms are left alone (FACTS B6)."""
        super().__init__(parameters, lr)
        self.betas, self.decoupled = betas, decoupled
        self._decays = [0.0 if decoupled and p.dim() < 2 else weight_decay for p in self.parameters]
        self._steps = [torch.zeros((), dtype=torch.float32, device=p.device) for p in self.parameters]
        self._means = [torch.zeros_like(p, memory_format=torch.preserve_format) for p in self.parameters]
        self._squares = [torch.zeros_like(p, memory_format=torch.preserve_format) for p in self.parameters]

    @property
    def moments(self) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """All that is kept between two updates: first and second moments and counts of steps."""
        return self._means, self._squares, self._steps

    def keep_rate_on_device(self) -> None:
        """From now on the learning rate is a number on the device, which a captured update reads anew each time."""
        self.lr = torch.tensor(float(self.lr), dtype=torch.float32, device=self.parameters[0].device)

    @torch.no_grad()
    def step(self) -> None:
        """One update of every parameter that has a gradient."""
        alike: dict[tuple[torch.device, float], list[int]] = {}
        for place, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                alike.setdefault((parameter.device, self._decays[place]), []).append(place)
        for (device, decay), places in alike.items():
            weights = [self.parameters[place] for place in places]
            gradients = [weight.grad for weight in weights if weight.grad is not None]
            means, squares = [self._means[place] for place in places], [self._squares[place] for place in places]
            steps = [self._steps[place] for place in places]
            torch._foreach_add_(steps, 1)
            update = self._fused if device.type in _HAS_FUSED else self._plain
            update(weights, gradients, means, squares, steps, decay)

    def _fused(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
        steps: Any,
        decay: float,
    ) -> None:
        kernel = torch._fused_adamw_ if self.decoupled else torch._fused_adam_
        kernel(
            *(weights, gradients, means, squares, [], steps),
            lr=self.lr,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=decay,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )

    def _plain(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
        steps: Any,
        decay: float,
    ) -> None:
        for weight, gradient, mean, square, step in zip(weights, gradients, means, squares, steps, strict=True):
            if decay and self.decoupled:
                weight.mul_(1 - float(self.lr) * decay)
            elif decay:
                gradient = gradient.add(weight, alpha=decay)
            mean.lerp_(gradient, 1 - self.betas[0])
            square.mul_(self.betas[1]).addcmul_(gradient, gradient, value=1 - self.betas[1])
            first, second = 1 - self.betas[0] ** step, 1 - self.betas[1] ** step
            weight.addcdiv_(mean / first, (square / second).sqrt_().add_(EPS), value=-float(self.lr))

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes, in ``torch.optim.Adam``'s form."""
        parts = zip(self._steps, self._means, self._squares, strict=True)
        state = {
            place: {"step": step, "exp_avg": mean, "exp_avg_sq": square}
            for place, (step, mean, square) in enumerate(parts)
            if step
        }
        group = {
            "lr": float(self.lr),
            "betas": self.betas,
            "eps": EPS,
            "weight_decay": max(self._decays, default=0.0) or 0,
            "amsgrad": False,
        }
        return self.written(state, group)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state of the same parameters. Raises ``ValueError`` for one of another number of them."""
        for place, parts in self.parts_of(state).items():
            self._steps[place].copy_(torch.as_tensor(parts["step"]))
            self._means[place].copy_(parts["exp_avg"])
            self._squares[place].copy_(parts["exp_avg_sq"])
