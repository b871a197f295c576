"""Rows of separated values, by Arrow's parser a block at a time, each with its line in the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.importing import open_end
from engine.data.importing.files import HEAD, REPLACED, Feed, Lines
from engine.data.importing.guess import KNOWN, SEPARATORS, SHOWN, has_header, plain_name, separator_of, split
from engine.data.importing.quotes import row_starts
from engine.data.importing.source import Block
from engine.errors import DataError
from engine.records import BadRow

_SAYS = re.compile(r'"?sep=([,;|\t ])"?\s*\Z', re.IGNORECASE)
_UNIT = "\x1f"
"""Stands in for a separator of several characters, which Arrow does not know."""


@dataclass(frozen=True)
class Layout:
    """How lines are split: ``separator``, whether values may stand in double quotes, and the columns' names."""

    separator: str
    quoted: bool
    has_header: bool
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The first rows, without the header."""
    skipped: int = 0
    """Lines before the header or the first row: empty ones, comments, Excel's ``sep=;``."""
    lines: tuple[int, ...] = ()
    """The lines of ``rows`` in the file; empty where a row stands on several."""


def layout_of(
    head: bytes, *, separator: str = "auto", header: str = "auto", encoding: str = "utf-8", quoted: bool | None = None
) -> Layout:
    """The layout of a file that begins with ``head``. ``separator`` is a key of `SEPARATORS` or ``auto``."""
    skipped, said = preamble_of(head, encoding)
    numbered = list(enumerate(_lines_of(head, encoding), 1))[skipped : skipped + SHOWN + 1]
    numbered = [(number, line) for number, line in numbered if line.strip()]
    lines = [line for _, line in numbered]
    sign = SEPARATORS[separator] if separator != "auto" else said or separator_of(lines)
    # RecBole, MovieLens and other tab-separated text use no quotes: one in a title is a character like any other.
    may_quote = sign in (",", ";", "|", " ") if quoted is None else quoted
    split_rows = [tuple(row) for row in split(lines, sign, quoted=may_quote)]
    names_them = has_header(split_rows) if header == "auto" else header == "yes"
    # What most rows have: one row with a separator too many must not make all the others bad.
    width = max(Counter(map(len, split_rows)).items(), key=lambda found: found[::-1], default=(0, 0))[0]
    if names_them and split_rows:
        names = _distinct([name.strip() or f"column {place + 1}" for place, name in enumerate(split_rows[0])])
        width = len(names)
    else:
        names = tuple(f"column {place + 1}" for place in range(width))
    rows = split_rows[names_them:SHOWN]
    if names and plain_name(names[-1]) in KNOWN["title"]:
        rows = [(*row[: width - 1], sign.join(row[width - 1 :])) if len(row) > width else row for row in rows]
    at = [number for number, _ in numbered[names_them:SHOWN]] if len(split_rows) == len(lines) else []
    return Layout(sign, may_quote, names_them, names, tuple(rows), skipped, tuple(at))


def _lines_of(head: bytes, encoding: str) -> list[str]:
    """The whole lines of a file's beginning, the empty ones too, so that they can be counted."""
    text = head.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return lines[:-1] if len(head) >= HEAD and len(lines) > 1 else lines


def preamble_of(head: bytes, encoding: str = "utf-8") -> tuple[int, str]:
    """How many lines come before the table, and the separator that one of them says.

    A line that begins with ``#`` is a comment unless it has as many values as the rows: then it names the columns.

    >>> preamble_of(b"sep=;\\nuser;item\\n1;2\\n"), preamble_of(b"\\n# a log\\nuser,item\\n")
    ((1, ';'), (2, ''))
    >>> preamble_of(b"#user,item\\n1,2\\n")
    (0, '')
    """
    lines = _lines_of(head, encoding)[: 2 * SHOWN]
    said, width, sign = "", 0, ""
    for number, line in enumerate(lines):
        if found := _SAYS.match(line):
            said = found[1]
        elif line.startswith("#"):
            if not width:
                rest = [row for row in lines[number + 1 :] if row.strip() and not row.startswith("#")]
                sign = said or separator_of(rest)
                width = max((len(row) for row in split(rest[:1], sign)), default=0)
            if len(split([line], sign)[0]) == width > 1:
                return number, said
        elif line.strip():
            return number, said
    return 0, ""


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    made: list[str] = []
    for name in names:
        made.append(name if name not in made else f"{name} ({made.count(name) + 1})")
    return tuple(made)


