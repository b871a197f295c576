"""Opening the database: SQLite in the workspace, or PostgreSQL by URL; migrated, and safe for several processes.

Every connection has WAL, foreign keys and a busy timeout. Reading and writing are two short transactions: a writer
takes the write lock at its beginning (BEGIN IMMEDIATE) and counts the clock up, so changes are numbered in the order
in which they become visible.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from engine.errors import StoreError
from engine.store import read_only
from engine.store.tables import ClockRow

HEAD = "0003"
"""Schema that this version writes; the revisions of ``migrations/versions`` are numbered in order."""
BUSY_SECONDS = 15.0
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """An opened database. Safe to use from several threads; each transaction has a connection of its own."""

    def __init__(self, engine: Engine, where: str, *, can_write: bool = True) -> None:
        self.engine = engine
        self.where = where
        self.can_write = can_write
        self._writing = engine.execution_options(coserec_immediate=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A reading transaction: one snapshot. Raises ``StoreError``."""
        with _translated(self.where), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[tuple[Session, int]]:
        """A writing transaction and its number. Commits at the end, rolls back on any error. Raises ``StoreError``."""
        if not self.can_write:
            raise StoreError(f"{self.where} can be read here, but not written.", read_only.COPY)
        with _translated(self.where), Session(self._writing, expire_on_commit=False) as session, session.begin():
            revision = session.execute(
                update(ClockRow).values(revision=ClockRow.revision + 1).returning(ClockRow.revision)
            ).scalar_one()
            yield session, revision

    def fold(self) -> None:
        """Write what stands in SQLite's log into the file itself, so that the file alone holds everything.

        As far as others let it: it waits for no other process, and where the place cannot be written nothing changes.
        """
        if self.engine.dialect.name != "sqlite" or not self.can_write:
            return
        # Nothing is lost where it fails: the log lies beside the file, and whoever opens it next reads both. Not by a
        # session: a checkpoint cannot be made inside a transaction.
        with suppress(sqlite3.Error, DBAPIError), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout = 0")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            cursor.close()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_database(where: Path | str, *, patience: float = BUSY_SECONDS) -> Database:
    """Open and, where needed, create or upgrade the database at a file path or URL.

    A file that may only be read here is opened for reading.

    Raises ``StoreError``: no such place, not a database, another program's, a newer version's; or to be made or
    upgraded where nothing can be written.
    """
    if isinstance(where, Path) and read_only.is_read_only(where):
        return _open_for_reading(where, patience)
    if isinstance(where, Path):
        try:
            where.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The workspace {where.parent} cannot be made: {error.strerror or error}.", "Choose another folder."
            ) from None
    try:
        url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)
        is_sqlite = url.get_backend_name() == "sqlite"
        # The driver's timeout is SQLite's busy timeout.
        engine = create_engine(url, connect_args={"timeout": patience} if is_sqlite else {})
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(f"The store's address cannot be used: {error}.", "Check COSEREC_STORE_URL.") from None
    shown = str(where) if isinstance(where, Path) else url.render_as_string(hide_password=True)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with _translated(shown):
            _upgrade(engine, shown, time.monotonic() + patience)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, shown)


def _open_for_reading(where: Path, patience: float) -> Database:
    # No pool: every transaction looks anew whether somebody else writes.
    engine = create_engine("sqlite://", creator=lambda: read_only.connect(where, patience), poolclass=NullPool)
    event.listen(engine, "begin", _begin_sqlite)
    with _translated(str(where)), engine.connect() as connection:
        version = _version(connection, str(where))
    if version != HEAD:
        found = "is empty" if version is None else f"was written by an older version of this program (schema {version})"
        raise StoreError(f"{where} {found}, and cannot be brought up to date in this folder.", read_only.COPY)
    return Database(engine, str(where), can_write=False)


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ARG001
    # The driver would begin transactions lazily, and only for writes; _begin_sqlite begins them instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("coserec_immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _upgrade(engine: Engine, where: str, deadline: float) -> None:
    while True:
        try:
            with engine.connect() as connection:
                if _version(connection, where) == HEAD:
                    return
            _migrate(engine, where)
            return
        except DBAPIError as error:
            # Two processes that switch a new file to WAL at once: SQLite answers 'locked' without waiting.
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _migrate(engine: Engine, where: str) -> None:
    with engine.execution_options(coserec_immediate=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(726673)"))
        # Asked again under the lock: another process may have come first.
        if _version(connection, where) == HEAD:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def _version(connection: Connection, where: str) -> str | None:
    """The schema's number, None for an empty database. Refuses what is not ours and what is newer."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(f"{where} is another program's database.", "Choose another workspace folder.")
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and not (str(version).isdigit() and int(version) <= int(HEAD)):
        raise StoreError(
            f"{where} was written by a newer version of this program (schema {version}; this one knows {HEAD}).",
            "Update the program, or choose another workspace folder.",
        )
    return version


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(*_explain(str(error.orig), where)) from error


def _explain(reason: str, where: str) -> tuple[str, str]:
    low = reason.lower()
    if "not a database" in low or "malformed" in low or "corrupt" in low:
        return (
            f"{where} is damaged or not a database ({reason}).",
            "Move the file away and open the workspace again; the runs' own files stay under runs/.",
        )
    if "readonly" in low or "read-only" in low or "unable to open" in low:
        return f"{where} cannot be written ({reason}).", "Check the folder's permissions, or choose another workspace."
    if "disk is full" in low or "disk i/o" in low:
        return f"{where} cannot be written ({reason}).", "Make room on the disk."
    if "locked" in low:
        return f"{where} is busy: another process has been writing for long.", "Try again in a moment."
    return f"{where}: {reason.rstrip('.')}.", ""
