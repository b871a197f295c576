"""Where the phases of runs begin on an axis of epochs: an upright line for each, with its name, in the run's colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt


class PhaseMarks:
    """The marks of all runs of one plot."""

    def __init__(self, plot: Any) -> None:
        self._plot = plot
        self._lines: dict[str, dict[str, Any]] = {}

    def show(self, run_id: str, phases: Mapping[str, float], colour: str, *, is_log: bool) -> None:
        """Draw exactly these phases of a run, each from its epoch on; on a logarithmic axis those above 0."""
        self.remove(run_id)
        for name, begins in phases.items():
            if is_log and begins <= 0:
                continue
            at = float(np.log10(begins)) if is_log else begins
            options = {"position": 0.94, "rotateAxis": (1, 0), "anchors": [(1, 0), (1, 1)]}
            line = pg.InfiniteLine(at, angle=90, movable=False, label=name, labelOpts=options)
            line.setZValue(-10)
            self._plot.addItem(line, ignoreBounds=True)
            self._lines.setdefault(run_id, {})[name] = line
        self.colour(run_id, colour)

    def colour(self, run_id: str, colour: str) -> None:
        """The run's colour is this now."""
        for line in self._lines.get(run_id, {}).values():
            line.setPen(pg.mkPen(colour, width=1, style=Qt.PenStyle.DashDotDotLine))
            line.label.setColor(colour)

    def remove(self, run_id: str) -> None:
        """Take a run's marks away."""
        for line in self._lines.pop(run_id, {}).values():
            self._plot.removeItem(line)

    def places(self) -> dict[str, dict[str, float]]:
        """Run, phase → where its line stands on the axis."""
        return {run_id: {name: line.value() for name, line in lines.items()} for run_id, lines in self._lines.items()}
