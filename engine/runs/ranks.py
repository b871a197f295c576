"""The rank of every user's target, as a finished run left it: ``runs/ID/ranks.npz``. No torch."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RunError, UsageError
from engine.records import RunRecord
from engine.runs.files import RANKS

HINT = "Restore the file, or run the configuration again."


@dataclass(frozen=True, eq=False)
class StoredRanks:
    """``users`` int64 [E] are rows of the data set; ``ranks`` float64 [E] count from 0, infinite for a certain miss."""

    users: NDArray[np.int64]
    ranks: NDArray[np.float64]


def stored_ranks(record: RunRecord, split: str) -> StoredRanks | None:
    """The run's ranks of ``valid`` or ``test``; None where it kept none.

    Raises ``RunError`` for a file that is damaged.
    """
    path = record.directory / RANKS
    try:
        status = path.stat()
    except OSError:
        return None
    return _read(path, split, (status.st_mtime_ns, status.st_size))


def refuse_other_users(run: str, users: NDArray[np.int64], first: str, expected: NDArray[np.int64]) -> None:
    """Raises ``UsageError`` where ``run`` ranked other users than the run ``first``."""
    if not np.array_equal(expected, users):
        raise UsageError(
            f"Run {run} ranked other users than run {first}.",
            "Users can only be paired where both runs evaluated them.",
        )


@lru_cache(maxsize=128)
def _read(path: Path, split: str, _stamp: tuple[int, int]) -> StoredRanks | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            if split not in stored.files:
                return None
            users, ranks = stored["users"].astype(np.int64), stored[split].astype(np.float64)
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise RunError(f"The users' ranks in {path} cannot be read: {reason}.", HINT) from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
        # NumPy's own words are of pickled objects, and of how to load them all the same.
        raise RunError(f"The users' ranks in {path} are damaged.", HINT) from None
    if users.shape != ranks.shape or np.isnan(ranks).any():
        raise RunError(f"The users' ranks in {path} are damaged.", HINT)
    for array in (users, ranks):
        array.flags.writeable = False
    return StoredRanks(users, ranks)
