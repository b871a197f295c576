"""Purging: a trashed run's rows and files go for good.

In this order, so that a crash between any two steps loses nothing that is still listed, and a second purge ends what
the first began: the folder is renamed (whole or not at all), the rows go in one transaction, the renamed folder is
deleted. A folder that a crash left behind is swept away by the next purge.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from engine.errors import RunError
from engine.paths import RUNS
from engine.records import Shelf
from engine.store import Store

PREFIX = ".purged-"


def purge(store: Store, run_ids: Sequence[str]) -> tuple[str, ...]:
    """Delete the runs for good; returns their ids. Raises ``RunError`` before anything is touched, or with the rest."""
    marks = {mark.run_id: mark for mark in store.marks.of(run_ids)}
    for run_id in run_ids:
        if run_id not in marks or marks[run_id].shelf is not Shelf.TRASHED:
            raise RunError(f"Run {run_id} is not in the trash.", "Only what is in the trash can be purged.")
    folder = store.workspace / RUNS
    for run_id in run_ids:
        _move_away(folder, run_id)
        store.marks.forget(run_id)
    _sweep(store, folder)
    return tuple(run_ids)


def _move_away(folder: Path, run_id: str) -> None:
    kept, away = folder / run_id, folder / f"{PREFIX}{run_id}"
    if not kept.exists():
        return
    try:
        if away.exists():
            shutil.rmtree(away)
        kept.rename(away)
    except OSError as error:
        raise RunError(
            f"The files of run {run_id} cannot be removed: {error.strerror or error}.",
            "Close what has them open, check the folder's permissions, and purge again; the run is still in the trash.",
        ) from error


def _sweep(store: Store, folder: Path) -> None:
    left = []
    for away in folder.glob(f"{PREFIX}*"):
        if store.marks.of([away.name.removeprefix(PREFIX)]):
            continue  # a purge that ended before the rows went: its run is still listed
        shutil.rmtree(away, ignore_errors=True)
        if away.exists():
            left.append(away.name)
    if left:
        raise RunError(
            f"The runs are gone, but files are left in {folder / left[0]}.", "Delete that folder, or purge another run."
        )
