"""The table of runs is filtered in the language of `engine.config.filtering`; words look into a run's whole line."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import filtering
from workbench.run_book import RunBook
from workbench.run_names import dataset_name

_TEXTS = {
    **filtering.TEXTS,
    # As the window calls it.
    "data": lambda record, _: f"{record.dataset} {dataset_name(record)}",
}
_ALL = filtering.RunFilter()


@dataclass(frozen=True)
class RunFilter:
    """Whether a run of a book is wanted."""

    wanted: filtering.RunFilter = _ALL

    def __call__(self, run_id: str, book: RunBook) -> bool:
        line = book.line(run_id)
        if not self.wanted.is_said(line.text):
            return False
        return not self.wanted.tests or self.wanted.holds(line.record, book.marks(run_id))

    @property
    def is_empty(self) -> bool:
        return self.wanted.is_empty


def parse_filter(text: str) -> RunFilter:
    """The filter that ``text`` is. Raises `QueryError` with a sentence."""
    return RunFilter(filtering.parse_filter(text, _TEXTS))
