"""The tables of the store. Rows never leave this package: what leaves it are the frozen records of ``engine.records``.

A change here needs a new file in ``migrations/versions`` (a test compares both).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Dialect, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as naive UTC, so that SQLite and PostgreSQL compare it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """A tree of plain values as JSON text. Text, because a loss can be NaN, which PostgreSQL's own type refuses."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        return json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return {} if value is None else json.loads(value)


class SharedJson(Json):
    """A small tree that thousands of rows have alike, parsed once. Nobody writes into it."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return {} if value is None else _parsed(value)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    return json.loads(text)


class Number(TypeDecorator[float]):
    """A float that may be NaN: SQLite stores NaN as NULL, and it comes back as NaN."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: float | None, dialect: Dialect) -> float:  # noqa: ARG002
        return float("nan") if value is None else float(value)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Float()}


class ClockRow(Base):
    """One row: the number of the last change. Every writing transaction counts it up first.

    That also orders the writers (the row stays locked until the commit), so a reader that has seen change ``n`` has
    seen every change before it.
    """

    __tablename__ = "clock"
    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]


class RunRow(Base):
    """One run: what was asked for, and where it stands."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    preset: Mapped[str] = mapped_column(Text)
    config: Mapped[Any] = mapped_column(Json)
    schema_version: Mapped[int]
    dataset: Mapped[str] = mapped_column(Text)
    dataset_path: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(Text)
    seed: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    queued_at: Mapped[datetime] = mapped_column(UtcTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcTime)
    pid: Mapped[int | None]
    pid_created: Mapped[float | None]
    host: Mapped[str] = mapped_column(Text, default="")
    device: Mapped[str] = mapped_column(Text, default="")
    phase: Mapped[str] = mapped_column(Text, default="")
    epoch: Mapped[int] = mapped_column(default=0)
    epochs: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float | None]
    seconds_left: Mapped[float | None]
    best_epoch: Mapped[int | None]
    hybrid_started: Mapped[bool | None]
    stop_requested: Mapped[bool] = mapped_column(default=False)
    message: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(Text, default="")
    log_path: Mapped[str] = mapped_column(Text, default="")
    log_tail: Mapped[str] = mapped_column(Text, default="")
    versions: Mapped[Any] = mapped_column(SharedJson, default=dict)
    hardware: Mapped[Any] = mapped_column(SharedJson, default=dict)
    revision: Mapped[int]
    history_revision: Mapped[int] = mapped_column(default=0)
    ended_by: Mapped[str] = mapped_column(String(16), default="", server_default="")
    train_seconds: Mapped[float | None]

    __table_args__ = (
        Index("runs_by_revision", "revision"),
        Index("runs_by_status", "status", "queued_at"),
    )


class AttemptRow(Base):
    """One start of a run. ``first_epoch`` is the first that it trained itself: older rows from there on are void."""

    __tablename__ = "attempts"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    first_epoch: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    message: Mapped[str] = mapped_column(Text, default="")


class PointRow(Base):
    """One value of one series."""

    __tablename__ = "points"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    step: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[float | None] = mapped_column(Number)

    __table_args__ = ({"sqlite_with_rowid": False},)


class EpochRow(Base):
    """One finished epoch."""

    __tablename__ = "epochs"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    train_seconds: Mapped[float]
    validate_seconds: Mapped[float]
    losses: Mapped[Any] = mapped_column(Json)
    metrics: Mapped[Any] = mapped_column(Json)
    correlation: Mapped[str] = mapped_column(Text)
    is_best: Mapped[bool]

    __table_args__ = ({"sqlite_with_rowid": False},)


class MetricRow(Base):
    """One final metric of a run: ``split`` is valid or test."""

    __tablename__ = "metrics"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    split: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[float | None] = mapped_column(Number)

    __table_args__ = ({"sqlite_with_rowid": False},)


class ArtifactRow(Base):
    """A file of a run, by its path below the workspace."""

    __tablename__ = "artifacts"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempt: Mapped[int]
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class LockRow(Base):
    """Who holds a name that only one process may hold, e.g. the queue's worker."""

    __tablename__ = "locks"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    pid_created: Mapped[float]
    taken_at: Mapped[datetime] = mapped_column(UtcTime)


class MarksRow(Base):
    """What people say of a run; there is one for every run. ``number`` is given in the order of making, never twice."""

    __tablename__ = "run_marks"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int]
    note: Mapped[str] = mapped_column(Text, default="")
    colour: Mapped[int | None]
    shelf: Mapped[str] = mapped_column(String(16), default="shown")
    shelved_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revision: Mapped[int]

    __table_args__ = (Index("run_marks_by_revision", "revision"), Index("run_marks_by_number", "number"))


class TagRow(Base):
    """One tag of one run."""

    __tablename__ = "run_tags"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class BaselineRow(Base):
    """The starred run of a data set, which the others are compared with."""

    __tablename__ = "baselines"
    fingerprint: Mapped[str] = mapped_column(String(128), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))


class PurgedRow(Base):
    """A run that is gone for good: readers that hold it must forget it."""

    __tablename__ = "purged"
    run_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int]
    revision: Mapped[int]

    __table_args__ = (Index("purged_by_revision", "revision"),)


class QueuePlaceRow(Base):
    """Place of a queued run that was moved; those without one wait behind, in the order of queueing."""

    __tablename__ = "queue_places"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int]


class DeskRow(Base):
    """One row: whether the queue is paused, how many runs at once by device; when stars and the queue last changed."""

    __tablename__ = "desk"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_paused: Mapped[bool] = mapped_column(default=False)
    at_once: Mapped[Any] = mapped_column(Json, default=dict)
    stars_revision: Mapped[int] = mapped_column(default=0)
    queue_revision: Mapped[int] = mapped_column(default=0)


class UsageRow(Base):
    """What an attempt's process used at one moment."""

    __tablename__ = "usage"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    processor: Mapped[float]
    memory: Mapped[int] = mapped_column(BigInteger)
    memory_free: Mapped[int] = mapped_column(BigInteger)
    gpu: Mapped[float | None]
    gpu_memory: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = ({"sqlite_with_rowid": False},)
