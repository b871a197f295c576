"""Files: where the product's own lie, bundled resources and the default workspace; and what tells one from another."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import platformdirs

BEST_WEIGHTS = "best.pt"
CHECKPOINT = "checkpoint.pt"
"""Files in a run's folder, named here for those who only look whether they are there and load no torch."""
RUNS = "runs"
"""Folder of a workspace that has a folder for each run."""


def resource(*parts: str) -> Path:
    """Path of a bundled file below ``resources/``, in a checkout as in an installed package."""
    return Path(str(files("resources").joinpath(*parts)))


def default_workspace() -> Path:
    """The workspace used when none is named: the user's data folder of this product."""
    return Path(platformdirs.user_data_dir("coserec-workbench", appauthor=False))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits. Raises ``OSError``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def run_log(run_id: str) -> str:
    """What a run's process says is written there, seen from the workspace."""
    return f"{RUNS}/{run_id}/log.txt"
