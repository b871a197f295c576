"""Reader of imported data sets: what ``coserec import`` and the window's dialog keep in the workspace."""

from __future__ import annotations

from pathlib import Path

from engine.data.dataset import Dataset
from engine.registry import register


def read(path: Path) -> Dataset:
    """Read a ``.coserec`` file. Raises ``DataError``."""
    from engine.data.importing import stored

    return stored.read(path)


register(
    "reader",
    "imported",
    label="Imported data set",
    help="What an import has kept in the workspace.",
    target="engine.data.readers.imported:read",
    suffixes=(".coserec",),
)
