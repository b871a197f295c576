"""What a training tells whoever listens. The recorder of ``engine.runs`` implements it; tests pass their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from engine.records import EpochReport


class Listener(Protocol):
    """Receives a training's life. Every method returns quickly; none may raise for a full disk or a slow store."""

    def phase(self, name: str) -> None:
        """A phase begins: ``correlations``, ``training``, ``validating``, ``testing``."""

    def step(self, epoch: int, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """About once a second: position in the epoch and the running losses."""

    def epoch(self, report: EpochReport) -> None:
        """An epoch has ended, validated and, where it is due, written to the checkpoint."""

    def resumed(self, reports: tuple[EpochReport, ...]) -> None:
        """Training goes on after these epochs. The last of them may have been told to nobody that still lives."""

    def hybrid_began(self, epoch: int) -> None:
        """From this epoch on, correlations are hybrid (Algorithm 1, line 5)."""

    def remark(self, text: str) -> None:
        """A sentence for the log."""

    def should_stop(self) -> bool:
        """Asked between steps: whether to stop with a checkpoint."""
        ...


class Silent:
    """A listener that ignores everything and never stops."""

    def phase(self, name: str) -> None: ...

    def step(self, epoch: int, step: int, steps: int, losses: Mapping[str, float]) -> None: ...

    def epoch(self, report: EpochReport) -> None: ...

    def resumed(self, reports: tuple[EpochReport, ...]) -> None: ...

    def hybrid_began(self, epoch: int) -> None: ...

    def remark(self, text: str) -> None: ...

    def should_stop(self) -> bool:
        return False
