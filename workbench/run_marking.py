"""What is said of runs from the window: names, tags, notes, colours, stars, shelves; each change can be undone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.records import MarksBefore, RunRecord, Shelf
from workbench.context import Context
from workbench.widgets.numbers import count

MOST_UNDONE = 100


class _InOrder:
    """Calls that run in the order in which they were made ready, whichever thread takes them.

    A change keeps how the whole mark stood before it: two at once, or two Undos the other way round, would bring back
    what the other one has just taken away.
    """

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._ready = self._done = 0

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, to be called exactly once."""
        number = self._ready
        self._ready += 1

        def call(*arguments: Any, **keywords: Any) -> Any:
            with self._turn:
                self._turn.wait_for(lambda: self._done == number)
                try:
                    return function(*arguments, **keywords)
                finally:
                    self._done += 1
                    self._turn.notify_all()

        return call


@dataclass(slots=True, eq=False)
class _Change:
    """A change that was asked for; what stood before it is known once a thread has made it."""

    text: str
    before: MarksBefore | None = None


class RunMarking:
    """Sends changes to the store off the GUI thread; the feed brings them back. Keeps what Undo needs.

    A change can be undone from the moment in which it is asked for: Undo waits for its turn behind it. Were it known
    only when its thread tells of it, a quick Ctrl+Z would take back the change before.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._marks = context.workspace.marks
        self._history: list[_Change] = []
        self._in_order = _InOrder()

    @property
    def undo_text(self) -> str:
        """What Undo would take back, or nothing."""
        return self._history[-1].text if self._history else ""

    def tag(self, records: Sequence[RunRecord], add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Give tags, take tags."""
        said = ", ".join([*add, *(f"not {tag}" for tag in remove)])
        ids = [record.id for record in records]
        self._change(f"tag {count(len(ids), 'run')} {said}", self._marks.tag, ids, tuple(add), tuple(remove))

    def rename(self, records: Sequence[RunRecord], name: str) -> None:
        """Call runs otherwise; empty: by their settings again."""
        ids = [record.id for record in records]
        self._change(f"the name of {count(len(ids), 'run')}", self._marks.rename, ids, name)

    def note(self, record: RunRecord, text: str) -> None:
        """Replace the run's note."""
        self._change("the note", self._marks.note, record.id, text)

    def colour(self, records: Sequence[RunRecord], colour: int | None) -> None:
        """Choose the curve's look; None: by the run's number."""
        self._change("the colour", self._marks.colour, [record.id for record in records], colour)

    def star(self, record: RunRecord, *, is_starred: bool) -> None:
        """Make it its data set's baseline, or no longer."""
        self._change("the baseline", self._marks.star, record.id, is_starred=is_starred)

    def shelve(self, records: Sequence[RunRecord], shelf: Shelf) -> None:
        """Archive, trash or restore; the notification offers nothing, Ctrl+Z does."""
        ids = [record.id for record in records]
        words = {Shelf.SHOWN: "restored", Shelf.ARCHIVED: "archived", Shelf.TRASHED: "moved to the trash"}[shelf]

        def told() -> None:
            self._context.notifier.tell(f"{count(len(ids), 'run')} {words}. Ctrl+Z takes it back.")

        self._change(f"{count(len(ids), 'run')} {words}", self._marks.shelve, ids, shelf, then=told)

    def purge(self, records: Sequence[RunRecord]) -> None:
        """Delete trashed runs for good, with their files. Cannot be undone."""
        ids = [record.id for record in records]

        def done(_: Any) -> None:
            self._context.control.changed.emit()
            self._context.notifier.tell(f"{count(len(ids), 'run')} deleted for good.")

        def failed(error: BaseException) -> None:
            self._context.control.changed.emit()
            self._context.control.report(error)

        self._context.run_in_thread(self._marks.purge, ids, on_result=done, on_error=failed)

    def undo(self) -> None:
        """Take the last change back; one that the store refused has changed nothing, and has been told of."""
        if not self._history:
            return
        change = self._history.pop()

        def put_back() -> bool:
            if change.before is not None:
                self._marks.put_back(change.before)
            return change.before is not None

        def done(was_made: bool) -> None:
            if was_made:
                self._context.control.changed.emit()
                self._context.notifier.tell(f"Undone: {change.text}.")

        self._context.run_in_thread(self._in_order(put_back), on_result=done, on_error=self._context.control.report)

    def _change(
        self, text: str, function: Callable[..., MarksBefore], *arguments: Any, then: Any = None, **keywords: Any
    ) -> None:
        change = _Change(text)
        self._history = [*self._history, change][-MOST_UNDONE:]

        def make() -> None:
            change.before = function(*arguments, **keywords)

        def done(_: Any) -> None:
            self._context.control.changed.emit()
            if then is not None:
                then()

        def failed(error: BaseException) -> None:
            self._history = [other for other in self._history if other is not change]
            self._context.control.report(error)

        self._context.run_in_thread(self._in_order(make), on_result=done, on_error=failed)
