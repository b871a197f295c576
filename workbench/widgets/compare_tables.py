"""What Compare shows as tables: results, paired tests, differing settings, the paper's numbers; and their card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableView

from engine.records import ComparedGroup, Comparison, PaperNumbers, SliceTable
from workbench.run_names import plain
from workbench.theme import Theme
from workbench.widgets.cards import Card, label
from workbench.widgets.layout import button
from workbench.widgets.numbers import percent, signed
from workbench.widgets.tables import WIDEST, Columns, ColumnsModel, CsvOut, as_text
from workbench.widgets.text import metric_text

SAID = 2
"""Differences told in words; what is more stands in the table."""
MEASURED = 200
"""Rows whose texts decide on a column's width."""
LONGEST = 8
"""Of them the longest are measured: of two that are alike in letters, one is wider."""
CELL_MARGIN = 24
GROUP, AGAINST = 1, 2
"""Columns of the table of tests."""
NAMES_WIDTH, MOST_NAMES_WIDTH = 300, 440
"""Pixels of both groups' names in the table of tests: the adjusted p is to be seen without scrolling. More of them, up
to the second number, where what tells the groups apart needs it."""
APART = (
    "Where interval and p disagree: the one is of the mean difference, the other of the ranks of the users' "
    "differences; a few users with large gains can outweigh many with small losses in the one and not in the other."
)


class TableCard(Card):
    """A titled table that can be copied as CSV."""

    def __init__(self, theme: Theme, title: str, subtitle: str = "") -> None:
        super().__init__(title, subtitle)
        self.model = ColumnsModel([])
        self.view = QTableView()
        self.view.setAccessibleName(title)
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of groups differ at their ends
        self.view.setTabKeyNavigation(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.view.fontMetrics().height() + 10)
        self.view.horizontalHeader().setHighlightSections(False)
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.setMinimumHeight(120)
        self.csv = CsvOut(self, lambda: title, lambda: self.model.csv_parts())
        self.copy_button = button("Copy as CSV", self.csv.copy, theme=theme, icon="copy")
        self.words = label("", "muted", wrap=True)
        self.words.hide()
        self.add_control(self.copy_button)
        self.body.addWidget(self.words)
        self.body.addWidget(self.view, 1)
        self.view.setModel(self.model)

    def set_columns(self, columns: Columns, words: str = "", widest: int = WIDEST) -> None:
        """Show another table, with a sentence above it; no column is wider than ``widest`` at first."""
        before, self.model = self.model, _Tipped(columns)
        self.view.setModel(self.model)
        before.deleteLater()
        header = self.view.horizontalHeader()
        for part in (self.view, header):
            part.ensurePolished()  # before, no style sheet has said that heads are bold
        for column, (_, values) in enumerate(columns):
            self.view.setColumnWidth(column, min(max(header.sectionSizeHint(column), self._width(values)), widest))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.copy_button.setEnabled(self.model.rowCount() > 0)

    def _width(self, values: Sequence[object] | NDArray[Any]) -> int:
        """Of a column's cells. Qt asks the model for each of them in every respect: ten times as long."""
        texts = sorted({as_text(value) for value in values[:MEASURED]}, key=len)
        width = self.view.fontMetrics().horizontalAdvance
        return max(map(width, texts[-LONGEST:]), default=0) + CELL_MARGIN


def share_room(one: int, other: int, room: int) -> tuple[int, int]:
    """Widths of two columns that have ``room`` pixels: what the narrow one leaves is the wide one's.

    >>> share_room(90, 100, 300), share_room(90, 400, 300), share_room(400, 400, 300)
    ((90, 100), (90, 210), (150, 150))
    """
    half = room // 2
    return min(one, max(half, room - other)), min(other, max(half, room - one))


def told_first(found: Comparison) -> dict[str, str]:
    """Name → the same with what tells the group from its namesakes in front; those that have namesakes alone."""
    return {group.label: group.told_first for group in found.groups if group.told_first}


