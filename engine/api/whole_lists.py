"""What one run recommends to every user, and its item embeddings, as files for other programs. Imports torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from engine.errors import UsageError
from engine.runs.files import writing

if TYPE_CHECKING:
    from engine.data.dataset import Dataset
    from engine.training.recommending import OneUser, UserList

AT_ONCE = 2048
"""Users whose lists are written together."""
LIST_COLUMNS = ("user", "place", "item", "score", "is_target")


def write_lists(
    model: OneUser, destination: Path, which: Literal["valid", "test"], top: int, told: Callable[[int, int], None]
) -> int:
    """Write every evaluated user's ``top`` items, one row an item, as .csv or .parquet; whole or not at all.

    ``told`` hears how many users of how many are written. Returns the rows. Raises ``UsageError`` for another ending
    and where the file cannot be written, ``RunError`` for weights that have diverged.
    """
    write = _by_suffix(destination, {".csv": _rows_as_csv, ".parquet": _rows_as_parquet})
    users, rows = len(model.split.users), 0

    def blocks() -> Iterator[dict[str, Any]]:
        nonlocal rows
        done = 0
        for lists in _in_parts(model.lists(which, top), AT_ONCE):
            block = _columns(model, lists)
            rows, done = rows + len(block["place"]), done + len(lists)
            yield block
            told(done, users)

    with writing(destination, UsageError) as stream:
        write(stream, LIST_COLUMNS, blocks())
    return rows


def _in_parts(lists: Iterator[UserList], size: int) -> Iterator[Sequence[UserList]]:
    while part := tuple(islice(lists, size)):
        yield part


def _columns(model: OneUser, lists: Sequence[UserList]) -> dict[str, Any]:
    data, users = model.dataset, model.split.users
    lengths = [len(one.items) for one in lists]
    items = np.concatenate([one.items for one in lists])
    targets = np.repeat([one.target for one in lists], lengths)
    return {
        "user": np.repeat(data.user_ids[users[[one.row for one in lists]]].astype(str), lengths),
        "place": np.concatenate([np.arange(1, length + 1) for length in lengths]),
        "item": np.array([data.named(item)[0] for item in items.tolist()]),
        "score": np.concatenate([one.scores for one in lists]),
        "is_target": (items == targets).astype(np.int8),
    }


def write_embeddings(data: Dataset, vectors: Any, destination: Path) -> None:
    """Write the items' ids, titles and rows of ``vectors`` float [I + 2, d] as .npz, .csv or .parquet.

    Raises ``UsageError`` for another ending and where the file cannot be written.
    """
    write = _by_suffix(destination, {".npz": _as_npz, ".csv": _table_as_csv, ".parquet": _table_as_parquet})
    dense = range(1, data.item_count + 1)
    ids, titles = map(list, zip(*map(data.named, dense), strict=True))
    with writing(destination, UsageError) as stream:
        write(stream, ids, titles, np.asarray(vectors, dtype=np.float32)[1:-1])


def _by_suffix(destination: Path, writers: dict[str, Callable[..., None]]) -> Callable[..., None]:
    write = writers.get(destination.suffix.lower())
    if write is None:
        raise UsageError(
            f"'{destination.name}' is no kind of file that is written here.", f"End it in {', '.join(writers)}."
        )
    return write


def _rows_as_csv(stream: BinaryIO, columns: Sequence[str], blocks: Iterator[dict[str, Any]]) -> None:
    stream.write(_csv_lines([columns]))
    for block in blocks:
        stream.write(_csv_lines(zip(*(block[name].tolist() for name in columns), strict=True)))


def _rows_as_parquet(stream: BinaryIO, columns: Sequence[str], blocks: Iterator[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    kinds = {"place": pyarrow.int32(), "score": pyarrow.float32(), "is_target": pyarrow.bool_()}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in columns])
    with parquet.ParquetWriter(stream, schema) as writer:
        for block in blocks:
            arrays = [pyarrow.array(block[name]).cast(schema.field(name).type) for name in columns]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _csv_lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def _as_npz(stream: BinaryIO, ids: list[str], titles: list[str], vectors: Any) -> None:
    np.savez(stream, items=np.array(ids), titles=np.array(titles), vectors=vectors)


def _table_as_csv(stream: BinaryIO, ids: list[str], titles: list[str], vectors: Any) -> None:
    stream.write(_csv_lines([("item", "title", *(f"d{place}" for place in range(1, vectors.shape[1] + 1)))]))
    stream.write(_csv_lines((i, title, *row) for i, title, row in zip(ids, titles, vectors.tolist(), strict=True)))


def _table_as_parquet(stream: BinaryIO, ids: list[str], titles: list[str], vectors: Any) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(vectors.ravel()), vectors.shape[1])
    parquet.write_table(pyarrow.table({"item": ids, "title": titles, "vector": rows}), stream)
