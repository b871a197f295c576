"""A copy of the engine with one plugin more: what it takes to add one is tried in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_python(code: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run ``code`` with the engine that lies below ``root``."""
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def run_with_plugin(place: Path, folder: str, files: Mapping[str, str], code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in ``place`` with a copy of the engine that has ``files`` in its ``folder`` besides."""
    shutil.copytree(ROOT / "engine", place / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "resources", place / "resources", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files.items():
        path = place / "engine" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return run_python(code, place)
