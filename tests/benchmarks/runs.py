"""A made workspace of 10,000 runs and 20 million points: the list's first paint, filters, sorts, curves, refreshes.

``--workspace`` keeps it for another call. The window works as it does for a user: the real feed on a real store, under
whatever platform Qt is told; each stall of the event loop above 50 ms is counted by a timer of 1 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

SERIES = ("loss/next_item", "loss/contrastive", "loss/total", "valid/HR@10", "valid/NDCG@10", "valid/NDCG@20")
STALL_SECONDS = 0.05


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=20_000_000)
    parser.add_argument("--epochs", type=int, default=300, help="of the runs whose curves are drawn")
    parser.add_argument("--curves", type=int, default=20)
    parser.add_argument("--workspace", help="where it is made, or is there already")


def fill(workspace: Path, runs: int, points: int) -> None:
    """Make the workspace: grids of five seeds, two data sets, every kind of end, the newest with the longest curves."""
    from engine.config import preset
    from engine.records import RunStatus
    from engine.store import NewRun, Store

    store = Store.open(workspace)
    base = preset("coserec-paper").config
    new = []
    for number in range(runs):
        grid = number // 5
        values = {
            "train.seed": number % 5 + 1,
            "loss.contrastive_weight": round(0.02 * (grid % 30), 2),
            "augment.crop_rate": round(0.1 * (grid // 30 % 9), 1),
            "model.max_length": 20 + grid // 270,
        }
        config = base.replace(values)
        data = ("beauty", "sports")[grid % 2]
        dumped = config.model_dump(mode="json")
        new.append(
            NewRun(config.short(), dumped, 1, data, f"{data}.txt", f"f-{data}", number % 5 + 1, 300, "coserec-paper")
        )
    ids = [record.id for begin in range(0, runs, 500) for record in store.submit(new[begin : begin + 500])]
    chance = np.random.default_rng(1)
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    with store.database.engine.begin() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        moments = [(begun + timedelta(minutes=n)).replace(tzinfo=None).isoformat(" ") for n in range(runs)]
        status = [("finished", "finished", "finished", "failed", "stopped")[n % 5] for n in range(runs)]
        raw.executemany(
            "UPDATE runs SET status = ?, attempt = 1, started_at = ?, ended_at = ?, epoch = 299, progress = 1.0, "
            "steps = 100, device = 'cpu', host = 'made', revision = 2 WHERE id = ?",
            [(status[n], moments[n], moments[n], ids[n]) for n in range(runs)],
        )
        raw.executemany(
            "INSERT INTO attempts (run_id, attempt, first_epoch, status, started_at, host, pid, message) "
            "VALUES (?, 1, 0, ?, ?, 'made', 1, '')",
            [(ids[n], status[n], moments[n]) for n in range(runs)],
        )
        names = [f"{kind}@{k}" for kind in ("HR", "NDCG") for k in (5, 10, 20)]
        values_ = chance.random((runs, 2, len(names))) * 0.05
        raw.executemany(
            "INSERT INTO metrics (run_id, split, name, value) VALUES (?, ?, ?, ?)",
            (
                (ids[n], split, name, float(values_[n, s, m]))
                for n in range(runs)
                if status[n] == str(RunStatus.FINISHED)
                for s, split in enumerate(("valid", "test"))
                for m, name in enumerate(names)
            ),
        )
        tags = ["paper", "sweep", "old"]
        raw.executemany(
            "INSERT INTO run_tags (run_id, tag) VALUES (?, ?)", [(ids[n], tags[n % 3]) for n in range(0, runs, 7)]
        )
        _points(raw, ids, points, chance)
    store.close()


def _points(raw: Any, ids: list[str], points: int, chance: np.random.Generator) -> None:
    each = points // len(ids)
    falling = np.exp(-np.arange(each // len(SERIES) + 1) / 60)
    for run_id in ids:
        noise = (chance.random(each) * 0.05).tolist()
        raw.executemany(
            "INSERT INTO points (run_id, attempt, sequence, epoch, step, name, value) VALUES (?, 1, ?, ?, 0, ?, ?)",
            [
                (run_id, n + 1, n // len(SERIES), SERIES[n % len(SERIES)], float(falling[n // len(SERIES)]) + noise[n])
                for n in range(each)
            ],
        )


class Stalls:
    """The longest gaps between two turns of the event loop, told apart by what was going on."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._last = time.perf_counter()
        self.longest = 0.0
        self.count = 0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        moment = time.perf_counter()
        gap, self._last = moment - self._last, moment
        self.longest = max(self.longest, gap)
        self.count += gap > STALL_SECONDS

    def begin(self) -> None:
        """Forget what was."""
        self._last, self.longest, self.count = time.perf_counter(), 0.0, 0


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    with _place(chosen.workspace) as folder:
        made = folder / "coserec.db"
        figures: dict[str, Any] = {}
        if not made.exists():
            began = time.perf_counter()
            fill(folder, chosen.runs, chosen.points)
            figures["make_seconds"] = time.perf_counter() - began
        figures |= {"runs": chosen.runs, "points": chosen.points, "gigabytes": made.stat().st_size / 1e9}
        return figures | _window(folder, chosen)


