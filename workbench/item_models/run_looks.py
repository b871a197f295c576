"""Looks of the drawn runs: each has its own as long as there are enough, and keeps it while it is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from workbench.item_models.run_order import group_key
from workbench.theme import DASHES, MARKERS

if TYPE_CHECKING:
    from workbench.item_models.runs_model import RunsModel

MOST_TICKED = 50
"""Above this many curves a plot shows nothing any more; groups count as one."""
PAIRS = len(MARKERS)
"""Pairs of colour and marker; with a dash each, there are so many looks more."""


@dataclass(frozen=True)
class _Worn:
    """What a curve would have by its number or by choice, and what it has."""

    own: int
    look: int


class DrawnLooks(QObject):
    """By a row's key. What is not drawn has its own look, and gets it when it is drawn, unless another one wears it."""

    def __init__(self, model: RunsModel) -> None:
        super().__init__(model)
        self._model, self._book = model, model.book
        self._worn: dict[str, _Worn] = {}
        self._is_stale = True
        for news in (
            model.ticked_changed,
            model.counts_changed,
            self._book.marks_changed,
            self._book.records_changed,
            self._book.purged,
        ):
            news.connect(self._forget)

    @Slot()
    def _forget(self) -> None:
        self._is_stale = True

    def of(self, key: str) -> int:
        """The look of a row, drawn or not; a group's own is its oldest run's."""
        self._settle()
        worn = self._worn.get(key)
        return self._own(key) if worn is None else worn.look

    def of_run(self, run_id: str) -> int:
        """The look of the curve that stands for the run, whether or not the table has a row for it now."""
        self._settle()
        worn = self._worn.get(self._key(run_id))
        return self._book.order(run_id) if worn is None else worn.look

    def drawn_ids(self) -> list[str]:
        """Runs whose curves are read: the last ticked ones."""
        ticked = self._model.ticked
        return ticked if self._model.is_grouped else ticked[-MOST_TICKED:]

    def _key(self, run_id: str) -> str:
        return group_key(self._book, run_id) if self._model.is_grouped else run_id

    def _oldest(self, key: str) -> str:
        return min(self._model.runs_of(key), default="")

    def _own(self, key: str) -> int:
        return self._book.order(self._oldest(key))

    def _settle(self) -> None:
        if not self._is_stale:
            return
        self._is_stale = False
        before, self._worn = self._worn, {}
        new: dict[str, str] = {}
        for key, run_id in self._drawn().items():
            oldest = self._oldest(key)
            is_hidden = not oldest  # a filter has taken the whole group away: that changes nothing of its curve
            if key in before and (is_hidden or before[key].own == self._own(key)):
                self._worn[key] = before[key]
            else:
                new[key] = oldest or run_id
        for key, run_id in sorted(new.items(), key=lambda item: not self._is_chosen(item[1])):
            own = self._book.order(run_id)
            others = [worn.look for worn in self._worn.values()]
            self._worn[key] = _Worn(own, own if self._is_chosen(run_id) else free_look(own, others))

    def _drawn(self) -> dict[str, str]:
        """Key of each drawn curve → the first of its ticked runs."""
        found: dict[str, str] = {}
        for run_id in self.drawn_ids():
            if self._book.get(run_id) is not None:
                found.setdefault(self._key(run_id), run_id)
        return dict(list(found.items())[-MOST_TICKED:])

    def _is_chosen(self, run_id: str) -> bool:
        return self._book.marks(run_id).colour is not None


def free_look(own: int, others: Collection[int]) -> int:
    """``own``, where none of the ``others`` has its colour and marker; else the next look whose pair is free, in the
    last resort one whose dash is.

    >>> free_look(9, [1, 3]), free_look(9, [2, 3]), free_look(9, range(7)), free_look(2, range(28))
    (9, 4, 9, 2)
    """
    for apart in (PAIRS, PAIRS * len(DASHES)):
        taken = {look % apart for look in others}
        if own % apart not in taken:
            return own
        free = next(((own + step) % apart for step in range(1, apart) if (own + step) % apart not in taken), None)
        if free is not None:
            return free
    return own
