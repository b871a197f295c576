"""Parquet: columns by name, read a batch of rows at a time."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.importing.files import OnShare, is_gzip, readable, suffixes_of
from engine.data.importing.guess import SHOWN
from engine.data.importing.source import ROLES, Block, Glimpse, Source, used_titles
from engine.errors import DataError
from engine.paths import file_sha256
from engine.registry import register

_BATCH = 2**18
_LARGEST_PACKED = 2**30


class Parquet(Source):
    """Rows have no lines: bad ones are told by their number, from 1."""

    lines_are = "row"
    form = "A Parquet file with one interaction a row, users and items in two of its columns."

    def _look(self) -> Glimpse:
        import pyarrow as pa

        file = self._open()
        names = tuple(field.name for field in file.schema_arrow if not pa.types.is_nested(field.type))
        if twice := next((name for name in names if list(file.schema_arrow.names).count(name) > 1), ""):
            raise DataError(f"it has two columns called '{twice}'.", "Rename one of them.", path=self.path)
        if file.metadata.num_rows == 0:
            raise DataError("the file has no rows.", self.form, path=self.path)
        batch = next(file.iter_batches(batch_size=SHOWN, columns=list(names)))
        columns = [[_text(value) for value in batch.column(name).to_pylist()] for name in names]
        return Glimpse(names, tuple(zip(*columns, strict=True)), lines=tuple(range(1, batch.num_rows + 1)))

    def _open(self) -> Any:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with readable(self.path):
                return parquet.ParquetFile(self._unpacked() if is_gzip(self.path) else str(self.path))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = str(error).split("\n")[0].rstrip(".")[:160]
            hint = "Write it again, or download it again."
            raise DataError(f"this is no whole Parquet file: {reason}.", hint, path=self.path) from None

    def _unpacked(self) -> Any:
        """Parquet is packed inside already: a gzip around it saves little, and needs it whole in memory."""
        import pyarrow as pa

        with gzip.open(self.path) as file:
            data = file.read(_LARGEST_PACKED + 1)
        if len(data) > _LARGEST_PACKED:
            raise DataError("there is more than 1 GiB of Parquet inside the gzip file.", "Unpack it.", path=self.path)
        return pa.BufferReader(data)

    def blocks(self, on_share: OnShare | None = None) -> Iterator[Block]:
        import pyarrow as pa

        file = self._open()
        places = {role: getattr(self.recipe, role) for role in ROLES if self.place(role) is not None}
        done, total = 0, max(file.metadata.num_rows, 1)
        try:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(dict.fromkeys(places.values()))):
                lines = np.arange(done + 1, done + 1 + batch.num_rows, dtype=np.int64)
                yield Block(lines, {role: batch.column(name) for role, name in places.items()})
                done += batch.num_rows
                if on_share is not None:
                    on_share(done / total)
        except (pa.ArrowInvalid, OSError) as error:
            reason = str(error).split("\n")[0].rstrip(".")[:160]
            raise DataError(
                f"the rows after row {done:,} cannot be read: {reason}.", "Write it again.", path=self.path
            ) from None

    def title_column(self) -> str:
        return self._title_by_name()

    def own_titles(
        self, refused: NDArray[np.int64], on_share: OnShare | None = None
    ) -> Iterator[tuple[str | None, str | None]]:
        item, title = self.recipe.item, self.title_column()
        file = self._open()
        done, total = 0, max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=_BATCH, columns=[item, title]):
            lines = np.arange(done + 1, done + 1 + batch.num_rows, dtype=np.int64)
            found = used_titles(lines, batch.column(item), batch.column(title), refused)
            yield from ((_text(one), _text(other)) for one, other in found)
            done += batch.num_rows
            if on_share is not None:
                on_share(done / total)

    @property
    def sha256(self) -> str:
        with readable(self.path):
            return file_sha256(self.path)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return "" if value is None else str(value)


def recognises(path: Path, head: bytes) -> float:
    """By its first four bytes."""
    return 1.0 if head[:4] == b"PAR1" else 0.8 if suffixes_of(path) in (".parquet", ".pq") else 0.0


register(
    "importer",
    "parquet",
    label="Parquet",
    help="Columns by name, one interaction a row.",
    target="engine.data.importers.parquet:Parquet",
    recognises=recognises,
    suffixes=(".parquet", ".pq"),
)
