"""The stored form of an imported data set: a folder with arrays, the recipe and the report, whole or not there.

``NAME.coserec`` holds the arrays (an npz file without pickles), ``import.json`` the recipe, the report and what was
imported. Ids and titles are UTF-8 text with one a line: much smaller than numpy's fixed widths.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.dataset import Dataset
from engine.data.sequences import Sequences
from engine.errors import DataError
from engine.records import BadRow, ImportReport, ImportStage, to_plain

SUFFIX = ".coserec"
FACTS = "import.json"
FORMAT = 1
_AGAIN = "Import it again."


def write(folder: Path, dataset: Dataset, facts: Mapping[str, Any]) -> None:
    """Write the data set and its facts into an existing folder, not yet in its place. Raises ``OSError``."""
    arrays: dict[str, NDArray[Any]] = {
        "format": np.array([FORMAT]),
        "offsets": dataset.sequences.offsets,
        "items": dataset.sequences.items,
        "user_ids": _packed(dataset.user_ids.tolist()),
        "item_ids": _packed(dataset.item_ids[1:].tolist()),
        "fingerprint": _packed([dataset.fingerprint]),
    }
    if dataset.times is not None:
        arrays["times"] = dataset.times
    if dataset.titles is not None:
        arrays["titles"] = _packed(dataset.titles[1:].tolist())
    with (folder / f"{dataset.name}{SUFFIX}").open("xb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
        stream.flush()
        os.fsync(stream.fileno())
    text = json.dumps(to_plain(facts), indent=1, ensure_ascii=False)
    (folder / FACTS).write_text(text, encoding="utf-8")


def publish(folder: Path, place: Path) -> None:
    """Give a written folder its name. Where another import of the same has been faster, its folder stays."""
    try:
        folder.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        shutil.rmtree(folder, ignore_errors=True)


def read(path: Path) -> Dataset:
    """The data set in a ``.coserec`` file. Raises ``DataError``."""
    try:
        # The stream is ours: np.load leaves a file open that it cannot make sense of.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if int(arrays["format"][0]) > FORMAT:
            raise DataError("it was written by a newer version of this program.", "Update, or " + _AGAIN, path=path)
        return _dataset(path, arrays)
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or error}.", "Check its permissions.", path=path) from None
    except (ValueError, TypeError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"this is no whole imported data set: {error}.", _AGAIN, path=path) from None


def _dataset(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Dataset:
    sequences = Sequences(arrays["items"], arrays["offsets"])
    items = _unpacked(arrays["item_ids"])
    users = _unpacked(arrays["user_ids"])
    if len(users) != len(sequences) or int(sequences.offsets[-1]) != len(sequences.items):
        raise ValueError("its parts do not belong together")
    if len(sequences.items) and not 1 <= int(sequences.items.min()) <= int(sequences.items.max()) <= len(items):
        raise ValueError("it has items without an id")
    titles = None
    if "titles" in arrays:
        titles = np.array(["", *_unpacked(arrays["titles"])], dtype=object)
    return Dataset(
        name=path.stem,
        path=str(path),
        sequences=sequences,
        item_count=len(items),
        user_ids=np.array(users, dtype=np.str_),
        item_ids=np.array(["", *items], dtype=np.str_),
        titles=titles,
        fingerprint=_unpacked(arrays["fingerprint"])[0],
        times=arrays.get("times"),
    )


def facts_of(folder: Path) -> dict[str, Any] | None:
    """What is written beside a data set; None where there is nothing that can be read."""
    try:
        found = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def name_in(place: str) -> str:
    """A file's name in a path of whatever system wrote it."""
    return re.split(r"[\\/]", place)[-1]


def data_in(folder: Path, name: str) -> Path:
    """The data file of a folder: the one called ``name``, or the only one, which a bundle may have had to rename."""
    named = folder / f"{Path(name).name}{SUFFIX}"
    return named if named.is_file() else next(iter(sorted(folder.glob(f"*{SUFFIX}"))), named)


def report_from(tree: Mapping[str, Any]) -> ImportReport:
    """A report from its JSON. Raises ``TypeError`` or ``KeyError`` for one of another version."""
    values = dict(tree)
    values["bad_rows"] = tuple(BadRow(**row) for row in values["bad_rows"])
    values["bad_titles"] = tuple(BadRow(**row) for row in values.get("bad_titles", ()))  # from before it was counted
    values["stages"] = tuple(ImportStage(**stage) for stage in values["stages"])
    values["notes"] = tuple(values["notes"])
    return ImportReport(**values)


def _packed(texts: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(texts).encode("utf-8"), dtype=np.uint8)


def _unpacked(data: NDArray[np.uint8]) -> list[str]:
    return data.tobytes().decode("utf-8").split("\n")
