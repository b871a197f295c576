"""CoSeRec text as an import: one user a line, oldest item first, ids of any kind, packed or not, with a core."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.data.importing.files import Feed, Lines, OnShare, head_lines, head_of, stem_of
from engine.data.importing.source import Block, Glimpse, Source
from engine.errors import DataError
from engine.records import BadRow
from engine.registry import register

_LINE = re.compile(r"\s*\S+([ \t]+\S+)+\s*\Z")
_NAMES = ("user", "items")
MOSTLY = 0.8
"""Share of words that are numbers, from which on the file is taken for CoSeRec's own."""


class CoSeRecText(Source):
    """Neither ratings nor times: the order of a line's items is the order of its actions."""

    form = "One user a line: 'user item item …', oldest item first, separated by spaces or tabs."

    def _look(self) -> Glimpse:
        lines = [line for line in head_lines(head_of(self.path), self.recipe.encoding)[:200] if line.strip()]
        if not lines:
            raise DataError("the file is empty.", self.form, path=self.path)
        parts = [line.split(maxsplit=1) for line in lines]
        return Glimpse(_NAMES, tuple((row[0], row[1] if len(row) > 1 else "") for row in parts))

    def _named(self) -> dict[str, str]:
        return {"user": "user", "item": "items", "rating": "-", "time": "-"}

    def blocks(self, on_share: OnShare | None = None) -> Iterator[Block]:
        self._feed = Feed(self.path, encoding=self.recipe.encoding, on_share=on_share)
        seen: dict[str, int] = {}
        for lines in self._feed.lines():
            yield _parsed(lines, seen)

    @property
    def sha256(self) -> str:
        return self._feed.sha256

    def beside(self) -> Path | None:
        found = self.path.with_name(stem_of(self.path) + ".titles.tsv")
        return found if found.is_file() else None


def _parsed(lines: Lines, seen: dict[str, int]) -> Block:
    import pyarrow as pa

    users: list[str] = []
    items: list[str] = []
    counts: list[int] = []
    numbers: list[int] = []
    bad = list(lines.undecodable)  # every word of a line is an id
    broken = {row.line for row in bad}
    for number, line in enumerate(lines.text.decode("utf-8").split("\n")[:-1], lines.first):
        user, *row = line.split() or [""]
        if not user or number in broken:
            continue
        if not row:
            bad.append(BadRow(number, f"user '{user[:40]}' has no items"))
        elif user in seen:
            bad.append(BadRow(number, f"user '{user[:40]}' stands in line {seen[user]:,} already"))
        else:
            seen[user] = number
            users.append(user)
            counts.append(len(row))
            numbers.append(number)
            items += row
    repeated = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(users), dtype=np.int32), counts)), pa.array(users, pa.string())
    )
    columns = {"user": repeated, "item": pa.array(items, pa.string())}
    return Block(np.repeat(np.array(numbers, dtype=np.int64), counts), columns, bad)


def recognises(path: Path, head: bytes) -> float:
    """Lines of different lengths, of words separated by blanks, whose first words are all different."""
    del path
    lines = [line for line in head_lines(head)[:200] if line.strip()]
    if not lines or b"\0" in head or not all(_LINE.match(line) and "::" not in line for line in lines):
        return 0.0
    rows = [line.split() for line in lines]
    are_users = len({row[0] for row in rows}) == len(rows)
    lengths = {len(row) for row in rows}
    if not are_users:
        return 0.0
    # A damaged word or two make no other format of it: the reader tells which.
    digits = [word.isdigit() for row in rows for word in row]
    are_numbers = sum(digits) >= MOSTLY * len(digits)
    if len(lengths) == 1 and len(rows) > 1 and max(lengths) <= 5:
        # As many values in each line: more likely the columns of a table, unless only blanks stand between them.
        has_times = all(row[-1].isdigit() and int(row[-1]) > 10**8 for row in rows)
        return 0.4 if are_numbers and b"\t" not in head and not has_times else 0.0
    return 0.85 if are_numbers else 0.3


register(
    "importer",
    "coserec_text",
    label="CoSeRec text",
    help="One user a line: user item item …, oldest item first.",
    target="engine.data.importers.coserec_text:CoSeRecText",
    recognises=recognises,
    suffixes=(".txt", ".dat", ".seq"),
)
