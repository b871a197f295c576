"""How far a plot may be zoomed out: to all that is drawn and a little beside it.

Without a limit thirty notches of the wheel show a range of 10^12, and what is drawn is less than a point in it.
"""

from __future__ import annotations

from typing import Any

LIMITS = (-1e307, 1e307)
"""None at all: what pyqtgraph starts from; its logarithmic mode does not take None."""
BESIDE = 0.15
"""Room beside what is drawn, as a share of it: pyqtgraph's own padding is up to 0.1, and markers need some."""


def reach(low: float, high: float) -> tuple[float, float]:
    """What an axis may show where the data lie from ``low`` to ``high``.

    >>> reach(0.0, 100.0)
    (-15.0, 115.0)
    """
    room = BESIDE * (high - low) or 1.0
    return float(low - room), float(high + room)


def show_all(plot: Any, padding: float | None = None) -> None:
    """Show everything that ``plot`` draws, and let no zoom go far beyond: a notch too many is none."""
    plot.setLimits(xMin=LIMITS[0], xMax=LIMITS[1], yMin=LIMITS[0], yMax=LIMITS[1])
    plot.autoRange(padding=padding)
    (left, right), (low, high) = (reach(*ends) for ends in plot.getViewBox().viewRange())
    plot.setLimits(xMin=left, xMax=right, yMin=low, yMax=high)
