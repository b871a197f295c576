"""A data set in memory: ragged sequences of dense item ids, and the way back to the ids of the user's own file.

Dense ids are 1…n by ascending original id: 0 is padding, n + 1 the mask token (FACTS F20). On the paper's files, whose
items are numbered 1…n already, that is the identity.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import paths, registry
from engine.data.reader_choice import reader_of
from engine.data.sequences import Sequences
from engine.errors import DataError, UsageError

SAMPLE = "sample"
"""The word that stands for the bundled shop wherever a path is asked for."""
MASK, PADDING = "[mask]", "[padding]"
"""Id and title of a token that is no item of the file: what Mask writes (FACTS F10), and what a run may rank."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """A read data set. Nobody writes into its arrays.

    ``sequences`` [U]: one a user, oldest item first, dense ids 1…``item_count``. ``user_ids`` [U] and ``item_ids``
    [item_count + 1] are the file's own ids as text; ``item_ids[0]`` is ``""``. ``titles`` [item_count + 1] has ``""``
    where an item has none, and is None without titles. ``fingerprint``: 16 hexadecimal digits over sequences and ids.
    ``times`` [A] are the actions' times in whole seconds since 1970 (UTC), beside ``sequences.items``; None where the
    file tells none. Nothing is trained on them, so the fingerprint leaves them out.
    """

    name: str
    path: str
    sequences: Sequences
    item_count: int
    user_ids: NDArray[np.str_]
    item_ids: NDArray[np.str_]
    titles: NDArray[np.object_] | None
    fingerprint: str
    times: NDArray[np.int64] | None = None

    @property
    def mask_id(self) -> int:
        """The mask token: n + 1."""
        return self.item_count + 1

    @property
    def rows(self) -> int:
        """Rows of an item table: padding, n items, mask."""
        return self.item_count + 2

    @cached_property
    def _users(self) -> dict[str, int]:
        return {user: row for row, user in enumerate(self.user_ids.tolist())}

    @cached_property
    def _items(self) -> dict[str, int]:
        return {item: dense for dense, item in enumerate(self.item_ids.tolist()) if dense}

    def user_row(self, user: str) -> int:
        """Row of the user whose id in the file is ``user``. Raises ``UsageError``."""
        found = self._users.get(user.strip())
        if found is None:
            raise UsageError(f"There is no user '{user}' in {self.name}.", _example("users", self.user_ids))
        return found

    def item_id(self, item: str) -> int:
        """Dense id of the item whose id in the file is ``item``. Raises ``UsageError``."""
        found = self._items.get(item.strip())
        if found is None:
            raise UsageError(f"There is no item '{item}' in {self.name}.", _example("items", self.item_ids[1:]))
        return found

    def title(self, item: int) -> str:
        """Title of a dense id; ``""`` where it has none."""
        return "" if self.titles is None else str(self.titles[item])

    def named(self, item: int) -> tuple[str, str]:
        """Id in the file and title of a dense id; what is no item of the file is named by what it is."""
        if item in (0, self.mask_id):
            return (PADDING, PADDING) if item == 0 else (MASK, MASK)
        return str(self.item_ids[item]), self.title(item)


def _example(what: str, ids: NDArray[np.str_]) -> str:
    return f"It has {len(ids):,} {what}, e.g. {', '.join(ids[:3].tolist())}."


def build(
    path: Path,
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    offsets: NDArray[np.int64],
    titles: dict[int, str] | None = None,
) -> Dataset:
    """A data set from what a reader found.

    ``users`` [U] and ``items`` [A] are original ids, ``offsets`` [U + 1]; ``titles`` maps original ids of items.
    Titles of items that no sequence contains are dropped.
    """
    originals, dense = np.unique(items, return_inverse=True)
    sequences = Sequences((dense.reshape(-1) + 1).astype(np.int32), offsets)
    named = None
    if titles is not None:
        named = np.array(["", *(titles.get(item, "") for item in originals.tolist())], dtype=object)
    return Dataset(
        name=path.stem,
        path=str(path),
        sequences=sequences,
        item_count=len(originals),
        user_ids=users.astype(str),
        item_ids=np.concatenate([[""], originals.astype(str)]),
        titles=named,
        fingerprint=fingerprint_of(sequences.offsets, sequences.items, users, originals),
    )


def fingerprint_of(*arrays: NDArray[Any]) -> str:
    """16 hexadecimal digits over offsets, dense items, original ids of users and of items."""
    digest = hashlib.sha256()
    for array in arrays:
        # The lengths stand between the arrays, and the byte order is fixed: the same data, the same digits everywhere.
        digest.update(len(array).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()[:16]


def locate(path: str | Path) -> Path:
    """The file that ``path`` names; ``sample`` is the bundled shop.

    Raises ``UsageError`` when there is no such file and ``DataError`` when it is a folder or not a regular file.
    """
    found = paths.resource(SAMPLE, "shop.txt") if str(path) == SAMPLE else Path(path).expanduser().absolute()
    try:
        if found.is_dir():
            raise DataError("this is a folder.", "Name the data file inside it.", path=found)
        if not found.exists():
            raise UsageError(f"There is no file {found}.", "Give a data file, or 'sample' for the bundled shop.")
        if not found.is_file():
            raise DataError("this is not a regular file.", "Copy the data into a file first.", path=found)
    except PermissionError:
        raise DataError("you may not look into its folder.", "Change its permissions.", path=found) from None
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"'{str(path)[:200]}' cannot be a file: {reason}.", "Check the path.") from None
    return found


def load(path: str | Path) -> Dataset:
    """Read a data file, or ``sample``. Unchanged files come out of memory.

    Raises ``UsageError`` when there is no such file and ``DataError``, with its line, when it cannot be used.
    """
    found = locate(path)
    return _read(found, (_stamp(found), _stamp(titles_beside(found))))


def titles_beside(path: Path) -> Path:
    """The optional file of titles of a data file: ``Shop.txt`` → ``Shop.titles.tsv``."""
    return path.with_name(path.stem + ".titles.tsv")


def _stamp(path: Path) -> tuple[int, int] | None:
    """Time of change and size: what tells one content of a file from the next."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _read(path: Path, _stamps: tuple[tuple[int, int] | None, ...]) -> Dataset:
    reader = reader_of(path)
    try:
        dataset: Dataset = reader.load()(path)
    except DataError:
        if reader.facts.get("fallback"):  # it is given whatever no other reader knows; theirs say what is wrong
            _refuse_what_needs_an_import(path)
        raise
    return dataset


def _refuse_what_needs_an_import(path: Path) -> None:
    """What a reader says of a table of ratings is no help: say what it is, and what to do."""
    from engine.data.importing import files, reading

    try:
        name = reading.format_of(path) if reading.needs_import(path) else ""
    except DataError:
        return
    if name and (name != "coserec_text" or files.is_gzip(path)):  # a damaged plain file of ours needs no import
        label = registry.entry("importer", name).label
        hint = "File ▸ Import in the window, or: coserec import FILE."
        raise DataError(f"this looks like {label}: it has to be imported first.", hint, path=path) from None
