"""Amazon's reviews: one JSON object a line (2014, 2018, 2023), and the titles in the metadata file beside it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.importing.files import REPLACED, Feed, Lines, OnShare, head_lines, head_of, stem_of, suffixes_of
from engine.data.importing.guess import SHOWN
from engine.data.importing.source import ROLES, Block, Glimpse, Source
from engine.errors import DataError
from engine.records import BadRow
from engine.registry import register

_HALVES = re.compile("[\ud800-\udfff]")
_SUFFIXES = (".json", ".jsonl", ".ndjson")


class JsonLines(Source):
    """Any JSON lines whose objects hold user and item; other fields (review texts) are read over."""

    form = 'One JSON object a line, e.g. {"reviewerID": "A1", "asin": "B1", "overall": 5.0, …}.'

    def _look(self) -> Glimpse:
        lines = [line for line in head_lines(head_of(self.path), self.recipe.encoding)[:SHOWN] if line.strip()]
        if not lines:
            raise DataError("the file is empty.", self.form, path=self.path)
        # What is not an object is told with its line when the rows are read.
        found = [row for line in lines if isinstance(row := _object(line), dict)]
        if not found:
            hint = (
                "A file that is one JSON array: write one object a line." if lines[0].lstrip()[:1] == "[" else self.form
            )
            raise DataError("its first lines are no JSON objects.", hint, path=self.path, line=1)
        names = tuple(dict.fromkeys(name for row in found for name, value in row.items() if _is_plain(value)))
        return Glimpse(names, tuple(tuple(_text(row.get(name)) for name in names) for row in found))

    def blocks(self, on_share: OnShare | None = None) -> Iterator[Block]:
        self._feed = Feed(self.path, encoding=self.recipe.encoding, on_share=on_share)
        names = {role: getattr(self.recipe, role) for role in ROLES if self.place(role) is not None}
        for lines in self._feed.lines():
            yield _parsed(lines, names)

    @property
    def sha256(self) -> str:
        return self._feed.sha256

    def beside(self) -> Path | None:
        return metadata_beside(self.path)

    def titles(self, path: Path, on_share: OnShare | None = None) -> Iterator[tuple[str, str]] | None:
        return metadata_titles(self, path, on_share)


def _object(line: str) -> Any:
    """The value of a line; None where it is no JSON. The files of 2014 hold Python's literals."""
    try:
        return json.loads(line)
    except RecursionError:
        return None
    except ValueError:
        if not line.lstrip().startswith("{'"):
            return None
    try:
        return ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not (isinstance(value, str) and "\n" in value)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))  # 7.0 and 7 are one id
    return "" if value is None else str(value)


def _whole_text(value: str | None, stand_in: str) -> str | None:
    """The text with ``stand_in`` for each half of a character, which JSON can write and no file can hold."""
    return None if value is None else _HALVES.sub(stand_in, value)


def _parsed(lines: Lines, names: dict[str, str]) -> Block:
    import pyarrow as pa

    numbers: list[int] = []
    bad: list[BadRow] = []
    undecodable = {row.line: row for row in lines.undecodable}
    values: dict[str, list[str | None]] = {role: [] for role in names}
    for number, line in enumerate(lines.text.decode("utf-8").split("\n")[:-1], lines.first):
        if not line.strip():
            continue
        row = _object(line)
        if not isinstance(row, dict):
            bad.append(undecodable.get(number) or BadRow(number, f"it is no JSON object: {line[:40]}"))
            continue
        if number in undecodable and any(REPLACED in _text(row.get(name)) for name in names.values()):
            bad.append(undecodable[number])  # elsewhere, in a review's text, it does no harm
            continue
        numbers.append(number)
        for role, name in names.items():
            value = row.get(name)
            text = value if isinstance(value, str) or value is None else _text(value)
            values[role].append(_whole_text(text, "\x01"))  # unprintable: a bad id
    columns = {role: pa.array(found, pa.string()) for role, found in values.items()}
    return Block(np.array(numbers, dtype=np.int64), columns, bad)


def metadata_beside(path: Path) -> Path | None:
    """``meta_Beauty.json.gz`` beside ``reviews_Beauty_5.json.gz``, ``Beauty.csv`` or ``ratings_Beauty.csv``."""
    name = re.sub(r"^(reviews|ratings)_|_\d+$", "", stem_of(path))
    endings = [suffix + packed for suffix in (".jsonl", ".json") for packed in ("", ".gz")]
    names = [f"meta_{part}{ending}" for part in dict.fromkeys((name, stem_of(path))) for ending in endings]
    return next((found for name in names if (found := path.with_name(name)).is_file()), None)


def metadata_titles(source: Source, path: Path, on_share: OnShare | None = None) -> Iterator[tuple[str, str]] | None:
    """Items and titles of a metadata file; None for a file of another form. Objects without a title are left out."""
    del source
    return _titles(path, on_share) if suffixes_of(path) in _SUFFIXES else None


def _titles(path: Path, on_share: OnShare | None) -> Iterator[tuple[str, str]]:
    for lines in Feed(path, on_share=on_share).lines():
        for line in lines.text.decode("utf-8").split("\n"):
            row = _object(line) if '"title"' in line or "'title'" in line else None
            if isinstance(row, dict) and isinstance(row.get("title"), str):
                item = row.get("parent_asin") or row.get("asin") or row.get("item_id")
                if item is not None:
                    yield str(item), _whole_text(row["title"], REPLACED) or ""


def recognises(path: Path, head: bytes) -> float:
    """By the first character: an object."""
    if head.lstrip()[:1] == b"{":
        return 0.9
    return 0.6 if suffixes_of(path) in _SUFFIXES else 0.0


register(
    "importer",
    "json_lines",
    label="Amazon reviews, JSON lines",
    help="One JSON object a line, as Amazon's reviews; titles come from the metadata file.",
    target="engine.data.importers.amazon_reviews:JsonLines",
    recognises=recognises,
    suffixes=_SUFFIXES,
)
