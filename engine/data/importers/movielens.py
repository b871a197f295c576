"""MovieLens: ``ratings.dat`` (1M, 10M), ``ratings.csv`` (20M and later) and ``u.data`` (100K), with titles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from engine.data.importers.delimited import Delimited
from engine.data.importing.delimited import Layout
from engine.data.importing.files import Feed, OnShare
from engine.data.importing.guess import Roles
from engine.registry import register

_DAT = re.compile(rb"\d+::\d+::[\d.]+::\d+\s")
_CSV = re.compile(rb'"?userId"?,"?movieId"?,"?rating"?,"?timestamp"?\s')
_TAB = re.compile(rb"\d+\t\d+\t[1-5]\t8\d{8}\s")
_NAMES = ("userId", "movieId", "rating", "timestamp")
_BESIDE = ("movies.dat", "movies.csv", "u.item", "movies.dat.gz", "movies.csv.gz", "u.item.gz")


class MovieLens(Delimited):
    """``.dat`` and ``u.data`` have no header: their columns get the names that ``ratings.csv`` has."""

    form = "One rating a line: UserID::MovieID::Rating::Timestamp, or the same four columns as CSV."
    roles = Roles("userId", "movieId", "rating", "timestamp")

    def _layout(self, head: bytes) -> Layout:
        found = super()._layout(head)
        if found.has_header or len(found.names) != len(_NAMES):
            self.roles = Roles() if not set(_NAMES) <= set(found.names) else self.roles
            return found
        return Layout(found.separator, False, False, _NAMES, found.rows)

    def beside(self) -> Path | None:
        return next((path for name in _BESIDE if (path := self.path.with_name(name)).is_file()), None)

    def titles(self, path: Path, on_share: OnShare | None = None) -> Iterator[tuple[str, str]] | None:
        # movies.dat: MovieID::Title::Genres; u.item: id|title|date|…; both Latin-1, and their titles have commas.
        name = path.name.lower()
        sign = "::" if ".dat" in name else "|" if name.startswith("u.item") else ""
        return _fields(path, sign, on_share) if sign else None


def _fields(path: Path, sign: str, on_share: OnShare | None) -> Iterator[tuple[str, str]]:
    from engine.data.importing.titles import text_encoding

    feed = Feed(path, encoding=text_encoding(path), on_share=on_share)
    for lines in feed.lines():
        for line in lines.text.decode("utf-8").split("\n"):
            parts = line.split(sign)
            if len(parts) > 1:
                yield parts[0], parts[1]


def recognises(path: Path, head: bytes) -> float:
    """By the form of the first line."""
    del path
    return 0.95 if any(form.match(head) for form in (_DAT, _CSV, _TAB)) else 0.0


register(
    "importer",
    "movielens",
    label="MovieLens ratings",
    help="ratings.dat, ratings.csv or u.data; titles come from movies.dat, movies.csv or u.item.",
    target="engine.data.importers.movielens:MovieLens",
    recognises=recognises,
    suffixes=(".dat", ".csv", ".data"),
)
