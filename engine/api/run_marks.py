"""What people say of runs: names, tags, notes, colours, stars, shelves; and how a run is purged for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from engine.records import MarksBefore, RunMarks, Shelf

if TYPE_CHECKING:
    from engine.api.runs import Runs


class RunMarking:
    """Facade over ``engine.store``'s marks. Every method may touch the disk: never on the GUI thread.

    Ids may be unambiguous beginnings. Every method raises ``UsageError`` for an unknown run and ``StoreError``; every
    change returns how things stood before, for `put_back`.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def _ids(self, run_ids: Sequence[str]) -> list[str]:
        return [self._runs.get(run_id).id for run_id in run_ids]

    def of(self, run_ids: Sequence[str] | None = None) -> tuple[RunMarks, ...]:
        """Marks of these runs, or of all."""
        return self._runs.store.marks.of(None if run_ids is None else self._ids(run_ids))

    def baselines(self) -> dict[str, str]:
        """Fingerprint of a data set → id of its starred run."""
        return self._runs.store.marks.baselines()

    def tag(self, run_ids: Sequence[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> MarksBefore:
        """Give tags, take tags. Raises ``UsageError`` for what is no tag."""
        return self._runs.store.marks.tag(self._ids(run_ids), tuple(add), tuple(remove))

    def rename(self, run_ids: Sequence[str], name: str) -> MarksBefore:
        """Call runs otherwise; empty: as if nobody had. Raises ``UsageError`` for a name that is too long."""
        return self._runs.store.marks.rename(self._ids(run_ids), name)

    def note(self, run_id: str, text: str) -> MarksBefore:
        """Replace the run's note."""
        return self._runs.store.marks.note(self._runs.get(run_id).id, text)

    def colour(self, run_ids: Sequence[str], colour: int | None) -> MarksBefore:
        """Choose the curve's look, a place in the theme's series from 0; None: by the run's number."""
        return self._runs.store.marks.colour(self._ids(run_ids), colour)

    def star(self, run_id: str, *, is_starred: bool = True) -> MarksBefore:
        """Make a run the baseline of its data set, or take the star away."""
        return self._runs.store.marks.star(self._runs.get(run_id).id, is_starred=is_starred)

    def shelve(self, run_ids: Sequence[str], shelf: Shelf) -> MarksBefore:
        """Archive, trash, or show again. Raises ``RunError`` for a run that trains or waits."""
        return self._runs.store.marks.shelve(self._ids(run_ids), shelf)

    def put_back(self, before: MarksBefore) -> None:
        """Undo a change."""
        self._runs.store.marks.put_back(before)

    def purge(self, run_ids: Sequence[str]) -> tuple[str, ...]:
        """Delete trashed runs for good, with their files; returns their ids. Raises ``RunError`` with what stays."""
        from engine.runs.purging import purge

        return purge(self._runs.store, self._ids(run_ids))
