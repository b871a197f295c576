"""The tab of Compare with parallel axes: which settings of a grid go with a high metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QMenu, QPushButton

from engine.records import ParallelRuns
from engine.records.filtering import rows_kept
from engine.records.query import Query, QueryError, parse
from workbench.context import Context
from workbench.plots.parallel_plot import ParallelPlot
from workbench.widgets.cards import label
from workbench.widgets.compare_parts import Tab
from workbench.widgets.layout import button
from workbench.widgets.numbers import count
from workbench.widgets.plot_card import PlotCard
from workbench.widgets.row_list import SearchField
from workbench.widgets.states import StatefulStack
from workbench.widgets.text import metric_text

MOST_AXES = 9
"""Settings shown at first: more stand too close to be read."""


class ParallelTab(Tab):
    """Axes to choose from, ranges by dragging or by typing (``crop_rate>=.4 NDCG@20>.03``)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.runs: ParallelRuns | None = None
        self.plot = ParallelPlot(context.theme)
        self.card = PlotCard(
            context.theme,
            "Settings and metric",
            self.plot,
            "A line a run; thick: the best",
        )
        self.plot.setToolTip(
            "The higher the metric, the darker. Drag along an axis to keep the lines that go through there; a click "
            "on it takes the range away."
        )
        self.field = SearchField()
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Keep runs for which")
        self.field.setPlaceholderText("Keep: crop_rate>=.4")
        self.field.setToolTip("Comparisons of settings and the metric, all of which must hold; words stand in the name")
        self.field.setMinimumWidth(180)
        self.field.textChanged.connect(lambda _: self._filter())
        self.menu = QMenu(self)
        self.choose = QPushButton("Axes")
        self.choose.setToolTip("Which settings have an axis")
        self.choose.setMenu(self.menu)
        self.clear = button("All lines", self._clear, theme=context.theme, icon="cancel", tip="Take every range away")
        for control in (self.field, self.choose, self.clear):
            self.card.add_control(control)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.card.body.insertWidget(0, self.problem)
        self.stack = StatefulStack(self.card, context.theme)
        self.column.addWidget(self.stack, 1)
        self.plot.kept_changed.connect(self._tell)

    def refresh(self) -> None:
        found = self.found
        asked = (self.ids, self.chosen, found.split if found else "")
        if found is None or self._asked == asked:
            return
        self._asked = asked
        self.ask(
            self.stack,
            "Reading the settings …",
            self.context.workspace.comparisons.parallel,
            tuple(run for group in self.ids for run in group),
            self.chosen,
            found.split,
            show=self._show,
        )

    @property
    def shown(self) -> list[str]:
        """Settings with a tick."""
        return [action.data() for action in self.menu.actions() if action.isChecked()]

    def _show(self, runs: ParallelRuns) -> None:
        before = {action.data(): action.isChecked() for action in self.menu.actions()}
        self.runs = runs = self._named(runs)
        self.menu.clear()
        first = runs.told_by_most(MOST_AXES)
        for name in runs.fields:
            action = self.menu.addAction(name)
            action.setData(name)
            action.setCheckable(True)
            action.setChecked(before.get(name, name in first))
            action.toggled.connect(lambda _: self._draw())
        self._draw()
        self._filter()

    def _named(self, runs: ParallelRuns) -> ParallelRuns:
        """The runs by the names that their groups have everywhere else on the page."""
        names = self.run_names
        named = tuple(replace(run, name=names.get(run.run_id, run.name)) for run in runs.runs)
        return replace(runs, runs=named)

    def _draw(self) -> None:
        if self.runs is not None:
            shown = self.shown
            self.plot.set_runs(self.runs, shown or self.runs.fields[:1])

    def _clear(self) -> None:
        self.field.clear()
        self.plot.clear_ranges()

    def _filter(self) -> None:
        if self.runs is None:
            return
        numbers = _numbers(self.runs)
        try:
            query = parse(self.field.text(), list(numbers))
        except QueryError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.problem.hide()
        self.plot.allow(_rule(query, numbers))

    def _tell(self) -> None:
        if self.runs is None:
            return
        kept, best = int(self.plot.kept().sum()), self.plot.best
        words = f"{kept:,} of {count(len(self.runs.runs), 'run')} kept"
        if best is not None:
            run = self.runs.runs[best]
            words += f"; the best: {run.name}, {run.run_id}, {self.runs.metric} {metric_text(run.y)}"
        self.card.say(f"{words}.")


def _numbers(runs: ParallelRuns) -> Mapping[str, NDArray[np.float64]]:
    """What a comparison can name: settings of numbers, by path and by name, and the metric; [R], nan where none."""
    found: dict[str, NDArray[np.float64]] = {}
    for place, path in enumerate(runs.fields):
        values = [run.values[place] for run in runs.runs]
        if all(value is None or isinstance(value, (int, float)) for value in values):
            column = np.array([np.nan if value is None else float(value) for value in values])
            found[path] = column
            found.setdefault(path.rpartition(".")[2], column)
    found[runs.metric.casefold()] = np.array([run.y for run in runs.runs])
    return found


def _rule(
    query: Query, numbers: Mapping[str, NDArray[np.float64]]
) -> Callable[[ParallelRuns], NDArray[np.bool_]] | None:
    """Which runs a query keeps; None where it keeps all."""
    if not (query.words or query.comparisons):
        return None

    def allowed(runs: ParallelRuns) -> NDArray[np.bool_]:
        texts = [" ".join((run.run_id, run.name, *map(str, run.values))).casefold() for run in runs.runs]
        keep = np.array([all(word.casefold() in text for word in query.words) for text in texts], dtype=bool)
        compared = rows_kept(Query(comparisons=query.comparisons), [], numbers, len(runs.runs))
        return keep if compared is None else keep & compared

    return allowed
