"""The tabs of Compare: each asks for what it shows when it is seen, and keeps it until the comparison changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout

from engine.errors import UsageError
from engine.records import Comparison, PaperNumbers, ScatterPoint, SliceTable
from workbench.context import Context
from workbench.plots.group_bars import Bars, GroupBarPlot
from workbench.plots.group_curves import GroupCurvePlot, ScatterPlot
from workbench.theme import SMALL, SPACE, WIDE, set_role
from workbench.widgets.cards import label
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.compare_tables import (
    AGAINST,
    GROUP,
    TableCard,
    no_ranks,
    paper_columns,
    results_columns,
    room_of_names,
    settings_columns,
    share_room,
    slice_words,
    tests_columns,
    tests_words,
    told_first,
)
from workbench.widgets.layout import button
from workbench.widgets.name_delegate import TellingDelegate
from workbench.widgets.numbers import percent
from workbench.widgets.pieces import InPieces
from workbench.widgets.plot_card import PlotCard
from workbench.widgets.states import StatefulStack

ALIKE = "The groups have all settings alike."


def widened(combo: QComboBox) -> None:
    """Room for a series or a setting, which are filled in later."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(15)


class Tab(InPieces):
    """``show_comparison`` is called with each new comparison; what costs more is asked for when the tab is seen."""

    def __init__(self, context: Context) -> None:
        super().__init__(at_once=False)
        self.context = context
        self.found: Comparison | None = None
        self.ids: tuple[tuple[str, ...], ...] = ()
        self.chosen = "NDCG@20"
        self.paper: PaperNumbers | None = None
        """The columns of Table 2 that are laid over, where the tab shows a metric of the test."""
        self._is_stale = False
        self._asked: object = None
        """What the tab shows, or has asked for: it is not asked for twice."""
        self._asked_last: dict[int, object] = {}
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(SPACE, SPACE, WIDE, WIDE)
        self.column.setSpacing(SPACE)

    def show_comparison(
        self, found: Comparison, ids: tuple[tuple[str, ...], ...], metric: str, *, is_next: bool = False
    ) -> None:
        """Show another comparison, or another metric of it: now, if the tab is in sight or will be next (``is_next``);
        otherwise when it is seen."""
        self.found, self.ids, self.chosen = found, ids, metric
        self._is_stale = True
        if is_next or self.isVisible():
            self._freshen()

    def _freshen(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self.refresh()

    def refresh(self) -> None:
        """Show what is held now. Called when that has changed and the tab is in sight, or about to be."""

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._freshen()

    def paper_lines(self) -> tuple[tuple[str, float], ...]:
        """Names and values of the chosen metric in what is laid over; the paper's are of the test."""
        if self.found is None or self.found.split != "test":
            return ()
        cells = [cell for cell in self.paper.cells if cell.table == 2] if self.paper else []
        return tuple((f"{c.model}, paper", c.metrics[self.chosen]) for c in cells if self.chosen in c.metrics)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(group.label for group in self.found.groups) if self.found else ()

    @property
    def run_names(self) -> dict[str, str]:
        """Run → its group's name, with the seed where the group has several."""
        return {
            run: group.label if group.n == 1 else f"{group.label} · seed {seed}"
            for group in (self.found.groups if self.found else ())
            for run, seed in zip(group.run_ids, group.seeds, strict=True)
        }

    def forget(self, stack: StatefulStack) -> None:
        """What was asked for this place arrives no more."""
        self._asked_last[id(stack)] = None
        self.context.forget((id(self), id(stack)))

    def ask(self, stack: StatefulStack, what: str, function: Callable[..., Any], *arguments: Any, show: Any) -> None:
        """Compute in the engine; loading and errors stand in the place of the answer.

        What failed is asked again by its button, and when the tab is seen the next time.
        """
        stack.show_loading(what)
        asked = self._asked_last[id(stack)] = object()

        def failed(error: BaseException) -> None:
            self.context.notifier.report_bug(error)
            self._asked, self._is_stale = None, True
            if isinstance(error, UsageError):  # asking for the same once more changes nothing
                stack.show_error(error)
            else:
                stack.show_error(error, "Try again", self._freshen)

        def reveal() -> None:
            if self._asked_last[id(stack)] is asked:
                stack.show_content()

        def arrived(result: Any) -> None:
            show(result)
            QTimer.singleShot(0, stack, reveal)  # drawn in one turn, laid out and painted in the next

        self.context.run_in_engine(function, *arguments, on_result=arrived, on_error=failed, key=(id(self), id(stack)))


class OverviewTab(Tab):
    """Bars of the chosen metric with intervals, and the table of all metrics."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        theme = context.theme
        self.plot = GroupBarPlot(theme, "Bars of the compared groups")
        self.card = PlotCard(theme, "Metric", self.plot, " ", lambda: self.plot.shown.value_label)
        self.table = TableCard(theme, "Results", "Mean ± standard deviation over seeds; ▲ is the best of a metric")
        self.notes = label("", "muted", wrap=True)
        self._tabled: tuple[Comparison | None, PaperNumbers | None] = (None, None)
        self.column.addWidget(self.card, 3)
        self.column.addWidget(self.table, 2)
        self.column.addWidget(self.notes)

    def refresh(self) -> None:
        found = self.found
        if found is None:
            return
        items = [found.measure(n, self.chosen) for n in range(len(found.groups))]
        values = np.array([[i.mean, i.low, i.high] if i else [np.nan] * 3 for i in items])
        cells = [c for c in self.paper.cells if c.table == 2] if self.paper else []
        self.plot.set_bars(
            Bars(
                groups=self.labels,
                buckets=("",),
                means=values[:, :1],
                lows=values[:, 1:2],
                highs=values[:, 2:],
                value_label=f"{found.split} {self.chosen}",
                lines=self.paper_lines(),
            )
        )
        whiskers = f"; whiskers: {percent(found.level, 0)} interval over users" if found.users else ""
        self.card.subtitle.setText(f"{self.chosen}, {found.split}{whiskers}")
        self.card.subtitle.show()
        if self._tabled[0] is not found or self._tabled[1] != self.paper:  # another metric leaves the table as it is
            self._tabled = found, self.paper
            self.table.set_columns(results_columns(found, self.paper))
        problems = [f"{found.groups[n].label}: {item.message}" for n, item in found.implausible]
        faults = [f"! {c.model}, {n or 'all'}: {text}" for c in cells for n, text in c.faults if n in ("", self.chosen)]
        other = [self.paper.other_data(found)] if self.paper and self.paper_lines() else []
        self.notes.setText("\n".join(filter(None, [*problems, *found.notes, *other, *faults])))
        self.notes.setVisible(bool(self.notes.text()))


class SettingsTab(Tab):
    """Settings that differ, or all of them; and the protocol that all groups share."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.only = QCheckBox("Only what differs (Ctrl+D)")
        self.only.setChecked(True)
        self.only.toggled.connect(lambda _: self.refresh())
        self.table = TableCard(context.theme, "Settings", "A column a group; seeds are left out")
        self.only.setMinimumHeight(self.table.copy_button.sizeHint().height())  # on one line with the button
        self.table.add_control(self.only)
        self.protocol = TableCard(context.theme, "Protocol", "Alike in all groups, or they would not be compared")
        self.column.addWidget(self.table, 3)
        self.column.addWidget(self.protocol, 2)

    def refresh(self) -> None:
        if self.found is None:
            return
        columns = settings_columns(self.found, only_differences=self.only.isChecked())
        is_one = len(self.found.groups) == 1
        alike = "One group has nothing to differ from: Ctrl+D shows all its settings." if is_one else ALIKE
        self.table.set_columns(columns, "" if len(columns[0][1]) else alike)
        rows = self.found.protocol
        self.protocol.set_columns([("Rule", [name for name, _ in rows]), ("Value", [value for _, value in rows])])


class TestsTab(Tab):
    """Paired tests."""

    __test__ = False

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.table = TableCard(context.theme, "Paired tests", "The same users under both groups")
        self.pairs = ChoiceBox()
        self.pairs.setAccessibleName("Tests")
        self.pairs.setToolTip("Holm's adjustment is over all tests of the table")
        self.pairs.addItem("Each against the baseline", "baseline")
        self.pairs.addItem("Each against each", "all")
        self.table.add_control(self.pairs)
        self.names = TellingDelegate(self.table.view)
        for column in (GROUP, AGAINST):
            self.table.view.setItemDelegateForColumn(column, self.names)
        self.column.addWidget(self.table, 1)

    def refresh(self) -> None:
        if self.found is not None:
            self.table.set_columns(tests_columns(self.found), tests_words(self.found))
            self.names.told_first = told_first(self.found)
            view = self.table.view
            room = room_of_names(self.found, view.fontMetrics().horizontalAdvance)
            widths = share_room(view.columnWidth(GROUP), view.columnWidth(AGAINST), room)
            for column, width in zip((GROUP, AGAINST), widths, strict=True):
                view.setColumnWidth(column, width)


class SlicesTab(Tab):
    """The metric by training length, and by the target's popularity."""

    CAPTIONS: ClassVar = {"length": "length of the training input", "popularity": "training users of the target"}
    TITLES: ClassVar = {"length": "By training length", "popularity": "By the target's popularity"}

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.cards: dict[str, PlotCard[GroupBarPlot]] = {}
        self.stacks: dict[str, StatefulStack] = {}
        self.tables: dict[str, SliceTable] = {}

    def make(self) -> Iterator[None]:
        """The plots, one a piece."""
        theme = self.context.theme
        for kind, title in self.TITLES.items():
            plot = GroupBarPlot(theme, title)
            yield
            card = PlotCard(theme, title, plot, "Below each bucket: its users")
            self.cards[kind], self.stacks[kind] = card, StatefulStack(card, theme)
            self.column.addWidget(self.stacks[kind], 1)
            yield

    def refresh(self) -> None:
        found = self.found
        if found is None:
            return
        asked = (self.ids, self.chosen, found.split, found.baseline)
        if asked == self._asked:
            return
        self._asked = asked
        for place, stack in enumerate(self.stacks.values()):
            stack.setVisible(bool(found.users) or place == 0)
        if not found.users:  # said once, and not by each plot
            for stack in self.stacks.values():
                self.forget(stack)
            self.stacks["length"].show_empty("Users cannot be told apart", no_ranks(found), "compare")
            return
        for kind, stack in self.stacks.items():
            self.ask(
                stack,
                f"Cutting the users {self.TITLES[kind].lower()} …",
                self.context.workspace.comparisons.slices,
                self.ids,
                self.chosen,
                kind,
                found.split,
                found.baseline,
                show=self._show,
            )

    def _show(self, table: SliceTable) -> None:
        self.tables[table.kind] = table
        card = self.cards[table.kind]
        card.plot.set_bars(
            Bars(
                groups=self.labels,
                buckets=table.labels,
                means=table.means,
                lows=table.lows,
                highs=table.highs,
                bucket_label=self.CAPTIONS[table.kind],
                value_label=f"{table.split} {table.metric}",
                users=tuple(table.users.tolist()),
                shares=table.shares,
                baseline=self.labels[table.baseline],
            )
        )
        card.say(slice_words(table, self.labels))


class CurvesTab(Tab):
    """One series of every group along epochs or wall time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.series = ChoiceBox()
        self.series.setAccessibleName("Series")
        self.along = ChoiceBox()
        self.along.setAccessibleName("Along")
        self.along.addItem("by epoch", "epoch")
        self.along.addItem("by wall time", "time")
        self.plot = GroupCurvePlot(context.theme)
        self.card = PlotCard(context.theme, "Curves", self.plot, "Mean over seeds; the band is ± standard deviation")
        for combo in (self.series, self.along):
            widened(combo)
            self.card.add_control(combo)
            combo.activated.connect(lambda _: self.load())
        self.stack = StatefulStack(self.card, context.theme)
        self.column.addWidget(self.stack, 1)

    def refresh(self) -> None:
        if self.found is None or self._asked == self.ids:
            return
        self._asked = self.ids
        self.ask(
            self.stack,
            "Reading the epochs …",
            self.context.workspace.comparisons.series,
            self.ids,
            show=self._set_series,
        )

    def _set_series(self, names: tuple[str, ...]) -> None:
        before = self.series.currentData() or "valid/NDCG@20"
        self.series.clear()
        for name in names:
            self.series.addItem(name.replace("valid/", "Validation ").replace("loss/", "Loss: "), name)
        if not names:
            self.stack.show_empty("No curves", "These runs have no epochs: what does not train has none.", "runs")
            return
        self.series.setCurrentIndex(max(self.series.findData(before), 0))
        self.load()

    def load(self) -> None:
        """Ask for the chosen series."""
        if self.series.currentData():
            self.ask(
                self.stack,
                "Reading the epochs …",
                self.context.workspace.comparisons.curves,
                self.ids,
                self.series.currentData(),
                self.along.currentData(),
                show=self._show,
            )

    def _show(self, curves: Any) -> None:
        self.plot.set_curves(curves, self.labels, is_time=self.along.currentData() == "time")


class ScatterTab(Tab):
    """Any setting against the metric, a dot a run."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.field = ChoiceBox()
        self.field.setAccessibleName("Setting")
        self.plot = ScatterPlot(context.theme)
        self.card = PlotCard(context.theme, "Runs", self.plot, "A dot a run of the ticked groups")
        widened(self.field)
        self.card.add_control(self.field)
        self.stack = StatefulStack(self.card, context.theme)
        self.column.addWidget(self.stack, 1)
        self.field.activated.connect(lambda _: self.load())

    @property
    def run_ids(self) -> tuple[str, ...]:
        return tuple(run for group in self.ids for run in group)

    def refresh(self) -> None:
        self.plot.set_lines(self.paper_lines())
        if self.found is None or self._asked == (self.ids, self.chosen, self.found.split):
            return
        self._asked = (self.ids, self.chosen, self.found.split)
        self.ask(
            self.stack,
            "Reading the settings …",
            self.context.workspace.comparisons.fields,
            self.run_ids,
            show=self._set_fields,
        )

    def _set_fields(self, names: tuple[str, ...]) -> None:
        before = self.field.currentData()
        settings = [name for name in names if "." in name]
        self.field.clear()
        for name in (*settings, *(name for name in names if "." not in name)):
            self.field.addItem(name.replace("_", " ") if "." not in name else name, name)
        self.field.setCurrentIndex(max(self.field.findData(before), 0))
        self.load()

    def load(self) -> None:
        """Ask for the chosen setting."""
        assert self.found is not None
        self.ask(
            self.stack,
            "Reading the runs …",
            self.context.workspace.comparisons.scatter,
            self.run_ids,
            self.field.currentData(),
            self.chosen,
            self.found.split,
            show=self._show,
        )

    def _show(self, points: tuple[ScatterPoint, ...]) -> None:
        assert self.found is not None
        self.plot.set_groups(self.ids, self.labels)
        self.plot.set_points(points, self.field.currentText(), f"{self.found.split} {self.chosen}")


class PaperTab(Tab):
    """The paper's Tables 2 to 4 with their faults, and the check for numbers typed in."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.numbers: PaperNumbers | None = None
        self._shown: PaperNumbers | None = None
        self.table = TableCard(
            context.theme, "The paper's numbers", "As printed; ! marks what cannot be or is disputed"
        )
        self.field = QLineEdit()
        self.field.setPlaceholderText("HR@5=.0242 NDCG@5=.0388")
        self.field.setAccessibleName("Numbers to check")
        self.field.setToolTip("With one target a user, NDCG@k can rise with HR@k only within bounds")
        self.answer = QLabel()
        self.answer.setWordWrap(True)
        set_role(self.answer, "muted")
        self.field.returnPressed.connect(self.check)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addWidget(label("Can these belong together?", "muted"))
        row.addWidget(self.field, 1)
        row.addWidget(button("Check", self.check, theme=context.theme, icon="check"))
        self.column.addWidget(self.table, 1)
        self.column.addLayout(row)
        self.column.addWidget(self.answer)

    def set_numbers(self, numbers: PaperNumbers) -> None:
        """Show the paper's results on the compared data set; on another data set, all of them."""
        self.numbers = numbers
        self._is_stale = True
        if self.isVisible():
            self._freshen()

    def refresh(self) -> None:
        if self.numbers is not None and self.numbers is not self._shown:
            self._shown = self.numbers
            self.table.set_columns(paper_columns(self.numbers))

    def check(self) -> None:
        """Check what is typed in (FACTS F22)."""
        metrics: dict[str, float] = {}
        for word in self.field.text().replace(",", " ").split():
            name, _, value = word.partition("=")
            try:
                metrics[name.upper()] = float(value)
            except ValueError:
                self.answer.setText(f"'{word}' is not METRIC=VALUE: write for instance HR@5=.0242.")
                return
        if not metrics:
            self.answer.setText("Write HR@k and NDCG@k, for instance HR@5=.0242 NDCG@5=.0388.")
            return
        self.context.run_in_engine(
            self.context.workspace.comparisons.check, metrics, on_result=self._answer, key=(id(self), "check")
        )

    def _answer(self, found: Any) -> None:
        texts = [item.message for item in found] or ["These numbers can belong together."]
        self.answer.setText(" ".join(texts))
