"""One run's rows as plain values, to be put into another store: what a bundle carries of the database.

Marks stay behind: what people say of runs belongs to their workspace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import RunError
from engine.records import RunStatus
from engine.store.database import Database
from engine.store.marks import first_number
from engine.store.tables import (
    ArtifactRow,
    AttemptRow,
    Base,
    EpochRow,
    MarksRow,
    MetricRow,
    PointRow,
    PurgedRow,
    RunRow,
    UsageRow,
    UtcTime,
)

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Table → rows → column → JSON-ready value."""

_TABLES: tuple[type[Base], ...] = (RunRow, AttemptRow, PointRow, EpochRow, MetricRow, ArtifactRow, UsageRow)
_OF_THE_STORE = ("revision", "history_revision", "pid", "pid_created", "stop_requested")
"""Columns of a run that mean something in its own store, or on its own machine, alone."""


def take(database: Database, run_id: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a run. Raises ``StoreError``."""
    found: dict[str, list[dict[str, Any]]] = {}
    with database.read() as session:
        for kind in _TABLES:
            columns = kind.__table__.columns
            key = columns["id"] if kind is RunRow else columns["run_id"]
            rows = session.execute(select(*columns).where(key == run_id))
            left = _OF_THE_STORE if kind is RunRow else ()
            found[kind.__tablename__] = [_plain(dict(row._mapping), left) for row in rows]
    return found


def put(database: Database, rows: Rows) -> str:
    """Write a run's rows into this store → its id.

    Raises ``RunError`` for a run that is here already or has not ended, and for rows that are damaged or not of this
    version, ``StoreError``.
    """
    try:
        return _put(database, rows)
    except (KeyError, TypeError, ValueError, AttributeError, SQLAlchemyError):
        raise RunError("The bundle's rows are damaged.", "Write it again.") from None


def _put(database: Database, rows: Rows) -> str:
    values = {kind: [_row(kind, row) for row in rows.get(kind.__tablename__, ())] for kind in _TABLES}
    if len(values[RunRow]) != 1:
        raise RunError("The bundle holds no run.", "Write it again.")
    run = values[RunRow][0]
    run_id = str(run["id"])
    if not RunStatus(run["status"]).is_end:
        raise RunError(f"Run {run_id} has not ended.", "Stop it first, or wait.")
    if any(row["run_id"] != run_id for kind in _TABLES[1:] for row in values[kind]):
        raise RunError("The bundle's rows are of several runs.", "Write it again.")
    with database.write() as (session, revision):
        if session.get(RunRow, run_id) is not None:
            raise RunError(f"Run {run_id} is in this workspace already.", "Open it on the Runs page.")
        session.execute(delete(PurgedRow).where(PurgedRow.run_id == run_id))  # it comes back
        run |= {"revision": revision, "history_revision": revision, "stop_requested": False}
        for kind in _TABLES:
            if values[kind]:
                session.execute(insert(kind), values[kind])
        session.add(MarksRow(run_id=run_id, number=first_number(session), revision=revision))
    return run_id


def _plain(row: dict[str, Any], left: Sequence[str]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in left
    }


def _row(kind: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    columns = kind.__table__.columns
    if not isinstance(row, Mapping) or not {column.name for column in columns if column.primary_key} <= set(row):
        raise RunError("The bundle's rows are damaged.", "Write it again.")
    if unknown := sorted(set(row) - set(columns.keys())):
        raise RunError(f"The bundle has columns that this version does not know: {', '.join(unknown)}.", "Upgrade.")
    try:
        return {
            name: datetime.fromisoformat(value) if value and isinstance(columns[name].type, UtcTime) else value
            for name, value in row.items()
        }
    except (TypeError, ValueError):
        raise RunError("The bundle has a time that is none.", "Write it again.") from None
