"""Alembic migrations of the store, run by ``engine.store.database`` when a workspace is opened."""
