"""Files that are whole or not there: written under a temporary name beside their place, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.errors import EngineError, RunError

RANKS = "ranks.npz"
"""In a run's folder: the rank of every evaluated user's target."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes ``path`` when the block ends well. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are private to the user, and an exported table is not.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def writing(path: Path, refusal: type[EngineError] = RunError) -> Iterator[BinaryIO]:
    """`replacing` for a file that a user has named: raises ``refusal``, with what to do, where it cannot be written."""
    try:
        with replacing(path) as stream:
            yield stream
    except OSError as error:
        raise refusal(f"{path} cannot be written: {error.strerror or error}.", "Choose another place.") from None
