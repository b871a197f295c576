"""Curves of the ticked runs, losses above validation; groups of seeds as a mean and a band."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from engine.records import RunRecord
from workbench.context import Context
from workbench.item_models.run_groups import counting
from workbench.item_models.run_looks import MOST_TICKED
from workbench.item_models.run_order import group_key
from workbench.item_models.runs_model import RunsModel
from workbench.live_feed import PAINTED_MS
from workbench.theme import SMALL, SPACE, WIDE, Theme
from workbench.widgets.layout import label
from workbench.widgets.numbers import count
from workbench.widgets.run_details import fine_tuned_from, hybrid_from
from workbench.widgets.states import StatefulStack

if TYPE_CHECKING:
    from workbench.plots.metric_plot import MetricPlot
    from workbench.plots.series import RunLook

DEFAULT_SERIES = {"losses": "loss/total", "validation": "valid/NDCG@20"}


SPARE = 5
"""Curves made ahead in one piece."""


def metric_plots(theme: Theme) -> Iterator[tuple[str, MetricPlot]]:
    """The plots that `RunCurves` takes, by name: one at a time, each again with more curves made ahead."""
    # Imported with the page, not with its file: pyqtgraph costs a third of a second before the first paint.
    from workbench.plots.metric_plot import MetricPlot

    losses = MetricPlot(theme, "Losses", ("loss/", "running/"))
    yield "losses", losses
    # Another rhythm than the losses': two plots painted in one turn of the event loop are felt.
    validation = MetricPlot(theme, "Validation", ("valid/", "time/"), redraw_ms=140)
    yield "validation", validation
    for name, plot in 2 * (("losses", losses), ("validation", validation)):
        for _ in range(2):
            plot.spare(SPARE)
            yield name, plot


class RunCurves(StatefulStack):
    """Draws what a `RunsModel` has ticked."""

    follow_changed = Signal(bool)

    def __init__(self, context: Context, model: RunsModel, plots: dict[str, MetricPlot]) -> None:
        self._context, self._model = context, model
        self._looks: dict[str, RunLook] = {}
        self._worn: dict[str, dict[str, RunLook]] = {}
        """Plot → the looks that it shows."""
        self._feeds = 0
        self._to_fit: set[str] = set()
        """Plots that other runs have come to and that do not show them yet: newer news do not make them forget."""
        self._grown: dict[str, set[str]] = {}
        """Plot → runs whose curves have grown since it was fed."""
        self.plots = plots
        self.plots["losses"].plot.setXLink(self.plots["validation"].plot)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        for name, plot in self.plots.items():
            plot.choose(DEFAULT_SERIES[name])
            plot.series_changed.connect(lambda _, which=plot: self._feed(which))
            split.addWidget(plot)
        # One axis of epochs for both.
        first, second = self.plots.values()
        first.log_epochs.toggled.connect(second.log_epochs.setChecked)
        second.log_epochs.toggled.connect(first.log_epochs.setChecked)
        self.dropped = label("", "muted", wrap=True)
        self.follow = QCheckBox("Follow the newest run")
        self.follow.setToolTip("Select and draw whatever begins to train")
        foot = QHBoxLayout()
        foot.addWidget(self.dropped, 1)
        foot.addWidget(self.follow)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, SPACE, WIDE, WIDE)
        column.setSpacing(SMALL)
        column.addWidget(split, 1)
        column.addLayout(foot)
        super().__init__(inner, context.theme)
        self._next_grown = QTimer(self)
        self._next_grown.setSingleShot(True)
        self._next_grown.timeout.connect(self._feed_grown)
        self.follow.toggled.connect(self.follow_changed)

    # What is drawn --------------------------------------------------------------------------------------------------

    def drawn_ids(self) -> list[str]:
        """Runs whose curves are read: the last ticked ones."""
        return self._model.looks.drawn_ids()

    def _drawn(self) -> dict[str, list[str]]:
        """Curve → the runs that it stands for; groups are called by the first of their ticked runs."""
        ids = self.drawn_ids()
        if not self._model.is_grouped:
            return {run_id: [run_id] for run_id in ids}
        book = self._context.runs
        groups: dict[str, list[RunRecord]] = {}
        for run_id in ids:
            if (record := book.get(run_id)) is not None:
                groups.setdefault(group_key(book, run_id), []).append(record)
        made = [sorted(record.id for record in counting(book, runs)) for runs in groups.values()]
        return {runs[0]: runs for runs in made[-MOST_TICKED:]}

    def show_runs(self) -> None:
        """Names and looks of what is ticked."""
        self._find_looks()
        self._dress_next(list(self.plots))

    def _dress_next(self, names: list[str]) -> None:
        """Dress these plots, a turn each: the next one once the one before is painted."""
        name, *others = names
        if self._dress(name) and others:
            QTimer.singleShot(PAINTED_MS, self, lambda: self._dress_next(others))
        elif others:
            self._dress_next(others)

    def _find_looks(self) -> None:
        from workbench.plots.series import RunLook

        book = self._context.runs
        looks: dict[str, RunLook] = {}
        drawn = self._drawn()
        for key, runs in drawn.items():
            record = book.get(key)
            if record is not None:
                name, order = self._face(record, runs)
                looks[key] = RunLook(name, order, hybrid_from(record), fine_tuned_from(record))
        self._looks = looks
        self.dropped.setText(self._dropped_text(drawn))

    def _dropped_text(self, drawn: dict[str, list[str]]) -> str:
        """What is ticked and not drawn: beyond the most, and runs of a seed that a newer one stands for. Nothing of
        those that the store has not told of yet."""
        book, asked_for = self._context.runs, self.drawn_ids()
        ids = [run_id for run_id in asked_for if book.get(run_id) is not None]
        asked = len({group_key(book, run) for run in ids}) if self._model.is_grouped else len(ids)
        if asked > len(drawn) or len(asked_for) < len(self._model.ticked):
            return f"Only the last {MOST_TICKED} ticked are drawn."
        if not self._model.is_grouped:
            return ""
        again = len(ids) - sum(map(len, drawn.values()))
        return f"{count(again, 'run')} of a seed that a newer one stands for left out." if again else ""

    def _dress(self, name: str) -> bool:
        """Give a plot the looks of what is drawn; whether it had others."""
        if self._worn.get(name) == self._looks:
            return False
        self._worn[name] = self._looks
        self.plots[name].set_runs(self._looks)
        return True

    def _face(self, record: RunRecord, runs: Sequence[str]) -> tuple[str, int]:
        """A curve's name and look: those of the table's row for it, which may stand for more runs than are ticked."""
        order = self._model.looks.of_run(record.id)
        book = self._context.runs
        if len(runs) == 1:
            return book.name(record), order
        records = [found for run_id in runs if (found := book.get(run_id)) is not None]
        return f"{book.name_of_group(records)} ({len(runs)} seeds)", order

    def feed_all(self, *, is_new: bool) -> None:
        """Show what is ticked now, names, looks and curves, a plot a turn of the event loop; ``is_new``: other runs
        are drawn now."""
        self._feeds += 1
        if is_new:
            self._to_fit |= set(self.plots)
        self._find_looks()
        self._feed_next(self._feeds, list(self.plots))
        self.show_state()

    def _feed_next(self, number: int, names: list[str]) -> None:
        if number != self._feeds:
            return  # newer news are on their way to the same plots
        name, *others = names
        plot = self.plots[name]
        if self._dress(name):  # twenty other curves take as long as their values
            QTimer.singleShot(PAINTED_MS, self, lambda: self._feed_next(number, names))
            return
        plot.set_series(self._context.runs.series_names(self.drawn_ids()))
        self._feed(plot)
        if name in self._to_fit:
            self._to_fit.remove(name)
            plot.autoscale()
        if others:
            QTimer.singleShot(PAINTED_MS, self, lambda: self._feed_next(number, others))

    def take(self, run_ids: Iterable[str]) -> None:
        """These runs' curves have grown: the first plot follows now, the next ones once it is painted."""
        changed = set(run_ids) & set(self.drawn_ids())
        if not changed:
            return
        for name in self.plots:
            self._grown.setdefault(name, set()).update(changed)
        if not self._next_grown.isActive():
            self._feed_grown()
        self.show_state()

    @Slot()
    def _feed_grown(self) -> None:
        name = next(iter(self._grown), "")
        if not name:
            return
        plot, drawn = self.plots[name], self.drawn_ids()
        plot.set_series(self._context.runs.series_names(drawn))
        self._feed(plot, self._grown.pop(name) & set(drawn))
        if self._grown:
            self._next_grown.start(PAINTED_MS)

    def _feed(self, plot: MetricPlot, changed: set[str] | None = None) -> None:
        from workbench.plots.bands import band_of

        book = self._context.runs
        curves, bands = {}, {}
        for key, runs in self._drawn().items():
            if len(runs) > 1:
                bands[key] = band_of([book.curve(run_id, plot.chosen) for run_id in runs])
            if changed is None or changed & set(runs):
                curves[key] = bands[key].curve if key in bands else book.curve(key, plot.chosen)
        plot.set_curves(curves)
        plot.set_bands(bands)
        self._align_epochs()

    def _align_epochs(self) -> None:
        """Both plots have one axis of epochs: it must hold the points of either."""
        book, chosen = self._context.runs, [plot.chosen for plot in self.plots.values()]
        ends = [book.curve(run_id, name)[0][-1:] for run_id in self.drawn_ids() for name in chosen]
        last = max((float(end[0]) for end in ends if len(end)), default=0.0)
        for plot in self.plots.values():
            plot.cover(last)

    def show_state(self) -> None:
        """Curves, or why there are none."""
        ticked = self.drawn_ids()
        if not ticked:
            self.show_empty("No run is ticked", "Tick runs in the table to draw their curves.", "runs")
        elif not any(self._context.runs.has_curves(run_id) for run_id in ticked):
            self.show_empty(
                "No values yet", "Curves begin with the first epoch; memory-based models have none.", "clock"
            )
        else:
            self.show_content()

    def autoscale(self) -> None:
        """Show all of every curve."""
        for plot in self.plots.values():
            plot.autoscale()

    def save_state(self) -> dict[str, Any]:
        """Chosen series and whether the newest run is followed, JSON-ready."""
        return {"series": {which: plot.chosen for which, plot in self.plots.items()}, "follow": self.follow.isChecked()}

    def restore_state(self, state: dict[str, Any]) -> None:
        """What `save_state` gave; whatever makes no sense is passed over."""
        series = state.get("series")
        for which, plot in self.plots.items():
            if isinstance(series, dict) and isinstance(name := series.get(which), str) and name:
                plot.choose(name)
        if isinstance(on := state.get("follow"), bool):
            self.follow.setChecked(on)