def room_of_names(found: Comparison, width: Callable[[str], int]) -> int:
    """Pixels of both groups' names in the table of tests, by the ``width`` of a text."""
    fronts = (name.rpartition(" · ")[0] or name for name in told_first(found).values())
    widest = max((width(f"{front} …") + CELL_MARGIN for front in fronts), default=0)
    return min(max(NAMES_WIDTH, 2 * widest), MOST_NAMES_WIDTH)


class _Tipped(ColumnsModel):
    """Text that is cut is readable whole as a tool tip."""

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.ToolTipRole:
            text = super().data(index, Qt.ItemDataRole.DisplayRole)
            return text if isinstance(text, str) and len(text) > 24 else None
        return super().data(index, role)


def number(value: float, std: float | None = None) -> str:
    """``.0432 ± .0021``."""
    return metric_text(value) + (f" ± {metric_text(std)}" if std is not None else "")


def p_text(p: float | None) -> str:
    """A p-value with two digits, and its stars."""
    if p is None:
        return "–"
    stars = next((mark for most, mark in ((0.001, " ***"), (0.01, " **"), (0.05, " *")) if p <= most), "")
    return ("< 1e-99" if p < 1e-99 else f"{p:.2g}") + stars


def signed_metric(value: float) -> str:
    """``+.0021``: a difference of metrics, with its sign."""
    return f"{'−' if value < 0 else '+'}{metric_text(abs(value))}"


def results_columns(found: Comparison, paper: PaperNumbers | None = None) -> Columns:
    """A line a group, best of each metric marked ▲; below, the paper's rows for these models."""
    groups = range(len(found.groups))
    cells = [cell for cell in paper.cells if cell.table == 2] if paper else []
    columns: list[tuple[str, list[object]]] = [
        ("Group", [*(group.label for group in found.groups), *(f"{cell.model} (paper)" for cell in cells)]),
        ("Seeds", [*(_seeds(group) for group in found.groups), *("" for _ in cells)]),
    ]
    for metric in found.metrics:
        means = [item.mean if (item := found.measure(n, metric)) else float("nan") for n in groups]
        best = max((round(mean, 4) for mean in means), default=0.0)
        texts: list[object] = []
        for n, mean in enumerate(means):
            item = found.measure(n, metric)
            is_best = len(means) > 1 and round(mean, 4) == best
            texts.append(number(mean, item.std if item else None) + (" ▲" if is_best else ""))
        for cell in cells:
            fault = " !" if any(name in ("", metric) for name, _ in cell.faults) else ""
            texts.append(metric_text(cell.metrics[metric]) + fault if metric in cell.metrics else "")
        columns.append((metric, texts))
    blanks = [""] * len(cells)
    columns.append(("Epochs", [*(epochs_text(group) for group in found.groups), *blanks]))
    columns.append(("Minutes", [*(minutes_text(group.minutes) for group in found.groups), *blanks]))
    return columns


def _seeds(group: ComparedGroup) -> object:
    """The number of runs, and how many of them have not trained to their end."""
    return f"{group.n} · {group.unfinished} unfinished" if group.unfinished else group.n


def epochs_text(group: ComparedGroup) -> str:
    """``40–80``, the least and the most of a group's runs; ``time up`` where the time ended one."""
    return (spread(group.epochs) if any(group.epochs) else "–") + " · time up" * bool(group.out_of_time)


def minutes_text(minutes: Sequence[float | None]) -> str:
    """``9.5–10.0`` of training and validation; – where it was not kept."""
    return spread([round(value, 1) for value in minutes if value is not None])


def spread(values: Sequence[float]) -> str:
    """All alike as one, otherwise the smallest and the largest.

    >>> spread([3, 3]), spread([9, 4, 7]), spread([])
    ('3', '4–9', '–')
    """
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def tests_columns(found: Comparison) -> Columns:
    """A line a paired test."""
    names = [group.label for group in found.groups]
    tests = found.tests
    return [
        ("Metric", [item.metric for item in tests]),
        ("Group", [names[item.second] for item in tests]),
        ("against", [names[item.first] for item in tests]),
        ("Difference", [signed_metric(item.difference) for item in tests]),
        (
            f"{percent(found.level, 0)} interval",
            [f"[{signed_metric(item.low)}, {signed_metric(item.high)}]" for item in tests],
        ),
        ("p, Holm", [p_text(item.p_holm) for item in tests]),
        ("Relative", ["–" if item.relative is None else _percent(item.relative) for item in tests]),
        ("p, Wilcoxon", [p_text(item.p) for item in tests]),
        ("Cohen's d", [signed(item.effect, 3) for item in tests]),
        ("Rank-biserial", [signed(item.rank_biserial, 3) for item in tests]),
        ("Better", [item.better for item in tests]),
        ("Worse", [item.worse for item in tests]),
        ("Equal", [item.equal for item in tests]),
        ("p over seeds", [p_text(item.p_seeds) for item in tests]),
    ]


