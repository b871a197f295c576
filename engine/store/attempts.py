"""What one attempt of a run writes: claim, progress, end. Every write names its attempt, so a stale one writes nothing.

A laptop that wakes from sleep may hold a process whose run has long been swept and resumed elsewhere. Its writes find
no row with its attempt number and raise ``StaleAttempt``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.errors import RunError
from engine.records import EpochReport, RunStatus
from engine.store.rows import epoch_values, point_values
from engine.store.tables import ArtifactRow, AttemptRow, EpochRow, MetricRow, PointRow, RunRow, UsageRow, now


class StaleAttempt(RunError):  # noqa: N818 (not a failure: the run lives on elsewhere)
    """The run has ended or goes on in another attempt: this one must write nothing and end."""


@dataclass(frozen=True)
class ProcessMark:
    """Which process: an id alone is used again by the system, with its creation time and host it is not."""

    host: str
    pid: int
    created: float
    """Seconds since 1970, as psutil tells it."""


@dataclass
class Progress:
    """What has happened since the last write. ``points`` are (sequence, epoch, step, name, value)."""

    points: list[tuple[int, int, int, str, float]] = field(default_factory=list)
    epochs: list[EpochReport] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    """Columns of the run: phase, epoch, step, steps, progress, seconds_left, best_epoch, hybrid_started, device."""
    first_epoch: int | None = None
    """First epoch that this attempt trains, once it is known."""
    usage: list[dict[str, Any]] = field(default_factory=list)
    """Columns of ``usage``, without run and attempt."""


@dataclass(frozen=True)
class Artifact:
    """A written file: ``path`` below the workspace, with forward slashes."""

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Ending:
    """How an attempt ended."""

    status: RunStatus
    message: str = ""
    hint: str = ""
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    log_tail: str = ""


def claim(session: Session, revision: int, run_id: str, mark: ProcessMark) -> int | None:
    """Make a queued run this process's own: the new attempt's number, or None when it is not queued (any more)."""
    moment = now()
    attempt = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.status == RunStatus.QUEUED)
        .values(
            status=RunStatus.RUNNING,
            attempt=RunRow.attempt + 1,
            pid=mark.pid,
            pid_created=mark.created,
            host=mark.host,
            started_at=moment,
            heartbeat_at=moment,
            ended_at=None,
            phase="starting",
            stop_requested=False,
            message="",
            hint="",
            log_tail="",
            ended_by="",
            revision=revision,
        )
        .returning(RunRow.attempt),
    ).scalar_one_or_none()
    if attempt is None:
        return None
    session.add(
        AttemptRow(
            run_id=run_id,
            attempt=attempt,
            status=RunStatus.RUNNING,
            started_at=moment,
            host=mark.host,
            pid=mark.pid,
            message="",
        )
    )
    return attempt


def record(session: Session, revision: int, run_id: str, attempt: int, progress: Progress) -> bool:
    """Write what has happened, with a heartbeat; tells whether a stop is asked for. Raises ``StaleAttempt``."""
    values = dict(progress.values)
    rewritten = _open_history(session, run_id, attempt, progress.first_epoch)
    if rewritten:
        values["history_revision"] = revision
    stop = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.attempt == attempt, RunRow.status == RunStatus.RUNNING)
        .values(**values, heartbeat_at=now(), revision=revision)
        .returning(RunRow.stop_requested),
    ).scalar_one_or_none()
    if stop is None:
        raise _stale(run_id, attempt)
    if progress.points:
        session.execute(insert(PointRow), [point_values(run_id, attempt, point) for point in progress.points])
    if progress.epochs:
        session.execute(insert(EpochRow), [epoch_values(run_id, attempt, report) for report in progress.epochs])
    if progress.usage:
        rows = [{"run_id": run_id, "attempt": attempt, "at": now(), **values} for values in progress.usage]
        session.execute(insert(UsageRow), rows)
    return stop


def _open_history(session: Session, run_id: str, attempt: int, first_epoch: int | None) -> bool:
    """Note where a resumed attempt's own history begins, once; tells whether older rows are hidden by it now."""
    if first_epoch is None:
        return False
    changed = session.execute(
        update(AttemptRow)
        .where(AttemptRow.run_id == run_id, AttemptRow.attempt == attempt, AttemptRow.first_epoch.is_(None))
        .values(first_epoch=first_epoch)
        .returning(AttemptRow.attempt),
    ).scalar_one_or_none()
    return changed is not None and attempt > 1


def end(session: Session, revision: int, run_id: str, attempt: int, ending: Ending) -> None:
    """Close a running attempt. Raises ``StaleAttempt`` when it is closed already."""
    moment = now()
    closing = {
        "status": ending.status,
        "message": ending.message,
        "hint": ending.hint,
        "log_tail": ending.log_tail,
        "ended_at": moment,
        "phase": "",
        "seconds_left": None,
        "stop_requested": False,
        "revision": revision,
    }
    changed = session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.attempt == attempt, RunRow.status == RunStatus.RUNNING)
        .values(**{**ending.values, **closing})
        .returning(RunRow.id),
    ).scalar_one_or_none()
    if changed is None:
        raise _stale(run_id, attempt)
    session.execute(
        update(AttemptRow)
        .where(AttemptRow.run_id == run_id, AttemptRow.attempt == attempt)
        .values(status=ending.status, ended_at=moment, message=ending.message)
    )
    session.execute(delete(MetricRow).where(MetricRow.run_id == run_id))
    rows = [
        {"run_id": run_id, "split": split, "name": name, "value": float(value)}
        for split, values in ending.metrics.items()
        for name, value in values.items()
    ]
    if rows:
        session.execute(insert(MetricRow), rows)
    for artifact in ending.artifacts:
        put_artifact(session, run_id, attempt, artifact)


def put_artifact(session: Session, run_id: str, attempt: int, artifact: Artifact) -> None:
    """Note a written file; a later one of the same name replaces it."""
    session.merge(
        ArtifactRow(
            run_id=run_id,
            name=artifact.name,
            attempt=attempt,
            path=artifact.path,
            size=artifact.size,
            sha256=artifact.sha256,
            created_at=now(),
        )
    )


def wants_stop(session: Session, run_id: str, attempt: int) -> bool:
    """Whether a stop is asked for: one cheap read. Raises ``StaleAttempt``."""
    found = session.execute(
        select(RunRow.stop_requested).where(
            RunRow.id == run_id, RunRow.attempt == attempt, RunRow.status == RunStatus.RUNNING
        )
    ).scalar_one_or_none()
    if found is None:
        raise _stale(run_id, attempt)
    return found


def _stale(run_id: str, attempt: int) -> StaleAttempt:
    return StaleAttempt(f"Attempt {attempt} of run {run_id} is no longer the current one.", "It writes nothing more.")
