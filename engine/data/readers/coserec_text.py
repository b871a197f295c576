"""Reader of the paper's text format: one user a line, ``user item item …``, oldest item first (§5.1.1).

Ids are positive integers, separated by spaces or tabs. The file is read in chunks and parsed with array arithmetic, so
millions of actions take about a second, and a line that never ends is refused before it fills the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from engine.data.dataset import Dataset, build, titles_beside
from engine.errors import DataError
from engine.registry import register

CHUNK = 4 * 2**20
LONGEST_LINE = 16 * 2**20
LARGEST_ID = 2**31 - 1
_DIGITS = 10  # of LARGEST_ID
FORMAT = "The format is one user a line: 'user item item …', positive integers separated by spaces or tabs."

_BOM = b"\xef\xbb\xbf"
_DIGIT, _SPACE, _BREAK, _OTHER = range(4)
_KINDS = np.full(256, _OTHER, dtype=np.uint8)
_KINDS[np.frombuffer(b"0123456789", dtype=np.uint8)] = _DIGIT
_KINDS[np.frombuffer(b" \t", dtype=np.uint8)] = _SPACE
_KINDS[np.frombuffer(b"\n", dtype=np.uint8)] = _BREAK


@dataclass(frozen=True)
class _Block:
    """Parsed whole lines: users [L], items [A], items per line [L]."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    lengths: NDArray[np.int64]


def read(path: Path, *, chunk: int = CHUNK, longest_line: int = LONGEST_LINE) -> Dataset:
    """Read ``path`` and, where it exists, the titles in ``<stem>.titles.tsv``.

    Raises ``DataError`` with file, line and what is wrong: an id that is not a positive integer below 2³¹, a user
    twice, a user without items, an empty line between users, a line longer than ``longest_line`` bytes, no text.
    A byte order mark, CRLF, trailing blanks and empty lines at the end are read over.
    """
    blocks: list[_Block] = []
    lines = 0
    ended = False  # an empty line has been seen: only more of them may follow
    try:
        with path.open("rb") as file:
            for text in _whole_lines(file, path, chunk, longest_line):
                block, breaks, ended = _parse(text, path, lines, ended)
                lines += breaks
                blocks.append(block)
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror}.", "Check its permissions.", path=path) from None
    users = np.concatenate([block.users for block in blocks]) if blocks else np.empty(0, np.int64)
    if not len(users):
        raise DataError("the file is empty.", FORMAT, path=path)
    _refuse_duplicates(users, path)
    offsets = np.zeros(len(users) + 1, dtype=np.int64)
    np.cumsum(np.concatenate([block.lengths for block in blocks]), out=offsets[1:])
    items = np.concatenate([block.items for block in blocks])
    return build(path, users, items, offsets, read_titles(titles_beside(path)))


