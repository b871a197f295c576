"""The first schema.

Written out in full, not derived from ``tables.py``: a migration never changes once it has been released.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _run_id() -> sa.Column[str]:
    return sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def _key(name: str, kind: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind or sa.Integer(), primary_key=True, autoincrement=False)


def _need(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    """Create every table."""
    clock = op.create_table("clock", sa.Column("id", sa.Integer(), primary_key=True), _need("revision", sa.Integer))
    op.bulk_insert(clock, [{"id": 1, "revision": 0}])
    _runs()
    _histories()
    _results()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        *(_need(name, sa.Text) for name in ("name", "preset", "config")),
        _need("schema_version", sa.Integer),
        *(_need(name, sa.Text) for name in ("dataset", "dataset_path", "fingerprint")),
        _need("seed", sa.Integer),
        _need("status", sa.String(16)),
        _need("attempt", sa.Integer),
        *(_need(name, sa.DateTime) for name in ("created_at", "queued_at")),
        *(sa.Column(name, sa.DateTime()) for name in ("started_at", "ended_at", "heartbeat_at")),
        sa.Column("pid", sa.Integer()),
        sa.Column("pid_created", sa.Float()),
        *(_need(name, sa.Text) for name in ("host", "device", "phase")),
        *(_need(name, sa.Integer) for name in ("epoch", "epochs", "step", "steps")),
        *(sa.Column(name, sa.Float()) for name in ("progress", "seconds_left")),
        sa.Column("best_epoch", sa.Integer()),
        sa.Column("hybrid_started", sa.Boolean()),
        _need("stop_requested", sa.Boolean),
        *(_need(name, sa.Text) for name in ("message", "hint", "log_path", "log_tail", "versions", "hardware")),
        *(_need(name, sa.Integer) for name in ("revision", "history_revision")),
    )
    op.create_index("runs_by_revision", "runs", ["revision"])
    op.create_index("runs_by_status", "runs", ["status", "queued_at"])


def _histories() -> None:
    op.create_table(
        "attempts",
        _run_id(),
        _key("attempt"),
        sa.Column("first_epoch", sa.Integer()),
        _need("status", sa.String(16)),
        _need("started_at", sa.DateTime),
        sa.Column("ended_at", sa.DateTime()),
        _need("host", sa.Text),
        _need("pid", sa.Integer),
        _need("message", sa.Text),
    )
    op.create_table(
        "points",
        _run_id(),
        _key("attempt"),
        _key("sequence"),
        _need("epoch", sa.Integer),
        _need("step", sa.Integer),
        _need("name", sa.Text),
        sa.Column("value", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "epochs",
        _run_id(),
        _key("attempt"),
        _key("epoch"),
        *(_need(name, sa.Float) for name in ("train_seconds", "validate_seconds")),
        *(_need(name, sa.Text) for name in ("losses", "metrics", "correlation")),
        _need("is_best", sa.Boolean),
        sqlite_with_rowid=False,
    )


def _results() -> None:
    op.create_table(
        "metrics",
        _run_id(),
        _key("split", sa.String(16)),
        _key("name", sa.String(64)),
        sa.Column("value", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "artifacts",
        _run_id(),
        _key("name", sa.String(64)),
        _need("attempt", sa.Integer),
        _need("path", sa.Text),
        _need("size", sa.Integer),
        _need("sha256", sa.String(64)),
        _need("created_at", sa.DateTime),
    )
    op.create_table(
        "locks",
        _key("name", sa.String(64)),
        _need("host", sa.Text),
        _need("pid", sa.Integer),
        _need("pid_created", sa.Float),
        _need("taken_at", sa.DateTime),
    )
