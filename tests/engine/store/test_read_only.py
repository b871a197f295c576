"""A workspace that may only be read: root may write anywhere, so what the system says of that is played."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.api.runs import Runs
from engine.errors import StoreError
from engine.runs.liveness import sweep
from engine.store import ProcessMark, Store, read_only
from tests.engine.cli.conftest import Shell
from tests.helpers.fake_training import submit

ASSETS = Path(__file__).parent / "assets"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with three runs, one of them of a process that is gone, in a folder where nothing can be written."""
    folder = tmp_path / "archive"
    store = Store.open(folder)
    first, *_ = submit(store, 3)
    store.claim(first.id, ProcessMark("another host", 1, 1.0))
    with store.database.write() as (session, _):
        session.connection().exec_driver_sql("UPDATE runs SET heartbeat_at = '2020-01-01 00:00:00'")
    store.fold()
    store.close()
    close(folder, monkeypatch)
    return folder


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the system denies that anything in the folder can be written."""
    access = os.access

    def denies(path: str | Path, mode: int) -> bool:
        return access(path, mode) and not (mode & os.W_OK and folder in (Path(path), *Path(path).parents))

    monkeypatch.setattr(os, "access", denies)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_it_is_read_and_nothing_is_made_beside_it(archive: Path) -> None:
    before = names(archive)
    store = Store.open(archive)
    assert not store.can_write
    with store.database.read():
        assert len(store.all()) == 3
        assert names(archive) == before
    store.fold()
    store.close()
    assert names(archive) == before


def test_what_writes_says_one_sentence(archive: Path) -> None:
    store = Store.open(archive)
    with pytest.raises(StoreError) as caught:
        submit(store)
    assert caught.value.message == f"{archive / 'coserec.db'} can be read here, but not written."
    assert caught.value.hint == "Copy the workspace to a folder that can be written, and open it there."
    store.close()


def test_nobody_watches_over_it(archive: Path) -> None:
    """What looks after runs now and then leaves them as they were told, and complains of nothing."""
    store = Store.open(archive)
    assert [run.status for run in store.all()] == ["queued", "queued", "running"]
    assert sweep(store) == ()
    store.close()
    runs = Runs(archive)
    assert runs.take_queue() is False
    runs.leave()


def test_the_command_line_reads_it(archive: Path, tmp_path: Path) -> None:
    shell = Shell(archive)
    found = shell.runs("runs")["runs"]
    assert len(found) == 3
    assert shell.runs("show", found[0]["id"])["id"] == found[0]["id"]
    shell.runs("export", "--output", tmp_path / "runs.json")
    assert (tmp_path / "runs.json").is_file()
    told = shell("stop", found[0]["id"], "--workspace", archive, code=1).stderr
    assert told.count("\n") == 1
    assert "can be read here, but not written" in told


def test_who_writes_there_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colleague who may write: the log is read while there is one, and the file alone before and after."""
    other = Store.open(tmp_path / "theirs")
    other.close()
    close(tmp_path / "theirs", monkeypatch)
    store = Store.open(tmp_path / "theirs")
    assert store.all() == ()
    with closing(sqlite3.connect(tmp_path / "theirs" / "coserec.db")) as writer:
        monkeypatch.setattr(read_only, "is_read_only", lambda _: False)
        other = Store.open(tmp_path / "theirs")
        submit(other, 2)
        assert "coserec.db-wal" in names(tmp_path / "theirs")
        assert len(store.all()) == 2
        other.close()
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "coserec.db-wal" not in names(tmp_path / "theirs")
    assert len(store.all()) == 2
    store.close()


def test_a_log_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that stand in it alone would be missing without a word."""
    store = Store.open(tmp_path / "whole")
    submit(store)
    (tmp_path / "part").mkdir()
    for name in ("coserec.db", "coserec.db-wal"):
        shutil.copyfile(tmp_path / "whole" / name, tmp_path / "part" / name)
    store.close()
    close(tmp_path / "part", monkeypatch)
    with pytest.raises(StoreError, match=r"coserec\.db-wal holds of it cannot be read") as caught:
        Store.open(tmp_path / "part")
    assert "Copy the workspace" in caught.value.hint


@pytest.mark.parametrize("path", sorted(ASSETS.glob("schema_*.db")), ids=lambda path: path.stem)
def test_an_older_schema_is_refused_in_one_sentence(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(path, tmp_path / "coserec.db")
    close(tmp_path, monkeypatch)
    with pytest.raises(StoreError, match=r"older version .*schema 000\d\), and cannot be brought up to date") as caught:
        Store.open(tmp_path)
    assert "Copy the workspace" in caught.value.hint
    assert (tmp_path / "coserec.db").read_bytes() == path.read_bytes()


def test_an_empty_file_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "coserec.db").touch()
    close(tmp_path, monkeypatch)
    with pytest.raises(StoreError, match="is empty, and cannot be brought up to date"):
        Store.open(tmp_path)


def test_where_there_is_no_file_one_is_made_as_ever(tmp_path: Path) -> None:
    assert not read_only.is_read_only(tmp_path / "coserec.db")
    store = Store.open(tmp_path)
    assert store.can_write
    store.close()
