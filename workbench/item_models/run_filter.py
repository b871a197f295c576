"""The table of runs is filtered in the language of `engine.config.filtering`, by the text that a run's line keeps."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import filtering
from workbench.run_book import RunBook

_ALL = filtering.RunFilter()


@dataclass(frozen=True)
class RunFilter:
    """Whether a run of a book is wanted."""

    wanted: filtering.RunFilter = _ALL

    def __call__(self, run_id: str, book: RunBook) -> bool:
        line = book.line(run_id)
        return self.wanted.keeps(line.record, book.marks(run_id), line.text)

    @property
    def is_empty(self) -> bool:
        return self.wanted.is_empty


def parse_filter(text: str) -> RunFilter:
    """The filter that ``text`` is. Raises `QueryError` with a sentence."""
    return RunFilter(filtering.parse_filter(text))
