"""The protocol of one run: every choice that moves its numbers, and whether anything held out leaked into training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProtocolFact:
    """``name`` and ``value`` in words; ``source`` is where it is defined: paper, FACTS number, the setting's path."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True)
class LeakFinding:
    """One way in which held-out items could reach training, or numbers could be wrong.

    ``count`` of ``total`` positions, users or values do.
    """

    name: str
    verdict: str
    """``clean``, ``leak``, ``departure`` (held-out items are used, but only to avoid them), ``impossible`` (numbers
    that no ranking has) or ``unknown``."""
    told: str
    count: int = 0
    total: int = 0


@dataclass(frozen=True)
class RunProtocolRecord:
    """The card of one run."""

    run_id: str
    facts: tuple[ProtocolFact, ...]
    findings: tuple[LeakFinding, ...]

    @property
    def verdict(self) -> str:
        """The worst of the findings."""
        found = {finding.verdict for finding in self.findings}
        return next((worst for worst in ("impossible", "leak", "departure", "unknown") if worst in found), "clean")
