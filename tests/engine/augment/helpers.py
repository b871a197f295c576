"""What the tests of this folder share: making operators, configurations and tables; reading plans; chi-square."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from engine.augment.base import Operator
from engine.augment.plan import Plan
from engine.config import ExperimentConfig, FidelityOptions
from engine.records import TokenKind
from engine.registry import entry
from tests.engine.augment.reference import LETTERS, View


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def offsets_of(lengths: Iterable[int]) -> Tensor:
    return torch.tensor([0, *np.cumsum(list(lengths)).tolist()])


def operator(name: str, rate: float, fidelity: FidelityOptions | None = None) -> Operator:
    found = entry("operator", name)
    options = found.options(**{found.facts["rate"]: rate})
    made: Operator = found.load()(options, fidelity or FidelityOptions())
    return made


def config(**values: Any) -> ExperimentConfig:
    """``config(augment__crop_rate=0.5)``."""
    return ExperimentConfig().replace({name.replace("__", "."): value for name, value in values.items()})


def views_of(plan: Plan, starts: Tensor) -> list[View]:
    """Each sequence's tokens, sources counted from the sequence's own start."""
    result = []
    for index, start in enumerate(starts.tolist()):
        first, last = plan.offsets[index : index + 2].tolist()
        sources = plan.sources[first:last].tolist()
        kinds = [LETTERS[TokenKind(kind)] for kind in plan.kinds[first:last].tolist()]
        result.append(tuple((source - start, kind) for source, kind in zip(sources, kinds, strict=True)))
    return result


@dataclass(frozen=True)
class Table:
    """A neighbour table as `engine.augment.views.NeighbourTable` asks for it."""

    ids: Tensor
    scores: Tensor
    pool: Tensor


def table(item_count: int, k: int = 1, without: Iterable[int] = (), seed: int = 0) -> Table:
    """Random neighbours with scores that tell (item, neighbour): ``item + neighbour / 1000``; some items have none."""
    generator = seeded(seed)
    ids = torch.randint(1, item_count + 1, (item_count + 2, k), generator=generator)
    if k > 1:
        ids[::3, k - 1] = 0  # some rows are not full
    ids[[0, item_count + 1, *without]] = 0
    scores = torch.arange(item_count + 2).unsqueeze(1) + ids / 1000
    pool = (ids[:, 0] > 0).nonzero().squeeze(1)
    return Table(ids, torch.where(ids > 0, scores, 0.0).to(torch.float32), pool)


def assert_distributed(seen: Iterable[Hashable], expected: Mapping[Any, float]) -> None:
    """Chi-square of observed outcomes against probabilities; nothing outside them may be seen."""
    counts = Counter(seen)
    assert set(counts) <= set(expected)
    total = sum(counts.values())
    if len(expected) == 1:
        return
    observed = [counts[outcome] for outcome in expected]
    result = stats.chisquare(observed, [share * total for share in expected.values()])
    assert result.pvalue > 1e-4