def no_ranks(found: Comparison) -> str:
    """Why users cannot be paired or told apart; empty where they can."""
    return found.notes[0] if found.notes and not found.users else ""


def tests_words(found: Comparison) -> str:
    """What the columns are, in a sentence or two."""
    if not found.tests:
        return "Tick a second group to test it against the first." if len(found.groups) < 2 else no_ranks(found)
    words = (
        f"{found.users:,} users, paired; a user's value is the mean over a group's seeds. Intervals: bootstrap (BCa, "
        f"{found.samples:,} resamples). p: Wilcoxon signed-rank, two-sided, Holm-adjusted over {found.family} "
        f"{'test' if found.family == 1 else 'tests'}; * ≤ .05, ** ≤ .01, *** ≤ .001. p over seeds: Welch's t-test."
    )
    is_apart = any((test.low <= 0 <= test.high) != (test.p > 1 - found.level) for test in found.tests)
    return f"{words} {APART}" if is_apart else words


def settings_columns(found: Comparison, *, only_differences: bool = True) -> Columns:
    """A line a setting, a column a group."""
    kept = [item for item in found.settings if item.differs or not only_differences]
    columns: list[tuple[str, Sequence[object]]] = [
        ("Setting", [item.path for item in kept]),
        ("In words", [item.label for item in kept]),
    ]
    for place, group in enumerate(found.groups):
        columns.append(
            (group.label, ["–" if item.values[place] is None else plain(item.values[place]) for item in kept])
        )
    return [*columns, ("What it is", [item.help for item in kept])]


def _percent(share: float) -> str:
    """A share with its sign, the minus as long as in the columns beside it."""
    return f"{'−' if share < 0 else '+'}{percent(abs(share))}"


def slice_words(table: SliceTable, labels: Sequence[str]) -> str:
    """Where the difference of every group from the baseline comes from, the largest differences first."""
    others = [number for number in range(len(labels)) if number != table.baseline]
    others.sort(key=lambda number: -abs(float(table.shares[number].sum())))
    told = []
    for number in others[:SAID]:
        shares = table.shares[number]
        place = int(abs(shares).argmax())
        total, part = signed_metric(float(shares.sum())), signed_metric(float(shares[place]))
        told.append(
            f"{labels[number]} − {labels[table.baseline]}: {total} in all; the largest part, {part}, comes from "
            f"{table.labels[place]} ({int(table.users[place]):,} users)."
        )
    rest = len(others) - len(told)
    return "\n".join([*told, *([f"{rest} more in the table."] if rest else [])])


def paper_columns(numbers: PaperNumbers) -> Columns:
    """Every result that the paper prints for a data set, faults marked."""
    metrics = list(dict.fromkeys(name for cell in numbers.cells for name in cell.metrics))
    columns: list[tuple[str, Sequence[object]]] = [
        ("Table", [str(cell.table) for cell in numbers.cells]),
        ("Data", [cell.dataset for cell in numbers.cells]),
        ("Model", [cell.model for cell in numbers.cells]),
    ]
    for metric in metrics:
        texts = []
        for cell in numbers.cells:
            mark = " !" if any(name == metric for name, _ in cell.faults) else ""
            texts.append(f"{metric_text(cell.metrics[metric])}{mark}" if metric in cell.metrics else "")
        columns.append((metric, texts))
    faults = [" ".join(dict.fromkeys(text for _, text in cell.faults)) for cell in numbers.cells]
    return [*columns, ("! What is wrong", faults)]
