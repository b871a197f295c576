"""Importing a made CSV file: writing it, counting, importing with a 5-core, importing again; time and peak memory.

By default the size of the issue: 10,000,000 rows of user, item, rating and time, of which a 5-core leaves most. The
import runs in a process of its own, so that the peak is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.memory import peak_mebibytes

_BATCH = 500_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, default=0, help="0: one for 12 rows")
    parser.add_argument("--items", type=int, default=0, help="0: one for 50 rows")
    parser.add_argument("--core", type=int, default=5)


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"rows": chosen.rows}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.csv"
        began = time.perf_counter()
        write(path, chosen.rows, chosen.users or chosen.rows // 12, chosen.items or chosen.rows // 50)
        figures["write_seconds"] = time.perf_counter() - began
        figures["file_mebibytes"] = path.stat().st_size / 2**20
        code = f"from tests.benchmarks.importing import one; one({str(path)!r}, {chosen.core})"
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
        figures |= json.loads(done.stdout.splitlines()[-1])
    return figures


def write(path: Path, rows: int, users: int, items: int, seed: int = 1) -> None:
    """Rows in the order of time, as a shop's log has them: text ids, Zipf-like popularity, a rare tail."""
    chance = np.random.default_rng(seed)
    with path.open("w", encoding="ascii") as file:
        file.write("user_id,item_id,rating,timestamp\n")
        for first in range(0, rows, _BATCH):
            count = min(_BATCH, rows - first)
            user = (chance.random(count) ** 1.5 * users).astype(np.int64)
            item = (chance.random(count) ** 3 * items).astype(np.int64)
            rating = chance.integers(1, 6, count)
            moment = 1_300_000_000 + (first + np.arange(count)) * 20
            columns = zip(user.tolist(), item.tolist(), rating.tolist(), moment.tolist(), strict=True)
            file.write("".join(f"A{u:09d},B{i:08d},{r}.0,{t}\n" for u, i, r, t in columns))


def one(path: str, core: int) -> None:
    """Import once, and again, and print what it took."""
    from engine.api import Workspace
    from engine.config import ImportRecipe

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        imports = Workspace(folder).imports
        recipe = ImportRecipe(core=core)
        began = time.perf_counter()
        result = imports.run(path, recipe)
        found["import_seconds"] = time.perf_counter() - began
        found["peak_mebibytes"] = peak_mebibytes()
        for name, size in zip(("users", "items", "actions"), _sizes(result.report.kept), strict=True):
            found[f"left_{name}"] = size
        found["core_rounds"] = result.report.core_rounds
        began = time.perf_counter()
        imports.count(path, recipe.replace({"core": core + 1}))
        found["count_again_seconds"] = time.perf_counter() - began
        began = time.perf_counter()
        assert not imports.run(path, recipe).is_new
        found["import_again_seconds"] = time.perf_counter() - began
    print(json.dumps(found))


def _sizes(stage: Any) -> tuple[int, int, int]:
    return stage.users, stage.items, stage.actions