def pairs(feed: Feed, layout: Layout, first: str, second: str) -> Iterator[tuple[str, str]]:
    """Two columns of every row, by their names. Raises as `blocks`."""
    places = {"first": layout.names.index(first), "second": layout.names.index(second)}
    for block in blocks(feed, layout, places, second):
        yield from zip(block.columns["first"].to_pylist(), block.columns["second"].to_pylist(), strict=True)


def blocks(feed: Feed, layout: Layout, places: Mapping[str, int], title: str = "") -> Iterator[Block]:
    """All rows below the header. ``places`` maps roles to columns; they come as Arrow arrays of text.

    A row with another number of columns is bad, and one with bytes that are no text in one of these columns; where they
    stand in the column ``title`` it is the title that is bad, and elsewhere nothing. Where ``title`` is the last column
    the rest of a line belongs to it, separators too (``12,Shampoo, mint``). Raises ``DataError``.
    """
    above = layout.skipped + layout.has_header
    for lines in feed.lines(quoted=layout.separator.encode() if layout.quoted else b""):
        if above:
            below = tuple(row for row in lines.undecodable if row.line >= lines.first + above)
            lines = Lines(lines.text.split(b"\n", above)[-1], lines.first + above, below)
            above = 0
        if lines.text:
            yield _parsed(lines, layout, places, feed, title)


def _parsed(lines: Lines, layout: Layout, places: Mapping[str, int], feed: Feed, title: str) -> Block:
    import pyarrow as pa

    numbers = _line_numbers(lines, layout)
    wanted = [layout.names[place] for place in places.values()]
    wanted += [title] if title and lines.undecodable else []
    table, odd = _table(lines, layout, wanted, feed, len(numbers), is_open=title == layout.names[-1])
    left = np.ones(len(numbers), dtype=bool)
    left[[number - 1 for number, _ in odd]] = False
    kept = numbers[left]
    if len(kept) != table.num_rows:
        last = lines.first + lines.text.count(b"\n") - 1
        raise DataError(
            f"between lines {lines.first:,} and {last:,} double quotes leave open where rows end.",
            "Mend the quotes, or give another separator.",
            path=feed.path,
        )
    columns = {role: _whole(table.column(layout.names[place])) for role, place in places.items()}
    empty = _empty_lines(lines)
    if len(empty):  # Arrow takes one for a row of empty values
        full = ~np.isin(kept, empty)
        kept, columns = kept[full], {role: column.filter(pa.array(full)) for role, column in columns.items()}
        table = table.filter(pa.array(full))
    bad = _odd_rows(lines, layout, numbers, odd)
    if not lines.undecodable:
        return Block(kept, columns, bad)
    titles = _whole(table.column(title)) if title else None
    lost, without_title = _undecodable_rows(lines, kept, columns, titles)
    stays = np.ones(len(kept), dtype=bool)
    stays[list(lost)] = False
    columns = {role: column.filter(pa.array(stays)) for role, column in columns.items()}
    return Block(kept[stays], columns, (*lost.values(), *bad), without_title)


def _undecodable_rows(
    lines: Lines, kept: NDArray[np.int64], columns: Mapping[str, Any], titles: Any
) -> tuple[dict[int, BadRow], list[BadRow]]:
    """Of rows with bytes that are no text: those that are lost, by their place in ``kept``; those whose title is."""
    lost: dict[int, BadRow] = {}
    without_title: dict[int, BadRow] = {}
    for why in lines.undecodable:
        row = int(np.searchsorted(kept, why.line, side="right")) - 1  # a quoted value may have line breaks
        if row < 0:
            continue
        if any(REPLACED in (column[row].as_py() or "") for column in columns.values()):
            lost.setdefault(row, why)
        elif titles is not None and REPLACED in (titles[row].as_py() or ""):
            without_title.setdefault(row, BadRow(why.line, f"in the title, {why.reason}"))
    return lost, list(without_title.values())


