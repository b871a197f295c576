"""Tags, notes, colours, stars and shelves: what people say of runs, in tables of their own; and their names.

Every change returns how things stood before, so that it can be undone by `put_back`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from engine.config import parse
from engine.errors import ConfigurationError, RunError, UsageError
from engine.records import LONGEST_NAME, MarksBefore, RunMarks, RunStatus, Shelf
from engine.store.database import Database
from engine.store.rows import in_chunks
from engine.store.tables import BaselineRow, DeskRow, MarksRow, PurgedRow, RunRow, TagRow, now

LONGEST_TAG = 64


def clean_tag(text: str) -> str:
    """A tag as it is kept: no spaces around, none doubled. Raises ``UsageError``."""
    tag = " ".join(text.split())
    if not tag or len(tag) > LONGEST_TAG or "," in tag:
        raise UsageError(f"'{text}' is no tag.", f"A tag has 1 to {LONGEST_TAG} characters and no comma.")
    return tag


class Marks:
    """The marks of one store. Every method is one short transaction and raises ``StoreError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, run_ids: Collection[str] | None = None) -> tuple[RunMarks, ...]:
        """Marks of these runs, or of all, in the order of their numbers."""
        with self._database.read() as session:
            return marks_of(session, run_ids)

    def baselines(self) -> dict[str, str]:
        """Data fingerprint → id of the starred run."""
        with self._database.read() as session:
            return _baselines(session)

    def tag(self, run_ids: Sequence[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> MarksBefore:
        """Give tags to runs and take others from them. Raises ``UsageError`` for what is no tag."""
        new, old = [clean_tag(text) for text in add], [clean_tag(text) for text in remove]
        with self._database.write() as (session, revision):
            before = MarksBefore(marks_of(session, run_ids))
            for mark in before.marks:
                tags = [tag for tag in dict.fromkeys([*mark.tags, *new]) if tag not in old]
                _set_tags(session, mark.run_id, tags)
                _touch(session, mark.run_id, revision, {})
            return before

    def rename(self, run_ids: Sequence[str], name: str) -> MarksBefore:
        """Call runs otherwise; empty: as if nobody had. Raises ``UsageError`` for a name that is too long."""
        called = " ".join(name.split())
        if len(called) > LONGEST_NAME:
            raise UsageError(
                f"'{called[:20]}…' has {len(called)} characters.", f"A run's name has {LONGEST_NAME} at most."
            )
        with self._database.write() as (session, revision):
            names = _names(session, run_ids)
            _set_names(session, revision, {run_id: called or _nobodys(session, run_id) for run_id in names})
            return MarksBefore(names=names)

    def note(self, run_id: str, text: str) -> MarksBefore:
        """Replace the run's note; empty: none."""
        return self._change([run_id], {"note": text.strip()})

    def colour(self, run_ids: Sequence[str], colour: int | None) -> MarksBefore:
        """Choose the runs' place in the theme's series; None: by their number again. Raises ``UsageError``."""
        if colour is not None and colour < 0:
            raise UsageError(f"{colour} is no colour.", "Colours count from 0.")
        return self._change(run_ids, {"colour": colour})

    def shelve(self, run_ids: Sequence[str], shelf: Shelf) -> MarksBefore:
        """Put runs on a shelf. Raises ``RunError`` for one that trains or waits, unless it is to be shown."""
        with self._database.write() as (session, revision):
            if shelf is not Shelf.SHOWN:
                _refuse_unended(session, run_ids)
            before = MarksBefore(marks_of(session, run_ids))
            moment = None if shelf is Shelf.SHOWN else now()
            for mark in before.marks:
                if mark.shelf is not shelf:
                    _touch(session, mark.run_id, revision, {"shelf": str(shelf), "shelved_at": moment})
            return before

    def star(self, run_id: str, *, is_starred: bool = True) -> MarksBefore:
        """Make the run its data set's baseline, in place of another one; or no longer."""
        with self._database.write() as (session, revision):
            fingerprint = session.scalars(select(RunRow.fingerprint).where(RunRow.id == run_id)).one()
            held = _baselines(session).get(fingerprint)
            if is_starred or held == run_id:
                _set_baseline(session, revision, fingerprint, run_id if is_starred else None)
            return MarksBefore((), {fingerprint: held})

    def put_back(self, before: MarksBefore) -> None:
        """Undo: marks, stars and names as they were. Runs that are gone are passed over."""
        with self._database.write() as (session, revision):
            known = {mark.run_id for mark in marks_of(session, [mark.run_id for mark in before.marks])}
            for mark in before.marks:
                if mark.run_id in known:
                    _set_tags(session, mark.run_id, mark.tags)
                    values = {"note": mark.note, "colour": mark.colour, "shelf": str(mark.shelf)}
                    _touch(session, mark.run_id, revision, values | {"shelved_at": mark.shelved_at})
            for fingerprint, run_id in before.baselines.items():
                is_there = run_id is None or session.get(RunRow, run_id) is not None
                _set_baseline(session, revision, fingerprint, run_id if is_there else None)
            there = _names(session, tuple(before.names))
            _set_names(session, revision, {run_id: before.names[run_id] for run_id in there})

    def forget(self, run_id: str) -> None:
        """Delete the run's rows for good. Raises ``RunError`` unless it is in the trash."""
        with self._database.write() as (session, revision):
            mark = session.get(MarksRow, run_id)
            if mark is None or mark.shelf != Shelf.TRASHED:
                raise RunError(f"Run {run_id} is not in the trash.", "Only what is in the trash can be purged.")
            _refuse_unended(session, [run_id])
            was_starred = session.scalars(select(BaselineRow).where(BaselineRow.run_id == run_id)).first()
            session.add(PurgedRow(run_id=run_id, number=mark.number, revision=revision))
            session.expunge(mark)
            session.execute(delete(RunRow).where(RunRow.id == run_id))
            if was_starred is not None:
                session.execute(update(DeskRow).values(stars_revision=revision))

    def _change(self, run_ids: Sequence[str], values: Mapping[str, Any]) -> MarksBefore:
        with self._database.write() as (session, revision):
            before = MarksBefore(marks_of(session, run_ids))
            for mark in before.marks:
                _touch(session, mark.run_id, revision, values)
            return before


def marks_of(session: Session, run_ids: Collection[str] | None = None, since: int = -1) -> tuple[RunMarks, ...]:
    """Marks of these runs (None: of all) that changed after revision ``since``, in the order of their numbers."""
    columns = (MarksRow.run_id, MarksRow.number, MarksRow.note, MarksRow.colour, MarksRow.shelf, MarksRow.shelved_at)
    query = select(*columns).where(MarksRow.revision > since)
    tags: dict[str, list[str]] = {}
    found: list[Any] = []
    if run_ids is None:
        found = list(session.execute(query))
        of_all = select(TagRow.run_id, TagRow.tag)
        if since >= 0:
            of_all = of_all.join(MarksRow, MarksRow.run_id == TagRow.run_id).where(MarksRow.revision > since)
        for run_id, tag in session.execute(of_all):
            tags.setdefault(run_id, []).append(tag)
    else:
        for chunk in in_chunks(sorted(set(run_ids))):
            found.extend(session.execute(query.where(MarksRow.run_id.in_(chunk))))
            for run_id, tag in session.execute(select(TagRow.run_id, TagRow.tag).where(TagRow.run_id.in_(chunk))):
                tags.setdefault(run_id, []).append(tag)
    made = [
        RunMarks(run_id, number, note, colour, Shelf(shelf), at, tuple(sorted(tags.get(run_id, ()))))
        for run_id, number, note, colour, shelf, at in found
    ]
    return tuple(sorted(made, key=lambda mark: mark.number))


def first_number(session: Session) -> int:
    """The next number that no run has had."""
    highest = [session.scalar(select(func.max(row.number))) for row in (MarksRow, PurgedRow)]
    return max((number for number in highest if number is not None), default=-1) + 1


def _baselines(session: Session) -> dict[str, str]:
    return {row.fingerprint: row.run_id for row in session.scalars(select(BaselineRow))}


def _set_baseline(session: Session, revision: int, fingerprint: str, run_id: str | None) -> None:
    session.execute(delete(BaselineRow).where(BaselineRow.fingerprint == fingerprint))
    if run_id is not None:
        session.execute(insert(BaselineRow).values(fingerprint=fingerprint, run_id=run_id))
    session.execute(update(DeskRow).values(stars_revision=revision))


def _names(session: Session, run_ids: Collection[str]) -> dict[str, str]:
    """Run → what the store calls it; without those that are gone."""
    found: dict[str, str] = {}
    for chunk in in_chunks(sorted(set(run_ids))):
        rows = session.execute(select(RunRow.id, RunRow.name).where(RunRow.id.in_(chunk)))
        found |= {row.id: row.name for row in rows}
    return found


def _nobodys(session: Session, run_id: str) -> str:
    """The name that the run had been stored with, had nobody given it one; none where nobody understands its settings
    any more."""
    config = session.scalars(select(RunRow.config).where(RunRow.id == run_id)).one()
    try:
        return parse(config).short()
    except ConfigurationError:
        return ""


def _set_names(session: Session, revision: int, names: Mapping[str, str]) -> None:
    for run_id, name in names.items():
        session.execute(update(RunRow).where(RunRow.id == run_id).values(name=name, revision=revision))


def _set_tags(session: Session, run_id: str, tags: Sequence[str]) -> None:
    session.execute(delete(TagRow).where(TagRow.run_id == run_id))
    if tags:
        session.execute(insert(TagRow), [{"run_id": run_id, "tag": tag} for tag in tags])


def _touch(session: Session, run_id: str, revision: int, values: Mapping[str, Any]) -> None:
    session.execute(update(MarksRow).where(MarksRow.run_id == run_id).values(**values, revision=revision))


def _refuse_unended(session: Session, run_ids: Sequence[str]) -> None:
    busy = (RunStatus.QUEUED, RunStatus.RUNNING)
    query = select(RunRow.id, RunRow.status).where(RunRow.status.in_(busy))
    wanted = set(run_ids)
    found = {run_id: status for run_id, status in session.execute(query) if run_id in wanted}
    if found:
        run_id, status = next(iter(found.items()))
        raise RunError(f"Run {run_id} is {status}.", "Stop it or take it out of the queue first.")
