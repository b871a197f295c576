"""Why a run's training ended, and how long it has trained."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of runs that are there already neither is known."""
    op.add_column("runs", sa.Column("ended_by", sa.String(16), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("train_seconds", sa.Float()))
