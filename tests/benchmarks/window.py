"""The window: seconds to first paint; the event loop's gaps with live curves and trainings, beside an idle window.

Needs a display (a virtual one with a window manager will do). A 5 ms timer notes when it is served: what lies between
two servings is how long nothing in the window could move.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TIMER_MS = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the gaps are watched, each time")
    parser.add_argument("--live", type=int, default=4, help="runs that train while the window draws them")
    parser.add_argument("--starts", type=int, default=5, help="starts of the window, for the time to first paint")


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    paints = [_child("paint", 0, 0.0)["first_paint_seconds"] for _ in range(chosen.starts + 1)][1:]
    idle = _child("gaps", 0, chosen.seconds)
    live = _child("gaps", chosen.live, chosen.seconds)
    figures: dict[str, Any] = {
        "first_paint_seconds_median": statistics.median(paints),
        "first_paint_seconds_max": max(paints),
    }
    for name, found in (("idle", idle), ("live", live)):
        figures |= {f"{name}_{key}": value for key, value in found.items()}
    return figures


def _child(what: str, live: int, seconds: float) -> dict[str, Any]:
    """Measure in a process of its own: a window belongs to a fresh interpreter."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        code = f"from tests.benchmarks.window import {what}; {what}({folder!r}, {live}, {seconds})"
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _window(folder: str) -> Any:
    from PySide6.QtCore import QSettings

    from workbench import settings
    from workbench.app import make_application, make_window

    settings.factory = lambda: QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
    application = make_application()
    window = make_window(str(Path(folder) / "workspace"), "sample")
    return application, window


def paint(folder: str, _live: int, _seconds: float) -> None:
    """From the process's start to the first paint, imports included."""
    import time

    import psutil

    application, window = _window(folder)
    found: list[float] = []

    def painted() -> None:
        found.append(time.time() - psutil.Process().create_time())
        window.close()
        application.quit()

    window.painted.connect(painted)
    window.show()
    application.exec()
    print(json.dumps({"first_paint_seconds": found[0]}))


def gaps(folder: str, live: int, seconds: float) -> None:
    """Gaps of the timer, in milliseconds, with ``live`` runs training and drawn."""
    import time

    from PySide6.QtCore import Qt, QTimer

    from engine.api import Workspace
    from engine.config import preset

    runs = Workspace(str(Path(folder) / "workspace")).runs
    config = preset("sample").config.replace({"train.epochs": 10_000, "train.patience": 10_000})
    records = runs.submit(config, preset="sample", seeds=tuple(range(1, live + 1))) if live else ()
    processes = [runs.start(record.id) for record in records]
    application, window = _window(folder)
    window.show()
    window.show_page("runs")
    served: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: served.append(time.perf_counter()))

    def ready() -> None:
        """Begin when every run draws a curve and the helper process has told the devices."""
        book = window.context.runs
        if all(book.has_curves(record.id) for record in records) and book.is_loaded and window.backstage.devices:
            page = window.page_widget("runs")
            page.open_state(tick=[record.id for record in records])
            QTimer.singleShot(2000, lambda: timer.start(TIMER_MS))
            QTimer.singleShot(2000 + int(seconds * 1000), application.quit)
        else:
            QTimer.singleShot(200, ready)

    ready()
    application.exec()
    torch_seen = "torch" in sys.modules
    drawn = len(window.page_widget("runs").model.ticked) if live else 0
    for process in processes:
        runs.request_stop(process.run_id)
    for process in processes:
        runs.ensure_stopped(process.run_id)
    window.close_without_asking()
    widths = sorted(1000 * (later - earlier) for earlier, later in itertools.pairwise(served))
    print(
        json.dumps(
            {
                "gap_ms_median": widths[len(widths) // 2],
                "gap_ms_p99": widths[int(len(widths) * 0.99)],
                "gap_ms_p99.9": widths[int(len(widths) * 0.999)],
                "gap_ms_max": widths[-1],
                "timer_servings": len(widths),
                "runs_drawn": drawn,
                "torch_in_window": torch_seen,
                "platform": os.environ.get("QT_QPA_PLATFORM", "display"),
            }
        )
    )
