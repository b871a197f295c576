"""What a reader asks for: the runs that changed, the points that are new, the epochs of the current history.

History: attempt ``b`` trained its first epoch ``f`` itself, so rows of earlier attempts at ``f`` and beyond describe
epochs that the run's weights never saw. They stay in the store and are no longer shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.config import pretrain_epochs_of
from engine.records import EpochReport, FeedBatch, FeedCursor, PointBlock
from engine.store.desk import news, page_news
from engine.store.rows import epoch_record, in_chunks, run_records, run_rows
from engine.store.tables import AttemptRow, ClockRow, EpochRow, PointRow, RunRow

PAGE = 125
"""Runs on one page of a large store: what the window enters between two frames."""

History = dict[int, int | None]
"""Attempt → first epoch that is no longer shown, None where all of it is; oldest attempt first."""


def histories(session: Session, run_ids: Collection[str]) -> dict[str, History]:
    """The current history of each run."""
    ids = sorted(run_ids)
    attempts: dict[str, list[AttemptRow]] = {run_id: [] for run_id in ids}
    for chunk in in_chunks(ids):
        for row in session.scalars(select(AttemptRow).where(AttemptRow.run_id.in_(chunk)).order_by(AttemptRow.attempt)):
            attempts[row.run_id].append(row)
    return {run_id: _history(rows) for run_id, rows in attempts.items()}


def _history(rows: list[AttemptRow]) -> History:
    bounds: History = {}
    bound: int | None = None
    for row in reversed(rows):
        bounds[row.attempt] = bound
        if row.first_epoch is not None:
            bound = row.first_epoch if bound is None else min(bound, row.first_epoch)
    return dict(reversed(bounds.items()))


def blocks(session: Session, run_id: str, history: History, after: Mapping[int, int]) -> Iterator[PointBlock]:
    """The run's points of its current history with sequence numbers beyond ``after[attempt]``."""
    c = PointRow.__table__.c
    for attempt, bound in history.items():
        query = select(c.sequence, c.epoch, c.step, c.name, c.value)
        query = query.where(c.run_id == run_id, c.attempt == attempt, c.sequence > after.get(attempt, 0))
        if bound is not None:
            query = query.where(c.epoch < bound)
        found: Any = session.execute(query.order_by(c.sequence))
        # The driver's own rows: three times as fast as SQLAlchemy's, and the window waits for them.
        rows = found.cursor.fetchall()
        found.close()
        if rows:
            yield PointBlock(run_id, attempt, *zip(*rows, strict=True))


def epochs(session: Session, run_id: str) -> tuple[EpochReport, ...]:
    """The run's finished epochs, oldest first, of the current history."""
    found: list[EpochReport] = []
    before = pretrain_epochs_of(session.scalars(select(RunRow.config).where(RunRow.id == run_id)).one_or_none() or {})
    for attempt, bound in histories(session, [run_id])[run_id].items():
        query = select(EpochRow).where(EpochRow.run_id == run_id, EpochRow.attempt == attempt)
        if bound is not None:
            query = query.where(EpochRow.epoch < bound)
        found.extend(epoch_record(row, before) for row in session.scalars(query.order_by(EpochRow.epoch)))
    return tuple(found)


def page(session: Session, workspace: Path, before: str) -> FeedBatch:
    """Runs older than ``before``, newest first, with their marks; see ``engine.api.runs.Runs.page``."""
    # Read first, as in `changes`: whatever is written from here on is told by `changes` from this cursor.
    revision = session.scalars(select(ClockRow.revision)).one()
    query = select(RunRow).order_by(RunRow.id.desc()).limit(PAGE)
    rows = run_rows(session, query.where(RunRow.id < before) if before else query)
    told = page_news(session, [row.id for row in rows], is_first=not before)
    return FeedBatch(run_records(session, rows, workspace), (), FeedCursor({}, revision), frozenset(), told)


def changes(session: Session, workspace: Path, cursor: FeedCursor, points_of: Collection[str] | None) -> FeedBatch:
    """Runs changed and points written since ``cursor``; see ``engine.api.runs.Runs.changes``."""
    # Read first: what is written while this reads is told again next time, never lost.
    revision = session.scalars(select(ClockRow.revision)).one()
    known = {run_id for run_id, _ in cursor.seen}
    wanted = known if points_of is None else set(points_of)
    if revision == cursor.revision and wanted == known:
        return FeedBatch((), (), cursor)
    rows = run_rows(session, select(RunRow).where(RunRow.revision > cursor.revision).order_by(RunRow.id))
    changed = {row.id: row for row in rows}
    watched = set(changed) if points_of is None else (set(points_of) & (set(changed) | (set(points_of) - known)))
    found = histories(session, watched)
    seen = {key: last for key, last in cursor.seen.items() if points_of is None or key[0] in wanted}
    new: list[PointBlock] = []
    whole = set()
    for run_id in sorted(watched):
        rewritten = run_id in changed and changed[run_id].history_revision > cursor.revision
        if rewritten or run_id not in known:
            whole.add(run_id)
            seen = {key: last for key, last in seen.items() if key[0] != run_id} if run_id in known else seen
        after = {attempt: seen.get((run_id, attempt), 0) for attempt in found[run_id]}
        fresh = list(blocks(session, run_id, found[run_id], after))
        new.extend(fresh)
        # Also where there is no point yet: this reader has looked.
        seen |= {(run_id, attempt): last for attempt, last in after.items()}
        seen |= {(run_id, block.attempt): block.sequences[-1] for block in fresh}
        if points_of is not None:
            # A watched run without any attempt counts as looked at, or every poll would look again.
            seen.setdefault((run_id, 0), 0)
    cursor_after = FeedCursor(seen, revision)
    told = news(session, cursor.revision)
    return FeedBatch(run_records(session, rows, workspace), tuple(new), cursor_after, frozenset(whole), told)
