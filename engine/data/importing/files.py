"""A file, plain or gzip, in pieces that end with a line: numbered, in UTF-8, with how far the reading has come.

Only a piece is in memory at a time. The file's hash is taken on the way, so that what is read is read once.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engine.data.importing.quotes import row_starts
from engine.errors import DataError
from engine.records import BadRow

BLOCK = 8 * 2**20
LONGEST_ROW = 32 * 2**20
HEAD = 256 * 2**10
"""As much as is looked at before anything is imported."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"

REPLACED = "\N{REPLACEMENT CHARACTER}"
"""Stands for bytes that are no text."""

OnShare = Callable[[float], None]


class _Counted(io.RawIOBase):
    """The raw bytes of a file as they are on the disk, hashed and counted."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self.raw = raw
        self.digest = hashlib.sha256()
        self.done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.raw.read(len(buffer))
        self.digest.update(data)
        self.done += len(data)
        buffer[: len(data)] = data
        return len(data)


@dataclass(frozen=True)
class Lines:
    """Whole lines: UTF-8, each ending in ``\\n``. ``first`` is the number of the first one in the file, from 1.

    ``undecodable`` are lines with bytes that are no text, and why; in ``text``, `REPLACED` stands for those. Whether a
    row is lost with them depends on where they stand.
    """

    text: bytes
    first: int
    undecodable: tuple[BadRow, ...] = ()


class Feed:
    """One reading of a file. ``sha256`` is that of the bytes on the disk, once all of it is read."""

    def __init__(self, path: Path, *, encoding: str = "utf-8", on_share: OnShare | None = None) -> None:
        self.path = path
        self.encoding = encoding
        self._on_share = on_share
        self.sha256 = ""
        self._lines = 1

    def lines(self, *, quoted: bytes = b"", block: int = BLOCK) -> Iterator[Lines]:
        """The file's lines in blocks. ``quoted``: the separator of values that may stand in double quotes; a line
        break between those ends no row, and no block ends within one.

        Raises ``DataError``: not readable, cut off or damaged gzip, UTF-16, binary, a row longer than 32 MiB.
        """
        with readable(self.path), self.path.open("rb") as raw:
            counted = _Counted(raw)
            size = max(self.path.stat().st_size, 1)
            stream: Any = io.BufferedReader(counted, 2**20)
            if is_gzip(self.path):
                stream = gzip.GzipFile(fileobj=stream)
            yield from self._blocks(stream, quoted, block, lambda: self._tell(counted.done / size))
            counted.read()  # what follows the last member of a gzip file counts for the hash too
            self.sha256 = counted.digest.hexdigest()

    def _tell(self, share: float) -> None:
        if self._on_share is not None:
            self._on_share(min(share, 1.0))

    def _blocks(self, stream: Any, quoted: bytes, size: int, tell: Callable[[], None]) -> Iterator[Lines]:
        rest = self._first(stream.read(size))
        old_mac = b"\n" not in rest and b"\r" in rest.rstrip(b"\r\n")
        while rest:
            data = stream.read(size)
            tell()
            if old_mac:
                rest = rest.replace(b"\r", b"\n")
            if not data and not rest.endswith(b"\n"):
                rest += b"\n"
            end = _end_of_rows(rest, quoted) if data else len(rest)
            if end == 0 and len(rest) > LONGEST_ROW:
                why = "a double quote opens and is never closed" if quoted and rest.count(b'"') else "no line ends"
                raise DataError(
                    f"{why} within {LONGEST_ROW >> 20} MiB.", "Check the file.", path=self.path, line=self._lines
                )
            if end:
                yield self._decoded(rest[:end])
            rest = rest[end:] + data

    def _first(self, start: bytes) -> bytes:
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise DataError("the file is UTF-16 text.", "Save it as UTF-8.", path=self.path)
        return start.removeprefix(_BOM)

    def _decoded(self, data: bytes) -> Lines:
        text = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        if b"\r" in text:
            text = text.replace(b"\r", b" ")
        first = self._lines
        if b"\0" in text:
            line = first + text[: text.index(b"\0")].count(b"\n")
            raise DataError("this is binary data and not text.", "Check its format.", path=self.path, line=line)
        undecodable: tuple[BadRow, ...] = ()
        if self.encoding == "latin-1":
            text = text.decode("latin-1").encode()
        elif not text.isascii():
            text, undecodable = _as_text(text, first)
        self._lines += text.count(b"\n")
        return Lines(text, first, undecodable)


def _as_text(text: bytes, first: int) -> tuple[bytes, tuple[BadRow, ...]]:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        lines = text.split(b"\n")
        bad = []
        for number, line in enumerate(lines):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                bad.append(
                    BadRow(
                        first + number,
                        f"byte {error.start + 1:,} of the line is not UTF-8 text (--encoding latin-1 reads any)",
                    )
                )
                lines[number] = line.decode("utf-8", errors="replace").encode()
        return b"\n".join(lines), tuple(bad)
    return text, ()


def _end_of_rows(data: bytes, quoted: bytes) -> int:
    """Where the last whole row ends; 0 where none does."""
    end = data.rfind(b"\n") + 1
    if not quoted or not end or b'"' not in data:
        return end
    return row_starts(data[:end], quoted)[1]


def is_gzip(path: Path) -> bool:
    """Whether the file's first bytes are gzip's; its name says nothing."""
    with readable(path), path.open("rb") as file:
        return file.read(2) == _GZIP


def head_of(path: Path, size: int = HEAD) -> bytes:
    """The first bytes of a file, unpacked, without a byte order mark. Raises ``DataError``."""
    with readable(path), path.open("rb") as raw:
        stream: Any = gzip.GzipFile(fileobj=raw) if is_gzip(path) else raw
        start: bytes = stream.read(size)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError("the file is UTF-16 text.", "Save it as UTF-8.", path=path)
    return start.removeprefix(_BOM)


def head_lines(head: bytes, encoding: str = "utf-8") -> list[str]:
    """The whole lines of a file's beginning; what cannot be decoded shows as a replacement character."""
    text = head.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return lines[:-1] if len(head) >= HEAD and len(lines) > 1 else [line for line in lines if line]


def suffixes_of(path: Path) -> str:
    """The file's suffix in lower case, without ``.gz``.

    >>> suffixes_of(Path("Ratings.CSV.gz")), suffixes_of(Path("ml-100k.inter"))
    ('.csv', '.inter')
    """
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def stem_of(path: Path) -> str:
    """The file's name without suffix and ``.gz``.

    >>> stem_of(Path("Beauty_5.json.gz"))
    'Beauty_5'
    """
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem or name


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What the system or gzip finds wrong becomes a ``DataError``."""
    try:
        yield
    except EOFError:
        raise DataError("the gzip file is cut off.", "Download or copy it again.", path=path) from None
    except (gzip.BadGzipFile, zlib.error):
        raise DataError("the gzip file is damaged.", "Download or copy it again.", path=path) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"it cannot be read: {reason}.", "Check its permissions.", path=path) from None
