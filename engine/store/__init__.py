"""The store: SQLAlchemy over SQLite or PostgreSQL, Alembic migrations, frozen records out. Imports no torch."""

from engine.store.attempts import Artifact, Ending, ProcessMark, Progress, StaleAttempt
from engine.store.store import NewRun, Store

__all__ = ["Artifact", "Ending", "NewRun", "ProcessMark", "Progress", "StaleAttempt", "Store"]
