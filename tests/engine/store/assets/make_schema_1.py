"""Makes ``schema_N.db``: a store of schema N with a run of every kind. Run once, when that schema was released.

``python -m tests.engine.store.assets.make_schema_1`` from the root of the repository writes the newest schema's file,
unless it is there: a released file never changes.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from engine.records import RunStatus
from engine.store import Artifact, Ending, ProcessMark, Progress, Store
from engine.store.database import HEAD
from tests.helpers.fake_training import report, submit

HERE = Path(__file__).parent


def fill(store: Store) -> None:
    """A resumed and finished run, a stopped, a failed and a queued one."""
    finished, stopped, failed, _ = submit(store, 4)
    here = ProcessMark("host", 4711, 1_700_000_000.25)
    store.claim(finished.id, here)
    store.record(finished.id, 1, Progress([(1, 0, 0, "loss/next_item", 1.25)], [report(0)], {"epoch": 0}, 0))
    store.record(finished.id, 1, Progress([(2, 1, 3, "running/next_item", float("nan"))], [], {"epoch": 1}))
    store.end(finished.id, 1, Ending(RunStatus.LOST, "gone"))
    store.requeue(finished.id)
    store.claim(finished.id, here)
    store.record(finished.id, 2, Progress([(1, 1, 0, "loss/next_item", 1.125)], [report(1)], {"epoch": 1}, 1))
    artifact = Artifact("ranks", f"runs/{finished.id}/ranks.npz", 1234, "0" * 64)
    metrics = {"valid": {"NDCG@20": 0.5}, "test": {"NDCG@20": 1 / 3}}
    values = {"best_epoch": 1, "hybrid_started": False, "progress": 1.0}
    store.end(finished.id, 2, Ending(RunStatus.FINISHED, "Trained 2 epochs.", "", metrics, values, (artifact,)))
    store.claim(stopped.id, here)
    store.end(stopped.id, 1, Ending(RunStatus.STOPPED, "Stopped as asked."))
    store.claim(failed.id, here)
    store.end(failed.id, 1, Ending(RunStatus.FAILED, "ZeroDivisionError", "See the log.", log_tail="Traceback …"))


def main() -> None:
    """Write the file as one file: the write-ahead log folded in."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder))
        fill(store)
        store.close()
        with closing(sqlite3.connect(Path(folder) / "coserec.db")) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("VACUUM")
        place = HERE / f"schema_{int(HEAD)}.db"
        if not place.exists():
            shutil.copyfile(Path(folder) / "coserec.db", place)


if __name__ == "__main__":
    main()
