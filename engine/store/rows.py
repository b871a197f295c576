"""Rows to records and back: the only place that knows both."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.config import stage_at
from engine.paths import RUNS
from engine.records import ArtifactRecord, EpochReport, RunRecord, RunStatus
from engine.store.tables import ArtifactRow, EpochRow, MetricRow, RunRow

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_704_067_200_000  # 2024-01-01: 40 bits of milliseconds reach to 2058
_last_ms = 0
_lock = threading.Lock()
_CHUNK = 500
"""Ids in one IN (…): below every database's limit on parameters."""


def in_chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in parts that one IN (…) takes."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def new_id() -> str:
    """A new run id: 8 characters of time, 4 of chance, in Crockford's base 32. Ids sort by their making."""
    global _last_ms
    with _lock:
        _last_ms = max(time.time_ns() // 1_000_000 - _EPOCH_MS, _last_ms + 1)
        number = (_last_ms << 20) | secrets.randbits(20)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(55, -1, -5))


def run_rows(session: Session, query: Any) -> list[Any]:
    """The runs of a ``select(RunRow)`` as plain rows: the session does not keep watch over ten thousand objects."""
    return list(session.execute(query.with_only_columns(*RunRow.__table__.columns, maintain_column_froms=True)))


def run_records(session: Session, rows: Iterable[Any], workspace: Path) -> tuple[RunRecord, ...]:
    """The rows as records, with their final metrics."""
    listed = list(rows)
    ids = [row.id for row in listed if RunStatus(row.status).is_end]
    metrics: dict[str, dict[str, dict[str, float]]] = {}
    for chunk in in_chunks(ids):
        # Columns, not rows as objects: with ten thousand runs these are a hundred thousand values.
        columns = (MetricRow.run_id, MetricRow.split, MetricRow.name, MetricRow.value)
        found = session.execute(select(*columns).where(MetricRow.run_id.in_(chunk)))
        for run_id, split, name, value in found:
            metrics.setdefault(run_id, {}).setdefault(split, {})[name] = float("nan") if value is None else value
    for splits in metrics.values():
        for split, values in splits.items():
            splits[split] = dict(sorted(values.items(), key=lambda pair: _natural(pair[0])))
    folder = workspace / RUNS
    return tuple(_run_record(row, metrics.get(row.id, {}), folder) for row in listed)


@cache
def _natural(name: str) -> tuple[int, str, int]:
    """HR@5 before HR@10, HR before NDCG before the rest, as tables print them."""
    stem, _, k = name.partition("@")
    return {"HR": 0, "NDCG": 1}.get(stem, 2), stem, int(k) if k.isdecimal() else 0


def _run_record(row: Any, metrics: Mapping[str, Mapping[str, float]], folder: Path) -> RunRecord:
    return RunRecord(
        id=row.id,
        name=row.name,
        status=RunStatus(row.status),
        attempt=row.attempt,
        preset=row.preset,
        config=row.config,
        dataset=row.dataset,
        fingerprint=row.fingerprint,
        seed=row.seed,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        heartbeat_at=row.heartbeat_at,
        pid=row.pid,
        host=row.host,
        device=row.device,
        phase=row.phase,
        epoch=row.epoch,
        epochs=row.epochs,
        step=row.step,
        steps=row.steps,
        progress=row.progress,
        seconds_left=row.seconds_left,
        best_epoch=row.best_epoch,
        hybrid_started=row.hybrid_started,
        stop_requested=row.stop_requested,
        message=row.message,
        hint=row.hint,
        metrics=metrics,
        versions=row.versions,
        directory=folder / row.id,
        hardware=row.hardware,
        ended_by=row.ended_by,
        train_seconds=row.train_seconds,
    )


def epoch_record(row: EpochRow, pretrain_epochs: int) -> EpochReport:
    """The row's record; which stage the epoch is of, a run with so many epochs of pre-training tells of all alike."""
    values = (row.train_seconds, row.validate_seconds, row.losses, row.metrics, row.correlation, row.is_best)
    return EpochReport(row.epoch, *values, stage_at(pretrain_epochs, row.epoch))


def artifact_record(row: ArtifactRow, workspace: Path) -> ArtifactRecord:
    return ArtifactRecord(row.run_id, row.name, row.attempt, workspace / row.path, row.size, row.sha256)


def point_values(run_id: str, attempt: int, point: tuple[int, int, int, str, float]) -> dict[str, Any]:
    """A buffered point ``(sequence, epoch, step, name, value)`` as the table's columns."""
    sequence, epoch, step, name, value = point
    return {
        "run_id": run_id,
        "attempt": attempt,
        "sequence": sequence,
        "epoch": epoch,
        "step": step,
        "name": name,
        "value": float(value),
    }


def epoch_values(run_id: str, attempt: int, report: EpochReport) -> dict[str, Any]:
    """An epoch's report as the table's columns."""
    return {
        "run_id": run_id,
        "attempt": attempt,
        "epoch": report.epoch,
        "train_seconds": float(report.train_seconds),
        "validate_seconds": float(report.validate_seconds),
        "losses": {name: float(value) for name, value in report.losses.items()},
        "metrics": {name: float(value) for name, value in report.metrics.items()},
        "correlation": report.correlation,
        "is_best": bool(report.is_best),
    }
