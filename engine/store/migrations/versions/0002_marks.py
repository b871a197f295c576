"""Marks, shelves, stars, the queue's order, and what runs use of the machine."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _run_id(*, is_key: bool = True) -> sa.Column[str]:
    reference = sa.ForeignKey("runs.id", ondelete="CASCADE")
    return sa.Column("run_id", sa.String(32), reference, primary_key=is_key, nullable=False)


def _key(name: str, kind: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind or sa.Integer(), primary_key=True, autoincrement=False)


def _need(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    """Create the tables; runs that are there already get their marks, numbered in the order of their making."""
    _marks()
    _queue()
    op.create_table(
        "usage",
        _run_id(),
        _key("attempt"),
        _key("sequence"),
        _need("at", sa.DateTime),
        _need("processor", sa.Float),
        *(_need(name, sa.BigInteger) for name in ("memory", "memory_free")),
        sa.Column("gpu", sa.Float()),
        sa.Column("gpu_memory", sa.BigInteger()),
        sqlite_with_rowid=False,
    )


def _marks() -> None:
    marks = op.create_table(
        "run_marks",
        _run_id(),
        _need("number", sa.Integer),
        _need("note", sa.Text),
        sa.Column("colour", sa.Integer()),
        _need("shelf", sa.String(16)),
        sa.Column("shelved_at", sa.DateTime()),
        _need("revision", sa.Integer),
    )
    op.create_index("run_marks_by_revision", "run_marks", ["revision"])
    op.create_index("run_marks_by_number", "run_marks", ["number"])
    ids = [row[0] for row in op.get_bind().execute(sa.text("SELECT id FROM runs ORDER BY id"))]
    rows = [
        {"run_id": run_id, "number": number, "note": "", "shelf": "shown", "revision": 0}
        for number, run_id in enumerate(ids)
    ]
    if rows:
        op.bulk_insert(marks, rows)
    op.create_table("run_tags", _run_id(), _key("tag", sa.String(64)), sqlite_with_rowid=False)
    op.create_table("baselines", _key("fingerprint", sa.String(128)), _run_id(is_key=False))
    op.create_table("purged", _key("run_id", sa.String(32)), _need("number", sa.Integer), _need("revision", sa.Integer))
    op.create_index("purged_by_revision", "purged", ["revision"])


def _queue() -> None:
    op.create_table("queue_places", _run_id(), _need("place", sa.Integer))
    desk = op.create_table(
        "desk",
        sa.Column("id", sa.Integer(), primary_key=True),
        _need("is_paused", sa.Boolean),
        _need("at_once", sa.Text),
        *(_need(name, sa.Integer) for name in ("stars_revision", "queue_revision")),
    )
    op.bulk_insert(desk, [{"id": 1, "is_paused": False, "at_once": "{}", "stars_revision": 0, "queue_revision": 0}])