@contextmanager
def _place(workspace: str | None) -> Iterator[Path]:
    if workspace:
        Path(workspace).mkdir(parents=True, exist_ok=True)
        yield Path(workspace)
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def _window(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QCoreApplication, QEventLoop, QSettings
    from PySide6.QtWidgets import QApplication

    from engine.api import Workspace
    from workbench import settings
    from workbench.backstage import Backstage
    from workbench.context import make_context
    from workbench.engine_process import Errands
    from workbench.pages.runs import RunsPage
    from workbench.theme import Theme

    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QCoreApplication)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own:
        settings.factory = lambda: QSettings(f"{own}/settings.ini", QSettings.Format.IniFormat)
        theme = Theme("light")
        context = make_context(Workspace(folder), theme, engine=Errands())
        backstage = Backstage(context)
        context.runs.records_changed.disconnect(backstage._start_training)
        page = RunsPage(context)
        page.resize(1400, 900)
        page.show()
        stalls = Stalls()

        def until(holds: Callable[[], bool], patience: float = 120.0) -> float:
            began = time.perf_counter()
            while not holds():
                # Waits as a window's own loop does; one that turns without end takes the interpreter from the feed.
                application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
                if time.perf_counter() - began > patience:
                    raise TimeoutError("the window does not get there")
            application.processEvents()
            return time.perf_counter() - began

        figures: dict[str, Any] = {}

        def part(name: str, action: Callable[[], object], holds: Callable[[], bool]) -> None:
            stalls.begin()
            began = time.perf_counter()
            action()
            until(holds)
            figures[f"{name}_seconds"] = time.perf_counter() - began
            figures[f"{name}_longest_stall_ms"] = 1000 * stalls.longest
            until(lambda: time.perf_counter() - began > figures[f"{name}_seconds"] + 0.3)
            figures[f"{name}_longest_stall_ms"] = 1000 * stalls.longest

        try:
            began = time.perf_counter()
            # Imports the database's driver: what a window does beside its first paint.
            assert context.workspace.runs.store is not None
            figures["open_store_seconds"] = time.perf_counter() - began
            until(lambda began=began: time.perf_counter() - began > 0.5)  # the page itself is there, without runs
            part("first_paint", backstage.feed.start, lambda: page.model.rowCount() > 0)
            part("all_listed", lambda: None, lambda: page.model.rowCount() == chosen.runs)
            _ask(page, part)
            _curves(page, context, part, chosen)
            _refresh(folder, page, context, until, stalls, figures)
        finally:
            backstage.feed.stop()
            context.close()
            page.close()
    return figures


def _ask(page: Any, part: Callable[..., None]) -> None:
    """Filters, sorts and groups: each until the table shows them."""
    from PySide6.QtCore import Qt

    from workbench.item_models.runs_model import COLUMN_IDS

    total = page.model.rowCount()
    for name, text in (
        ("filter_text", "beauty seed 3"),
        ("filter_metric", "NDCG@10>.03"),
        ("filter_tag", "tag:paper data:sports"),
        ("filter_setting", "augment.crop_rate>=.4 max_length<40"),
    ):
        part(name, lambda text=text: page.bar.set_text(text), lambda: 0 < page.model.rowCount() < total)
        page.bar.set_text("")
    for name in ("test/NDCG@20", "name", "created"):
        column = COLUMN_IDS.index(name)
        part(
            f"sort_{name}",
            lambda column=column: page.table.sortByColumn(column, Qt.SortOrder.DescendingOrder),
            lambda: True,
        )
    part("group", page.toggle_group, lambda: page.model.rowCount() < total)
    part("ungroup", page.toggle_group, lambda: page.model.rowCount() == total)


def _curves(page: Any, context: Any, part: Callable[..., None], chosen: argparse.Namespace) -> None:
    """Tick so many runs: read from the store, entered, drawn; then the same as already read."""
    ids = [record.id for record in context.runs.records[: 2 * chosen.curves]]
    plot = page.plots["validation"]

    def drawn(some: list[str]) -> bool:
        return all((curve := plot.drawn(run_id)) is not None and len(curve[0]) >= chosen.epochs for run_id in some)

    first, second = ids[: chosen.curves], ids[chosen.curves :]
    part("curves_cold", lambda: page.model.set_ticked(first), lambda: drawn(first))
    part("curves_others", lambda: page.model.set_ticked(second), lambda: drawn(second))
    plot.choose("valid/HR@10")
    part("curves_held", lambda: plot.choose("valid/NDCG@20"), lambda: drawn(second))


def _refresh(folder: Path, page: Any, context: Any, until: Any, stalls: Stalls, figures: dict[str, Any]) -> None:
    """Twenty runs grow by an epoch again and again, as if they trained; nothing may stall."""
    from engine.store import Store

    store = Store.open(folder)
    stalls.begin()
    for turn in range(6):
        with store.database.write() as (session, revision):
            raw = session.connection().connection.driver_connection
            assert raw is not None
            for run_id in page.model.ticked:
                rows = [(run_id, 10_000 + turn * 10 + n, 400 + turn, name, 0.01) for n, name in enumerate(SERIES)]
                raw.executemany(
                    "INSERT OR REPLACE INTO points (run_id, attempt, sequence, epoch, step, name, value) "
                    "VALUES (?, 1, ?, ?, 0, ?, ?)",
                    rows,
                )
                raw.execute("UPDATE runs SET revision = ? WHERE id = ?", (revision, run_id))
        began = time.perf_counter()
        until(lambda began=began: time.perf_counter() - began > 0.4)
    store.close()
    figures["refresh_longest_stall_ms"] = 1000 * stalls.longest
    figures["refresh_stalls_above_50_ms"] = stalls.count


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    arguments(parser)
    print(json.dumps(measure(parser.parse_args())))
