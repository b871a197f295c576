"""Opening: made, upgraded, shared, refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from engine.api import Workspace
from engine.errors import StoreError
from engine.records import RunStatus
from engine.store import Store
from engine.store import database as database_module
from engine.store.database import HEAD, open_database
from engine.store.tables import Base
from tests.helpers.fake_training import submit

ASSETS = Path(__file__).parent / "assets"
ROOT = Path(__file__).parents[3]


def test_every_connection_has_wal_foreign_keys_and_a_busy_timeout(store: Store) -> None:
    with store.database.read() as one, store.database.read() as two:
        for session in (one, two):
            values = {
                name: session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")
            }
            assert values == {"journal_mode": "wal", "foreign_keys": 1}
            assert session.execute(text("PRAGMA busy_timeout")).scalar_one() >= 5_000


def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"), store.database.write() as (session, _):
        session.execute(text("INSERT INTO metrics (run_id, split, name, value) VALUES ('nobody', 'test', 'HR@5', 0.5)"))


def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_head_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(Path(database_module.__file__).parent / "migrations"))
    assert script.get_current_head() == HEAD
    assert sorted(revision.revision for revision in script.walk_revisions()) == [
        f"{number:04}" for number in range(1, int(HEAD) + 1)
    ]


@pytest.mark.parametrize("path", sorted(ASSETS.glob("schema_*.db")), ids=lambda path: path.stem)
def test_a_released_schema_is_upgraded_and_read(path: Path, tmp_path: Path) -> None:
    shutil.copyfile(path, tmp_path / "coserec.db")
    store = Store.open(tmp_path)
    try:
        with store.database.read() as session:
            assert session.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        queued, failed, stopped, finished = store.all()
        assert [run.status for run in (queued, failed, stopped)] == ["queued", "failed", "stopped"]
        assert finished.status is RunStatus.FINISHED
        assert finished.attempt == 2
        assert finished.metrics == {"valid": {"NDCG@20": 0.5}, "test": {"NDCG@20": 1 / 3}}
        assert finished.config["train"]["epochs"] == 3
        assert finished.hybrid_started is False
        assert finished.created_at.tzinfo is not None
        assert [(epoch.epoch, epoch.metrics["NDCG@20"]) for epoch in store.epochs(finished.id)] == [(0, 0.5), (1, 0.5)]
        # The running loss of the first attempt's second epoch is void: the second attempt trained that epoch anew.
        points = [(p.attempt, p.sequence, p.epoch, p.name, p.value) for p in store.points(finished.id)]
        assert points == [(1, 1, 0, "loss/next_item", 1.25), (2, 1, 1, "loss/next_item", 1.125)]
        assert [item.name for item in store.artifacts(finished.id)] == ["ranks"]
        assert store.log_tail(failed.id) == "Traceback …"
        assert store.request_stop(queued.id).status is RunStatus.CANCELLED
    finally:
        store.close()


def test_the_asset_was_made_by_its_script(tmp_path: Path) -> None:
    """The script still makes a store of the newest schema, so the next release has one to begin from."""
    from tests.engine.store.assets.make_schema_1 import fill

    store = Store.open(tmp_path)
    fill(store)
    assert [str(run.status) for run in store.all()] == ["queued", "failed", "stopped", "finished"]
    store.close()


def test_a_newer_schema_is_refused_in_one_sentence(store: Store) -> None:
    with store.database.write() as (session, _):
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer version .*schema 9999") as caught:
        Store.open(store.workspace)
    assert "Update the program" in caught.value.hint
    with store.database.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "coserec.db")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.commit()
    with pytest.raises(StoreError, match="another program's database"):
        Store.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / "coserec.db")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert names == ["bookmarks"]


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 50, os.urandom(8192)])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "coserec.db").write_bytes(content)
    with pytest.raises(StoreError, match="damaged or not a database") as caught:
        Store.open(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "coserec.db").read_bytes() == content


def test_damage_in_the_middle_is_told_when_it_is_met(store: Store) -> None:
    submit(store, 200)
    store.close()
    with closing(sqlite3.connect(store.workspace / "coserec.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = store.workspace / "coserec.db"
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(size // 3)
        stream.write(b"\xff" * (size // 2))
    with pytest.raises(StoreError, match="damaged or not a database"):
        Store.open(store.workspace).all()


def test_a_workspace_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match=r"workspace .* cannot be made"):
        Store.open(tmp_path / "file" / "workspace")


def test_a_folder_in_the_databases_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "coserec.db").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere; Windows has no such bits")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be"):
            Store.open(tmp_path / "workspace")
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_database_can_be_read_and_says_so_when_written(store: Store) -> None:
    submit(store)
    store.close()
    read_only = open_database(f"sqlite:///file:{store.workspace / 'coserec.db'}?mode=ro&uri=true")
    opened = Store(read_only, store.workspace)
    assert len(opened.all()) == 1
    with pytest.raises(StoreError, match="cannot be written"):
        submit(opened)
    opened.close()


@pytest.mark.parametrize("url", ["nonsense", "nosuchdatabase://host/name", "postgresql+nosuchdriver://host/name"])
def test_a_wrong_address_is_one_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="address cannot be used"):
        Store.open(tmp_path, url)


def test_a_path_with_signs_of_an_address_is_a_path(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "100 % ? # ü")
    submit(store)
    store.close()
    assert (tmp_path / "100 % ? # ü" / "coserec.db").is_file()


def test_processes_that_open_a_new_workspace_at_once_all_can(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.store import Store;"
        "from tests.helpers.fake_training import submit;"
        "sys.stdin.readline(); submit(Store.open(Path(sys.argv[1])))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE) for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"now\n")
        process.stdin.close()
    assert [process.wait(60) for process in processes] == [0] * 4
    store = Store.open(tmp_path)
    assert len(store.all()) == 4
    store.close()


def test_the_file_alone_holds_everything_once_it_is_folded(store: Store, tmp_path: Path) -> None:
    """Although another process still has the store open, so that closing it would leave the log."""
    path = store.workspace / "coserec.db"
    with closing(sqlite3.connect(path)) as other:
        submit(store, 3)
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (3,)
        store.fold()
        shutil.copyfile(path, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM runs").fetchone() == (3,)


def test_folding_waits_for_nobody_and_complains_of_nothing(store: Store) -> None:
    submit(store)
    with closing(sqlite3.connect(store.workspace / "coserec.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        store.fold()
        assert time.monotonic() - began < database_module.BUSY_SECONDS / 2, "it would have waited for the lock"
        other.execute("ROLLBACK")
    store.close()
    shutil.rmtree(store.workspace)
    store.fold()


def test_leaving_a_store_that_nobody_opened_makes_none(tmp_path: Path) -> None:
    Workspace(tmp_path / "none").runs.leave()
    assert not (tmp_path / "none").exists()
