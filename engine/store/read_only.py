"""SQLite where nothing may be written: a read-only mount, a colleague's folder, an archive.

SQLite reads a database with a log (WAL) only where it can make two files beside it, unless it is told that nobody
changes the file. How it stands is looked at for every transaction: somebody else may be able to write there.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from engine.errors import StoreError

COPY = "Copy the workspace to a folder that can be written, and open it there."


def is_read_only(where: Path) -> bool:
    """Whether there is a database that may be read here and not written."""
    return where.is_file() and not (os.access(where, os.W_OK) and os.access(where.parent, os.W_OK))


def connect(where: Path, patience: float) -> sqlite3.Connection:
    """A connection that only reads. Raises ``StoreError`` where the file alone does not tell what the store holds."""
    log, index = (where.with_name(where.name + end) for end in ("-wal", "-shm"))
    if log.exists() and index.exists():
        how = "mode=ro"  # somebody has it open, or has been killed: SQLite reads both files, as it does everywhere
    elif log.exists() and log.stat().st_size:
        raise StoreError(f"{where} cannot be read: what {log.name} holds of it cannot be read in this folder.", COPY)
    else:
        how = "mode=ro&immutable=1"
    address = f"{where.absolute().as_uri()}?{how}"
    return sqlite3.connect(address, uri=True, timeout=patience, check_same_thread=False, isolation_level=None)
