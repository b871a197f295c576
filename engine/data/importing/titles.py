"""Titles of items: a format's own file, or any file with two columns; only titles of items that are kept are held.

Nothing is trained on titles: one that cannot be read is left out and told, and its interaction stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.config.importing import ImportRecipe
from engine.data.importing.delimited import Layout, layout_of, pairs
from engine.data.importing.files import Feed, OnShare, head_of
from engine.data.importing.guess import roles_by_name
from engine.data.importing.source import Source
from engine.errors import DataError
from engine.records import GUESS, NO_COLUMN

LONGEST_TITLE = 500
LARGEST_TORN = 0.2
"""Share of the items with different titles above which a column of the data is not one of items' titles."""


def file_of(source: Source, recipe: ImportRecipe) -> Path | None:
    """The file that titles come from: the one named, the one beside the data, or the data with a column of titles.

    Raises ``DataError``.
    """
    if recipe.titles == NO_COLUMN:
        return None
    if recipe.titles != GUESS:
        path = Path(recipe.titles).expanduser().absolute()
        if not path.is_file():
            raise DataError("there is no such file of titles.", "Check --titles, or give '-' for none.", path=path)
        return path
    beside = source.path.with_name(source.path.stem + ".titles.tsv")
    if found := source.beside() or (beside if beside.is_file() else None):
        return found
    return source.path if source.title_column() else None


def are_own(source: Source, recipe: ImportRecipe) -> bool:
    """Whether titles come from a column of the data itself."""
    try:
        return bool(source.title_column()) and file_of(source, recipe) == source.path
    except DataError:
        return False  # the import tells what is wrong with the file of titles


def titles_of(
    source: Source,
    path: Path,
    wanted: Collection[str],
    on_share: OnShare | None = None,
    *,
    refused: NDArray[np.int64] | None = None,
) -> dict[str, str]:
    """Titles by item id, of the items ``wanted``; an item's most frequent title counts, the first of equals.

    ``refused`` numbers the rows of the data that cannot be used: they title nothing. Raises ``DataError`` when the file
    cannot be read or has fewer than two columns.
    """
    ids = set(wanted) - {""}  # the padding's, and of rows that are bad for their missing id
    found = _Counted()
    is_own = path == source.path and bool(source.title_column())
    rows: Iterable[tuple[str | None, str | None]]
    if is_own:
        rows = source.own_titles(np.empty(0, dtype=np.int64) if refused is None else refused, on_share)
    else:
        rows = source.titles(path, on_share) or _two_columns(path, on_share)
    for item, title in rows:
        item = (item or "").strip()
        clean = " ".join((title or "").split())[:LONGEST_TITLE]
        if item not in ids or not clean:
            continue
        found.add(item, clean)
        if is_own and len(found.others) > LARGEST_TORN * len(ids):
            return {}  # more than of those that will be found: a log of reviews need not be held whole
    # The title of a review is another for each row of an item; that of an item is seldom spelled in two ways.
    return {} if is_own and len(found.others) > LARGEST_TORN * len(found.first) else found.titles()


class _Counted:
    """How often an item has which title. Most have one only: the others alone cost a table each."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.others: dict[str, dict[str, int]] = {}
        self._often: dict[str, int] = {}
        """How often an item has its first title."""

    def add(self, item: str, title: str) -> None:
        """One row more."""
        if self.first.setdefault(item, title) == title:
            self._often[item] = self._often.get(item, 0) + 1
        else:
            others = self.others.setdefault(item, {})
            others[title] = others.get(title, 0) + 1

    def titles(self) -> dict[str, str]:
        """The most frequent title of each item, the first of equals."""
        made = dict(self.first)
        for item, others in self.others.items():
            best = max(others, key=others.__getitem__)
            if others[best] > self._often[item]:
                made[item] = best
        return made


def text_encoding(path: Path) -> str:
    """``utf-8``, or ``latin-1`` for a file that is not (MovieLens 1M and 100K): titles are for reading only."""
    try:
        for lines in Feed(path).lines():
            if lines.undecodable:
                return "latin-1"
    except DataError as error:
        if "UTF-16" in error.message:
            raise
    return "utf-8"


def _two_columns(path: Path, on_share: OnShare | None) -> Iterator[tuple[str, str]]:
    layout = _ending_early(layout_of(head_of(path)))
    if len(layout.names) < 2:
        raise DataError("the file of titles has only one column.", "It needs two: item id and title.", path=path)
    roles = roles_by_name(layout.names)
    item, title = roles.item, roles.title
    rest = [name for name in layout.names if name not in (item, title)]
    item = item or rest.pop(0)
    title = title or rest.pop(0)
    yield from pairs(Feed(path, encoding=text_encoding(path), on_share=on_share), layout, item, title)


def _ending_early(layout: Layout) -> Layout:
    """Without a header, titles with separators in them make most rows wider than the columns are: two, if some rows
    have two. Not so where what is more stands close to its separator, ``p1,Tent,Acme``: that is another column, which
    some rows lack; within a text a space follows, ``p1,Tent, green``."""
    counts = Counter(len(row) for row in layout.rows)
    often = [width for width, rows in counts.items() if width > 1 and rows >= 0.1 * len(layout.rows)]
    if layout.has_header or not often:
        return layout
    wider = [row[min(often) :] for row in layout.rows if len(row) > min(often)]
    are_text = sum(any(value[:1].isspace() for value in rest) for rest in wider)
    return replace(layout, names=layout.names[: min(often)]) if 2 * are_text >= len(wider) else layout
