"""Early stopping on a validation metric (FACTS F5)."""

from __future__ import annotations

from typing import Any


class EarlyStopping:
    """Stops after ``patience`` epochs in a row without a strictly greater value. Epochs count from 0."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.waited = 0

    def update(self, epoch: int, value: float) -> bool:
        """Tell an epoch's value; whether it is the best so far."""
        if self.best is None or value > self.best:
            self.best, self.best_epoch, self.waited = value, epoch, 0
            return True
        self.waited += 1
        return False

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
