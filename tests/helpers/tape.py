"""What a CUDA graph is, on any device: the work of a function written down once and repeated at the same addresses.

Every operation that reaches a device is kept with the very tensors that it read and wrote. To repeat them takes nothing
of Python that was round them: a number that the host had computed stays what it was, as it does in a graph. What a
graph refuses is refused here too: a result that the host would have to wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_WAITS = {"_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "_unique2", "unique_dim"}


class Tape(TorchDispatchMode):
    """Writes down what is done while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.work: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in _WAITS:
            raise RuntimeError(f"the host would wait for {name}")
        result = func(*args, **(kwargs or {}))
        read = {_address(tensor) for tensor in tree_leaves((args, kwargs)) if isinstance(tensor, Tensor)}
        made = [tensor for tensor in tree_leaves(result) if isinstance(tensor, Tensor)]
        fresh = [tensor for tensor in made if _address(tensor) not in read]
        if fresh and len(fresh) != len(made):
            raise AssertionError(f"{name} gives something new and something that it read")
        self.work.append((func, args, kwargs or {}, fresh))
        return result

    def repeat(self) -> None:
        """Do it all again."""
        for func, args, kwargs, fresh in self.work:
            made = [tensor for tensor in tree_leaves(func(*args, **kwargs)) if isinstance(tensor, Tensor)]
            for before, now in zip(fresh, made, strict=False):
                before.copy_(now)


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


class Taped:
    """A step done once and written down; calling it repeats it, and returns the tensor that the step returned."""

    def __init__(self, step: Callable[[], Tensor]) -> None:
        self.tape = Tape()
        with self.tape:
            self._result = step()

    def __call__(self) -> Tensor:
        with torch.no_grad():
            self.tape.repeat()
        return self._result
