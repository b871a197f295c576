"""What is drawn of a series: which run it belongs to, its smoothed values, what it is called, and how far it reaches.

Plain functions over arrays; `workbench.plots.metric_plot` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.live_feed import Curve


@dataclass(frozen=True)
class RunLook:
    """What a plot must know of a run: its name, its place in the order of creation, where its hybrid phase begins and
    where, after pre-training, training proper does."""

    name: str
    order: int
    hybrid_from: float | None = None
    fine_tuned_from: float | None = None

    @property
    def marks(self) -> dict[str, float]:
        """What begins where on the axis of epochs."""
        found = {"hybrid": self.hybrid_from, "fine-tuning": self.fine_tuned_from}
        return {name: at for name, at in found.items() if at is not None}


def smoothed(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mean over the last ``window`` values up to each one; shorter at the start. Same length as ``values``.

    >>> smoothed(np.array([2.0, 4.0, 6.0]), 2).tolist()
    [2.0, 3.0, 5.0]
    """
    if window <= 1 or len(values) == 0:
        return values
    totals = np.cumsum(np.concatenate(([0.0], values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (totals[ends] - totals[starts]) / (ends - starts)


def reading(curve: Curve, at: float) -> float | None:
    """The curve's value at its point nearest to ``at``; None outside of it."""
    xs, ys = curve
    if len(xs) == 0 or not xs[0] - 0.5 <= at <= xs[-1] + 0.5:
        return None
    right = min(int(np.searchsorted(xs, at)), len(xs) - 1)
    left = max(right - 1, 0)
    nearest = left if abs(xs[left] - at) <= abs(xs[right] - at) else right
    return float(ys[nearest])


def series_label(name: str) -> str:
    """A stored series name as people say it."""
    group, _, rest = name.partition("/")
    words = rest.replace("_", " ")
    return {
        "loss": f"Loss: {words}",
        "running": f"Running mean within the epoch: {words}",
        "valid": f"Validation {words}",
        "test": f"Test {words}",
        "time": f"Time: {words}",
    }.get(group, name)


def is_loss(name: str) -> bool:
    """Whether a series may be smoothed: losses only, never a metric that is reported."""
    return name.startswith(("loss/", "running/"))


def is_metric(name: str) -> bool:
    """Whether a series is a ranking metric, which is never below 0."""
    return name.startswith(("valid/", "test/"))


FEWEST_EPOCHS = 2.0
"""An axis of epochs reaches from 0 at least this far."""


def frame(curves: Iterable[Curve], last: float, *, never_below_0: bool) -> Curve:
    """Two opposite corners that the plot shows at least: epochs 0 to 2 or the last, and room around a single value."""
    drawn = [(xs, ys) for xs, ys in curves if len(ys)]
    right = max([FEWEST_EPOCHS, last, *(float(xs.max()) for xs, _ in drawn)])
    values = np.concatenate([ys for _, ys in drawn]) if drawn else np.empty(0)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = 0.1 * abs(high) or 0.01
    if high - low < room:
        low, high = low - room / 2, high + room / 2
    return np.array([0.0, right]), np.array([max(0.0, low) if never_below_0 else low, high])


def first_above_0(curves: Iterable[Curve]) -> float:
    """The first place that a logarithmic axis has for one of the curves; 1 where there is none.

    >>> first_above_0([(np.array([0.0, 0.25, 3.0]), np.zeros(3))])
    0.25
    """
    firsts = [float(xs[xs > 0].min()) for xs, _ in curves if (xs > 0).any()]
    return min([1.0, *firsts])