def _whole_lines(file: BinaryIO, path: Path, chunk: int, longest_line: int) -> Iterator[bytes]:
    """The file in pieces that end with a line; each line break becomes ``\\n``."""
    rest = file.read(len(_BOM))
    if rest[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError("the file is UTF-16 text.", "Save it as UTF-8 or ASCII.", path=path)
    rest = rest.removeprefix(_BOM)
    lines = 0
    while data := file.read(chunk):
        rest += data
        # A lone CR breaks a line too; the last byte may be the first half of a CRLF.
        end = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
        if len(rest) - end > longest_line:
            lines += _unify(rest[:end]).count(b"\n")
            if b"\0" in rest[end:]:
                _refuse_binary(path, lines + 1)
            message = f"the line has more than {longest_line:,} bytes and no end in sight."
            raise DataError(message, FORMAT, path=path, line=lines + 1)
        if end:
            text = _unify(rest[:end])
            lines += text.count(b"\n")
            yield text
            rest = rest[end:]
    if rest:
        yield _unify(rest) if rest.endswith((b"\n", b"\r")) else _unify(rest) + b"\n"


def _unify(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _parse(text: bytes, path: Path, before: int, ended: bool) -> tuple[_Block, int, bool]:
    """Parse whole lines. ``before`` lines precede them; ``ended`` says that an empty one was among those.

    Returns the block, its number of lines, and whether the text has an empty line.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    kinds = _KINDS[data]
    breaks = np.flatnonzero(kinds == _BREAK)
    inside = kinds == _DIGIT
    inside |= kinds == _OTHER
    edges = np.flatnonzero(np.diff(inside.view(np.int8), prepend=np.int8(0)))  # the text ends with a line break
    starts, ends = edges[0::2], edges[1::2]
    values, wrong = _integers(data, kinds, starts, ends)
    last = np.searchsorted(starts, breaks)  # tokens before each line's end
    counts = np.diff(last, prepend=0)

    line = len(counts)
    token = None
    if wrong.any():
        token = int(np.argmax(wrong))
        line = int(np.searchsorted(breaks, starts[token]))
    empty = counts == 0
    full = np.flatnonzero(~empty)
    bare = int(np.argmax(counts == 1)) if (counts == 1).any() else len(counts)
    # A user after an empty line: the file is damaged, or it is two files in one.
    gap = 0 if ended else int(np.argmax(empty)) if empty.any() else len(counts)
    after_gap = int(full[np.searchsorted(full, gap)]) if len(full) and full[-1] >= gap else len(counts)
    if min(line, bare, after_gap) < len(counts):
        if token is not None and line <= min(bare, after_gap):
            _refuse_token(text[starts[token] : ends[token]], path, before + line + 1)
        if after_gap <= bare:
            raise DataError("the line before it is empty.", "Remove it.", path=path, line=before + after_gap + 1)
        name = text[starts[last[bare] - 1] : ends[last[bare] - 1]].decode("ascii")
        raise DataError(f"user {name} has no items.", FORMAT, path=path, line=before + bare + 1)

    is_user = np.zeros(len(values), dtype=bool)
    is_user[(last - counts)[full]] = True
    return _Block(values[is_user], values[~is_user], counts[full] - 1), len(breaks), ended or bool(empty.any())


def _integers(
    data: NDArray[np.uint8], kinds: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Value of each token ``data[start:end]``, and whether it is no integer from 1 to 2³¹ − 1."""
    lengths = ends - starts
    values = np.zeros(len(starts), dtype=np.int64)
    for place in range(min(_DIGITS, int(lengths.max(initial=0)))):
        longer = np.flatnonzero(lengths > place) if place else slice(None)
        values[longer] = values[longer] * 10 + (data[starts[longer] + place] - np.uint8(ord("0")))
    wrong = (values < 1) | (values > LARGEST_ID) | (lengths > _DIGITS)
    odd = np.flatnonzero(kinds == _OTHER)
    if len(odd):
        wrong[np.searchsorted(starts, odd, side="right") - 1] = True
    return values, wrong


def _refuse_token(token: bytes, path: Path, line: int) -> NoReturn:
    try:
        text = token[:40].decode("utf-8", errors="strict" if len(token) <= 40 else "ignore")
    except UnicodeDecodeError:
        _refuse_binary(path, line)
    if not text.isprintable():
        _refuse_binary(path, line)
    shown = f"'{text}…'" if len(token) > 40 else f"'{text}'"
    if token.isdigit():
        reason = "is not a positive id" if int(token[:40]) == 0 else f"is larger than {LARGEST_ID:,}"
    elif token[:1] == b"-" and token[1:].isdigit():
        reason = "is negative"
    else:
        reason = "is not an integer"
    raise DataError(f"{shown} {reason}.", FORMAT, path=path, line=line)


def _refuse_binary(path: Path, line: int) -> NoReturn:
    raise DataError("this is binary data and not text.", FORMAT, path=path, line=line)


def _refuse_duplicates(users: NDArray[np.int64], path: Path) -> None:
    order = np.argsort(users, kind="stable")
    again = np.flatnonzero(users[order][1:] == users[order][:-1]) + 1
    if len(again):
        second = int(order[again].min())  # the first line that repeats an earlier one
        first = int(np.argmax(users == users[second]))
        message = f"user {users[second]} stands in line {first + 1:,} already."
        raise DataError(message, "Give each user one line with all of their items.", path=path, line=second + 1)


def read_titles(path: Path, *, longest_line: int = 2**16) -> dict[int, str] | None:
    """Titles by original item id from a file of ``id TAB title`` lines; None where there is no such file.

    Raises ``DataError`` with the line: no tab, no integer, an item twice, no title, not UTF-8.
    """
    if not path.is_file():
        return None
    form = "The format is one item a line: id, tab, title."
    titles: dict[int, str] = {}
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(longest_line + 1):
                number += 1
                if len(line) > longest_line:
                    raise DataError(f"the line has more than {longest_line:,} bytes.", form, path=path, line=number)
                if not line.strip():
                    continue
                item, tab, title = line.removeprefix(_BOM if number == 1 else b"").decode("utf-8").partition("\t")
                item, title = item.strip(), title.strip()
                if not tab or not title:
                    raise DataError("there is no tab with a title after it.", form, path=path, line=number)
                if not (item.isascii() and item.isdigit() and len(item) <= _DIGITS):
                    raise DataError(f"'{item[:40]}' is not an item id.", form, path=path, line=number)
                if int(item) in titles:
                    raise DataError(f"item {item} has a title already.", form, path=path, line=number)
                titles[int(item)] = title
    except UnicodeDecodeError:
        raise DataError("this is not UTF-8 text.", form, path=path, line=number) from None
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror}.", "Check its permissions.", path=path) from None
    return titles


register(
    "reader",
    "coserec_text",
    label="CoSeRec text",
    help="One user a line: user item item …, oldest item first.",
    target="engine.data.readers.coserec_text:read",
    suffixes=(".txt", ".dat", ".seq"),
    fallback=True,
)
