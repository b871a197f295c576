"""The queue's order and rules, as the store keeps them: who starts next, paused or not, how many at once by device."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.errors import RunError, UsageError
from engine.records import MarksNews, QueueState, RunStatus
from engine.store.database import Database
from engine.store.marks import _baselines, marks_of
from engine.store.tables import DeskRow, PurgedRow, QueuePlaceRow, RunRow

MOST_AT_ONCE = 64


class Desk:
    """The queue of one store. Every method is one short transaction and raises ``StoreError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self) -> QueueState:
        """Rules and order."""
        with self._database.read() as session:
            return queue_state(session)

    def pause(self, *, is_paused: bool = True) -> QueueState:
        """Start no more runs, or start them again; what trains goes on."""
        return self._set(is_paused=is_paused)

    def set_at_once(self, device: str, count: int) -> QueueState:
        """How many runs may train on a device at the same time. Raises ``UsageError``."""
        if not 1 <= count <= MOST_AT_ONCE:
            raise UsageError(f"{count} runs at once on {device} are not possible.", f"Say 1 to {MOST_AT_ONCE}.")
        return self._set(at_once={**self.state().at_once, device: count})

    def move(self, run_ids: Sequence[str], place: int) -> QueueState:
        """Put queued runs, in the order given, at ``place`` of the queue, from 0. Raises ``RunError``."""
        with self._database.write() as (session, revision):
            order = list(queue_state(session).order)
            missing = [run_id for run_id in run_ids if run_id not in order]
            if missing:
                raise RunError(f"Run {missing[0]} does not wait in the queue.", "Only queued runs can be moved.")
            rest = [run_id for run_id in order if run_id not in set(run_ids)]
            at = min(max(place, 0), len(rest))
            wanted = [*rest[:at], *dict.fromkeys(run_ids), *rest[at:]]
            session.execute(delete(QueuePlaceRow))
            session.execute(
                insert(QueuePlaceRow), [{"run_id": run_id, "place": number} for number, run_id in enumerate(wanted)]
            )
            session.execute(update(DeskRow).values(queue_revision=revision))
            return queue_state(session)

    def _set(self, **values: Any) -> QueueState:
        with self._database.write() as (session, revision):
            session.execute(update(DeskRow).values(**values, queue_revision=revision))
            return queue_state(session)


def in_order() -> tuple[Any, ...]:
    """What queued runs are ordered by, where ``queue_places`` is joined from outside."""
    return QueuePlaceRow.place.is_(None), QueuePlaceRow.place, RunRow.queued_at, RunRow.id


def queue_state(session: Session) -> QueueState:
    row = session.scalars(select(DeskRow)).one()
    query = (
        select(RunRow.id)
        .join(QueuePlaceRow, QueuePlaceRow.run_id == RunRow.id, isouter=True)
        .where(RunRow.status == RunStatus.QUEUED)
        .order_by(*in_order())
    )
    at_once = {str(name): int(count) for name, count in row.at_once.items()}
    return QueueState(row.is_paused, at_once, tuple(session.scalars(query)))


def news(session: Session, since: int) -> MarksNews:
    """What has changed of marks and queue after revision ``since``; a first reader (0) is told everything."""
    row = session.scalars(select(DeskRow)).one()
    is_first = since <= 0
    purged = () if is_first else session.scalars(select(PurgedRow.run_id).where(PurgedRow.revision > since))
    return MarksNews(
        marks_of(session, None, -1 if is_first else since),
        frozenset(purged),
        _baselines(session) if is_first or row.stars_revision > since else None,
        queue_state(session) if is_first or row.queue_revision > since else None,
    )


def page_news(session: Session, run_ids: Collection[str], *, is_first: bool) -> MarksNews:
    """The marks of these runs; with the first page of a store also its stars and its queue."""
    marks = marks_of(session, run_ids)
    return MarksNews(marks, frozenset(), _baselines(session), queue_state(session)) if is_first else MarksNews(marks)
