"""The store: what every run was asked for, how it goes, how it ended. Gives out frozen records, never rows.

SQLite in the workspace (``coserec.db``) unless the environment variable ``COSEREC_STORE_URL`` names another database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import case, delete, select, update

from engine.errors import RunError, UsageError
from engine.paths import run_log
from engine.records import (
    ArtifactRecord,
    EpochReport,
    FeedBatch,
    FeedCursor,
    MetricPoint,
    RunRecord,
    RunStatus,
    UsageSample,
)
from engine.store import attempts, feed, usage
from engine.store.attempts import Artifact, Ending, ProcessMark, Progress
from engine.store.database import Database, open_database
from engine.store.desk import Desk, in_order
from engine.store.marks import Marks, first_number
from engine.store.rows import artifact_record, new_id, run_records, run_rows
from engine.store.tables import ArtifactRow, DeskRow, LockRow, MarksRow, QueuePlaceRow, RunRow, now

FILE_NAME = "coserec.db"


@dataclass(frozen=True)
class NewRun:
    """What a run is made of when it is submitted."""

    name: str
    config: dict[str, Any]
    schema_version: int
    dataset: str
    dataset_path: str
    fingerprint: str
    seed: int
    epochs: int
    preset: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    hardware: dict[str, str] = field(default_factory=dict)


class Store:
    """One workspace's database. Every method is one short transaction and raises ``StoreError``."""

    def __init__(self, database: Database, workspace: Path) -> None:
        self.database = database
        self.workspace = workspace
        self.marks = Marks(database)
        self.desk = Desk(database)

    @classmethod
    def open(cls, workspace: Path, url: str | None = None) -> Store:
        """Open the workspace's store; make or upgrade it where needed."""
        place: Path | str = url or os.environ.get("COSEREC_STORE_URL") or workspace / FILE_NAME
        return cls(open_database(place), workspace)

    @property
    def can_write(self) -> bool:
        """False for a workspace that may only be read here: whatever writes raises ``StoreError`` and says so."""
        return self.database.can_write

    def fold(self) -> None:
        """Leave the whole store in its file, as far as other processes let it: see `Database.fold`."""
        self.database.fold()

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()

    # Asking ---------------------------------------------------------------------------------------------------------

    def submit(self, new: Sequence[NewRun]) -> tuple[RunRecord, ...]:
        """Write the runs as QUEUED, in this order."""
        with self.database.write() as (session, revision):
            rows = []
            for item in new:
                run_id, moment = new_id(), now()
                rows.append(
                    RunRow(
                        **vars(item),
                        id=run_id,
                        status=RunStatus.QUEUED,
                        created_at=moment,
                        queued_at=moment,
                        log_path=run_log(run_id),
                        revision=revision,
                    )
                )
            session.add_all(rows)
            session.flush()
            number = first_number(session)
            session.add_all(
                MarksRow(run_id=row.id, number=place, revision=revision) for place, row in enumerate(rows, number)
            )
            return run_records(session, rows, self.workspace)

    def request_stop(self, run_id: str) -> RunRecord:
        """Ask a running run to stop; take a queued one out of the queue. One that has ended is left as it is."""
        with self.database.write() as (session, revision):
            session.execute(
                update(RunRow)
                .where(RunRow.id == run_id, RunRow.status == RunStatus.RUNNING)
                .values(stop_requested=True, revision=revision)
            )
            session.execute(_cancelling(run_id, revision))
        return self.get(run_id)

    def cancel(self, run_id: str) -> RunRecord:
        """Take a queued run out of the queue; one that waited to be resumed is STOPPED again.

        Raises ``RunError`` when it is not queued (any more).
        """
        with self.database.write() as (session, revision):
            changed = session.execute(_cancelling(run_id, revision).returning(RunRow.id)).scalar_one_or_none()
        record = self.get(run_id)
        if changed is None:
            raise RunError(f"Run {run_id} is {record.status}, not queued.", "A running run is stopped, not cancelled.")
        return record

    def requeue(self, run_id: str) -> RunRecord:
        """Queue a stopped, failed or lost run again. Raises ``RunError`` for any other."""
        resumable = [status for status in RunStatus if status.can_resume]
        with self.database.write() as (session, revision):
            changed = session.execute(
                update(RunRow)
                .where(RunRow.id == run_id, RunRow.status.in_(resumable))
                .values(
                    status=RunStatus.QUEUED,
                    queued_at=now(),
                    ended_at=None,
                    message="",
                    hint="",
                    stop_requested=False,
                    pid=None,
                    pid_created=None,
                    revision=revision,
                )
                .returning(RunRow.id),
            ).scalar_one_or_none()
            session.execute(delete(QueuePlaceRow).where(QueuePlaceRow.run_id == run_id))
            # Readers hold the order as they were last told it, with this run at its old place.
            session.execute(update(DeskRow).values(queue_revision=revision))
        record = self.get(run_id)
        if changed is None:
            raise RunError(f"Run {run_id} is {record.status}.", "Only a stopped, failed or lost run can be resumed.")
        return record

    # Reading --------------------------------------------------------------------------------------------------------

    def all(self) -> tuple[RunRecord, ...]:
        """Every run, newest first."""
        with self.database.read() as session:
            rows = run_rows(session, select(RunRow).order_by(RunRow.id.desc()))
            return run_records(session, rows, self.workspace)

    def get(self, run_id: str) -> RunRecord:
        """The run of exactly that id. Raises ``UsageError``."""
        with self.database.read() as session:
            row = session.get(RunRow, run_id)
            if row is None:
                raise UsageError(f"There is no run {run_id} in {self.workspace}.", "`coserec runs` lists them.")
            return run_records(session, [row], self.workspace)[0]

    def find(self, beginning: str) -> RunRecord:
        """The run whose id begins so, or ends so where none begins so. Raises ``UsageError``."""
        text = beginning.strip().lower()
        with self.database.read() as session:
            for pattern in (
                RunRow.id == text,
                RunRow.id.startswith(text, autoescape=True),
                RunRow.id.endswith(text, autoescape=True),
            ):
                rows = list(session.scalars(select(RunRow).where(pattern).order_by(RunRow.id).limit(6))) if text else []
                if len(rows) == 1:
                    return run_records(session, rows, self.workspace)[0]
                if rows:
                    listed = ", ".join(row.id for row in rows[:5]) + (", …" if len(rows) > 5 else "")
                    raise UsageError(f"'{beginning}' could be several runs: {listed}.", "Write more of the id.")
        raise UsageError(f"There is no run '{beginning}' in {self.workspace}.", "`coserec runs` lists them.")

    def with_status(self, *statuses: RunStatus) -> tuple[RunRecord, ...]:
        """The runs of these states, in queue order."""
        with self.database.read() as session:
            places = QueuePlaceRow.run_id == RunRow.id
            query = select(RunRow).join(QueuePlaceRow, places, isouter=True).where(RunRow.status.in_(statuses))
            query = query.order_by(*in_order())
            return run_records(session, session.scalars(query), self.workspace)

    def mark(self, run_id: str) -> ProcessMark | None:
        """The process that the run's current attempt claimed it for."""
        with self.database.read() as session:
            row = session.get(RunRow, run_id)
            if row is None or row.pid is None or row.pid_created is None:
                return None
            return ProcessMark(row.host, row.pid, row.pid_created)

    def log_tail(self, run_id: str) -> str:
        """The end of the log as it was kept when the run ended."""
        with self.database.read() as session:
            return session.scalars(select(RunRow.log_tail).where(RunRow.id == run_id)).one_or_none() or ""

    def epochs(self, run_id: str) -> tuple[EpochReport, ...]:
        """The run's finished epochs, of the current history."""
        with self.database.read() as session:
            return feed.epochs(session, run_id)

    def points(self, run_id: str) -> tuple[MetricPoint, ...]:
        """The run's points, of the current history."""
        with self.database.read() as session:
            history = feed.histories(session, [run_id])[run_id]
            return tuple(point for block in feed.blocks(session, run_id, history, {}) for point in block.points())

    def page(self, before: str = "") -> FeedBatch:
        """Some runs older than ``before``, the newest of them first."""
        with self.database.read() as session:
            return feed.page(session, self.workspace, before)

    def changes(self, cursor: FeedCursor, points_of: Collection[str] | None = None) -> FeedBatch:
        """What is new since ``cursor``, in one snapshot."""
        with self.database.read() as session:
            return feed.changes(session, self.workspace, cursor, points_of)

    def artifacts(self, run_id: str) -> tuple[ArtifactRecord, ...]:
        """The run's files."""
        with self.database.read() as session:
            query = select(ArtifactRow).where(ArtifactRow.run_id == run_id).order_by(ArtifactRow.name)
            return tuple(artifact_record(row, self.workspace) for row in session.scalars(query))

    def usage(self, run_id: str, after: tuple[int, int] = (0, 0)) -> tuple[UsageSample, ...]:
        """What the run used of the machine, beyond (attempt, sequence)."""
        with self.database.read() as session:
            return usage.samples(session, run_id, after)

    # Writing, as an attempt -----------------------------------------------------------------------------------------

    def claim(self, run_id: str, mark: ProcessMark) -> int | None:
        """Make a queued run the process's own: its attempt number, or None when another one has it."""
        with self.database.write() as (session, revision):
            return attempts.claim(session, revision, run_id, mark)

    def record(self, run_id: str, attempt: int, progress: Progress) -> bool:
        """Write progress; tells whether a stop is asked for. Raises ``StaleAttempt``."""
        with self.database.write() as (session, revision):
            return attempts.record(session, revision, run_id, attempt, progress)

    def wants_stop(self, run_id: str, attempt: int) -> bool:
        """Whether a stop is asked for. Raises ``StaleAttempt``."""
        with self.database.read() as session:
            return attempts.wants_stop(session, run_id, attempt)

    def end(self, run_id: str, attempt: int, ending: Ending) -> None:
        """Close a running attempt. Raises ``StaleAttempt``."""
        with self.database.write() as (session, revision):
            attempts.end(session, revision, run_id, attempt, ending)

    def put_artifact(self, run_id: str, attempt: int, artifact: Artifact) -> None:
        """Note a file of a running attempt. Raises ``StaleAttempt``."""
        with self.database.write() as (session, _):
            attempts.wants_stop(session, run_id, attempt)
            attempts.put_artifact(session, run_id, attempt, artifact)

    def fail_unclaimed(self, run_id: str, message: str, hint: str, log_tail: str) -> bool:
        """A queued run whose process ended before it claimed it: FAILED. Tells whether it still was queued."""
        with self.database.write() as (session, revision):
            changed = session.execute(
                update(RunRow)
                .where(RunRow.id == run_id, RunRow.status == RunStatus.QUEUED)
                .values(
                    status=RunStatus.FAILED,
                    message=message,
                    hint=hint,
                    log_tail=log_tail,
                    ended_at=now(),
                    revision=revision,
                )
                .returning(RunRow.id),
            ).scalar_one_or_none()
            return changed is not None

    # Locks ----------------------------------------------------------------------------------------------------------

    def take_lock(
        self, name: str, mark: ProcessMark, holds: Callable[[ProcessMark, datetime], bool]
    ) -> ProcessMark | None:
        """Take or renew a name that one process alone may hold: None when it is taken, otherwise its holder.

        ``holds`` tells of a holder and the time of its last renewal whether it still counts.
        """
        with self.database.write() as (session, _):
            row = session.get(LockRow, name)
            if row is not None:
                holder = ProcessMark(row.host, row.pid, row.pid_created)
                if holder != mark and holds(holder, row.taken_at):
                    return holder
            session.merge(LockRow(name=name, host=mark.host, pid=mark.pid, pid_created=mark.created, taken_at=now()))
            return None

    def drop_lock(self, name: str, mark: ProcessMark) -> None:
        """Give the name back, if this process holds it."""
        with self.database.write() as (session, _):
            session.execute(
                delete(LockRow).where(LockRow.name == name, LockRow.host == mark.host, LockRow.pid == mark.pid)
            )

    def lock_holder(self, name: str) -> ProcessMark | None:
        """Who holds the name, alive or not."""
        with self.database.read() as session:
            row = session.get(LockRow, name)
            return None if row is None else ProcessMark(row.host, row.pid, row.pid_created)


def _cancelling(run_id: str, revision: int) -> Any:
    """Out of the queue: cancelled, or, where it waited to be resumed, stopped as it was and still to be resumed."""
    has_begun = RunRow.attempt > 0
    return (
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.status == RunStatus.QUEUED)
        .values(
            status=case((has_begun, str(RunStatus.STOPPED)), else_=str(RunStatus.CANCELLED)),
            message=case(
                (has_begun, "Taken out of the queue; what it has trained stands."), else_="Taken out of the queue."
            ),
            ended_at=now(),
            revision=revision,
        )
    )
