"""Runs that have ended, made in a real store without a training: made-up ranks on the sample's real users."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.api import Workspace
from engine.config import ExperimentConfig, preset
from engine.data.dataset import load
from engine.data.splits import leave_one_out
from engine.evaluation.metrics import metrics_of
from engine.records import EpochReport, RunRecord, RunStatus
from engine.runs import liveness
from engine.runs.files import RANKS
from engine.store import Ending, Progress

KS = (5, 10, 20)


@cache
def sample_users() -> NDArray[np.int64]:
    return leave_one_out(load("sample")).users


def made_ranks(quality: float, seed: int) -> NDArray[np.float64]:
    """Ranks of the sample's users: each has a taste of its own, the lower ``quality``, the better."""
    users = len(sample_users())
    taste = np.random.default_rng(7).exponential(60, users)
    return np.floor(np.random.default_rng(seed).exponential(taste * quality))


def finish(
    workspace: Workspace,
    quality: float = 1.0,
    seeds: tuple[int, ...] = (1,),
    values: dict[str, Any] | None = None,
    *,
    name: str = "sample",
    has_ranks: bool = True,
    status: RunStatus = RunStatus.FINISHED,
) -> tuple[RunRecord, ...]:
    """Runs of a preset with ``values`` changed, one a seed, that have ended with ranks, metrics and three epochs."""
    runs = workspace.runs
    config: ExperimentConfig = preset(name).config.replace({"data.path": "sample", **(values or {})})
    made = runs.submit(config, preset=name, seeds=seeds)
    end(workspace, made, quality, has_ranks=has_ranks, status=status)
    return tuple(runs.get(record.id) for record in made)


def end(
    workspace: Workspace,
    queued: Sequence[RunRecord],
    quality: float = 1.0,
    *,
    has_ranks: bool = True,
    status: RunStatus = RunStatus.FINISHED,
    ended_by: str = "epochs",
    seconds: float = 7.5,
) -> None:
    """Queued runs become such runs."""
    runs = workspace.runs
    for record in queued:
        attempt = runs.store.claim(record.id, liveness.this_process())
        assert attempt is not None
        ranks = {which: made_ranks(quality, 10 * record.seed + n) for n, which in enumerate(("valid", "test"))}
        if has_ranks:
            record.directory.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(record.directory / RANKS, users=sample_users(), **ranks)  # type: ignore[arg-type]
        reports = [
            EpochReport(n, 2.0, 0.5, {"total": 3.0 - n}, {"NDCG@20": 0.1 * (n + record.seed)}, "memory", n == 2)
            for n in range(0 if ended_by == "nothing" else 3)
        ]
        best = reports[-1].epoch if reports else None  # what does not train has none
        if reports:
            runs.store.record(record.id, attempt, Progress(epochs=reports, values={"best_epoch": best, "epoch": 2}))
        metrics = {which: metrics_of(own, KS) for which, own in ranks.items()}
        values = {"best_epoch": best, "ended_by": ended_by, "train_seconds": seconds, "device": "CPU"}
        values |= {"hardware": {"processor": "A processor"}, "versions": {"torch": "2.13.0"}}
        runs.store.end(record.id, attempt, Ending(status, "Done.", metrics=metrics, values=values))


def ids(*groups: tuple[RunRecord, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(record.id for record in group) for group in groups)