def _odd_rows(lines: Lines, layout: Layout, numbers: NDArray[np.int64], odd: Sequence[tuple[int, int]]) -> list[BadRow]:
    """Rows with another number of columns, by ``odd``: their numbers from 1 and how many columns they have."""
    after = np.append(numbers[1:], lines.first + lines.text.count(b"\n"))
    bad = []
    for number, count in odd:
        line, last = int(numbers[number - 1]), int(after[number - 1]) - 1
        runs_on = f"; between double quotes it runs on to line {last:,}" if last > line else ""
        quotes = "; a value with a separator in it needs double quotes" if layout.quoted else ""
        said = runs_on or (quotes if count > len(layout.names) else "")
        bad.append(BadRow(line, f"it has {_counted(count)} where there should be {len(layout.names)}{said}"))
    return bad


def _table(
    lines: Lines, layout: Layout, wanted: Sequence[str], feed: Feed, row_count: int, *, is_open: bool
) -> tuple[Any, list[tuple[int, int]]]:
    """The columns ``wanted`` as text, and the rows with another number of columns, which are left out of them.

    ``is_open``: what is too much belongs to the last column.
    """
    text, sign, names = lines.text, layout.separator, layout.names
    if len(sign) > 1:
        text, sign = text.replace(sign.encode(), _UNIT.encode()), _UNIT
    # A row of several lines, between quotes, is none of those that are put right line by line.
    closes = is_open and len(sign) == len(layout.separator) and row_count == text.count(b"\n")
    if closes:
        text = open_end.closed(text, sign.encode(), len(names), quoted=layout.quoted)
    odd: list[tuple[int, int]] = []
    longer: dict[int, list[str]] = {}

    def skip(row: Any) -> str:
        values = None
        if is_open:
            between = layout.separator
            values = open_end.values_of(row.text, sign, len(names), quoted=layout.quoted, between=between)
        if values is None:
            odd.append((row.number, row.actual_columns))
        else:
            longer[row.number] = values
        return "skip"

    table = _split(text, sign, layout, wanted, feed, lines.first, skip)
    if closes and text is not lines.text and names[-1] in wanted:
        last = table.column_names.index(names[-1])
        table = table.set_column(last, names[-1], open_end.opened(table.column(last), sign))
    if longer:
        table = open_end.with_rows(table, longer, [number for number, _ in odd], names)
    return table, odd


def _split(
    text: bytes, sign: str, layout: Layout, wanted: Sequence[str], feed: Feed, line: int, on_odd: Callable[[Any], str]
) -> Any:
    """Arrow's table of the columns ``wanted``; ``line`` is the number of the text's first one. Raises ``DataError``."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(text),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=len(text) + 1,
                column_names=[*layout.names],
                autogenerate_column_names=False,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=sign,
                quote_char='"' if layout.quoted else False,
                newlines_in_values=layout.quoted,
                ignore_empty_lines=False,
                invalid_row_handler=on_odd,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(dict.fromkeys(wanted)),
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(
            f"the rows from here on cannot be split: {_short(error)}.",
            "Check the separator.",
            path=feed.path,
            line=line,
        ) from None


def _empty_lines(lines: Lines) -> NDArray[np.int64]:
    if b"\n\n" not in lines.text and not lines.text.startswith(b"\n"):
        return np.empty(0, dtype=np.int64)
    breaks = np.flatnonzero(np.frombuffer(lines.text, dtype=np.uint8) == ord("\n"))
    return lines.first + np.flatnonzero(np.diff(breaks, prepend=-1) == 1)


def _whole(column: Any) -> Any:
    made = column.combine_chunks()
    return made.chunk(0) if hasattr(made, "chunk") else made


def _counted(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"


def _short(error: Exception) -> str:
    return str(error).split("\n")[0].rstrip(".")[:160]


def _line_numbers(lines: Lines, layout: Layout) -> NDArray[np.int64]:
    """The line that each row begins on, [rows], also where a quoted value has line breaks in it."""
    text = lines.text
    if not layout.quoted or b'"' not in text:
        return lines.first + np.arange(text.count(b"\n"), dtype=np.int64)
    return lines.first + row_starts(text, layout.separator.encode())[0]
