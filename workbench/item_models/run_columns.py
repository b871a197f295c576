"""The columns of the table of runs: what a cell says of a run and what it is sorted by; of a group, mean ± std (n)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.config import duration_text
from engine.records import RunRecord, RunStatus
from workbench.run_book import RunBook
from workbench.run_names import dataset_name
from workbench.widgets.text import metric_text, when_text


@dataclass(frozen=True)
class Column:
    """``text`` is what is shown, ``sort`` what is compared; None sorts last in both directions."""

    id: str
    title: str
    text: Callable[[RunRecord, RunBook], str]
    sort: Callable[[RunRecord, RunBook], Any]
    width: int
    tip: str = ""
    is_number: bool = False
    is_shown: bool = True
    series: str = ""
    """The curve whose highest value stands here until the run has ended."""
    is_averaged: bool = False
    """A group shows mean ± std (n) of its runs; otherwise what they all have, or nothing."""
    is_share: bool = False
    """A group has the mean over all its runs: one that has not begun counts as 0."""


def metric(record: RunRecord, split: str, name: str) -> float | None:
    """A final metric, None until there is one."""
    return record.metrics.get(split, {}).get(name)


def delta(record: RunRecord, book: RunBook, split: str, name: str) -> tuple[float, float] | None:
    """How far the run's metric is from the starred run's of its data set: difference and the starred run's value."""
    base = book.baseline(record)
    if base is None or base.id == record.id:
        return None
    own, other = metric(record, split, name), metric(base, split, name)
    return None if own is None or other is None else (own - other, other)


def delta_text(found: tuple[float, float] | None) -> str:
    """A difference with its sign, and in percent of the baseline.

    >>> delta_text((0.0012, 0.04)), delta_text((-0.002, 0.0)), delta_text(None)
    ('+.0012 (+3.0 %)', '−.0020', '')
    """
    if found is None:
        return ""
    difference, base = found
    sign = "−" if difference < 0 else "+"
    share = f" ({sign}{abs(difference / base) * 100:.1f} %)" if base else ""
    return f"{sign}{metric_text(abs(difference))}{share}"


def spread(values: Sequence[float]) -> tuple[float, float | None, int]:
    """Mean, sample standard deviation (n − 1; None for one value) and count.

    >>> spread([1.0, 3.0])
    (2.0, 1.4142135623730951, 2)
    """
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return mean, None, count
    # Not statistics.stdev: its exact fractions take ten milliseconds for the cells in sight.
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1)), count


def spread_text(values: Sequence[float | None]) -> str:
    """``.0287 ± .0004 (5)``; without ± for a single run; nothing where no run has a value.

    >>> spread_text([0.028, 0.029, None]), spread_text([0.5]), spread_text([None])
    ('.0285 ± .0007 (2)', '.5000 (1)', '')
    """
    known = [value for value in values if value is not None and not math.isnan(value)]
    if not known:
        return ""
    mean, deviation, count = spread(known)
    around = "" if deviation is None else f" ± {metric_text(deviation)}"
    return f"{metric_text(mean)}{around} ({count})"


def _metric_column(split: str, name: str, *, is_shown: bool) -> Column:
    title = f"{split.capitalize()} {name}"
    where = (
        "on the test targets, at the best epoch"
        if split == "test"
        else "on the validation targets, at the best epoch; while it trains, the best so far"
    )
    return Column(
        f"{split}/{name}",
        title,
        lambda record, _: metric_text(metric(record, split, name)),
        lambda record, _: metric(record, split, name),
        120,
        f"{name} {where}. A group: mean ± sample standard deviation over seeds (runs). Filter: "
        + (f"{name}>.03" if split == "test" else f"{split}/{name}>.03"),
        is_number=True,
        is_shown=is_shown,
        series=f"{split}/{name}" if split == "valid" else "",
        is_averaged=True,
    )


def _delta_column(name: str) -> Column:
    def difference(record: RunRecord, book: RunBook) -> float | None:
        found = delta(record, book, "test", name)
        return None if found is None else found[0]

    return Column(
        f"delta/{name}",
        f"Δ {name}",
        lambda record, book: delta_text(delta(record, book, "test", name)),
        difference,
        128,
        f"Test {name} less that of the starred run (★, key B) of the same data set",
        is_number=True,
        is_shown=name == "NDCG@20",
        is_averaged=True,
    )


def epoch_text(record: RunRecord) -> str:
    """``12 / 300``, counted from one; nothing before the first."""
    if record.status is RunStatus.QUEUED or (record.epoch == 0 and record.progress is None):
        return ""
    return f"{record.epoch + 1} / {record.epochs}"


def left_text(record: RunRecord) -> str:
    """Time left of a running run; before its first step, which a busy machine puts off, that it starts; nothing
    while it stops."""
    if record.status is not RunStatus.RUNNING or record.stop_requested:
        return ""
    if record.seconds_left is not None:
        return duration_text(record.seconds_left)
    return "starting" if record.progress is None else ""


STATUS_ORDER = {
    status: place
    for place, status in enumerate(
        (
            RunStatus.RUNNING,
            RunStatus.QUEUED,
            RunStatus.FAILED,
            RunStatus.LOST,
            RunStatus.STOPPED,
            RunStatus.FINISHED,
            RunStatus.CANCELLED,
        )
    )
}


def _same(text: Callable[[RunRecord], str]) -> dict[str, Any]:
    """``text`` and ``sort`` of a column that only looks at the record."""
    return {"text": lambda record, _: text(record), "sort": lambda record, _: text(record).lower()}


COLUMNS: tuple[Column, ...] = (
    Column(
        "name",
        "Run",
        lambda r, book: book.name(r),
        lambda r, book: book.name(r).lower(),
        280,
        "Tick it to draw it (Space)",
    ),
    Column("status", "State", lambda r, _: r.status.value, lambda r, _: STATUS_ORDER[r.status], 90),
    Column("progress", "Progress", lambda *_: "", lambda r, _: r.progress, 88, is_share=True),
    Column("left", "Left", lambda r, _: left_text(r), lambda r, _: r.seconds_left, 84, "Time left at the present pace"),
    # The main metrics stand early, where no scrolling hides them.
    _metric_column("test", "NDCG@10", is_shown=True),
    _metric_column("test", "NDCG@20", is_shown=True),
    _delta_column("NDCG@20"),
    _delta_column("NDCG@10"),
    _delta_column("HR@10"),
    Column("tags", "Tags", lambda r, b: ", ".join(b.marks(r.id).tags), lambda r, b: b.marks(r.id).tags or None, 110),
    Column("phase", "Phase", **_same(lambda r: r.phase), width=92, is_shown=False),
    Column("epoch", "Epoch", lambda r, _: epoch_text(r), lambda r, _: r.epoch, 76, is_number=True),
    Column("dataset", "Data", **_same(dataset_name), width=96),
    Column("model", "Model", **_same(lambda r: model_name(r)), width=100, is_shown=False),
    Column("preset", "Preset", **_same(lambda r: r.preset), width=150, is_shown=False),
    Column("seed", "Seed", lambda r, _: str(r.seed), lambda r, _: r.seed, 54, is_number=True, is_shown=False),
    _metric_column("valid", "NDCG@20", is_shown=True),
    _metric_column("valid", "HR@10", is_shown=False),
    _metric_column("test", "HR@5", is_shown=False),
    _metric_column("test", "HR@10", is_shown=True),
    _metric_column("test", "HR@20", is_shown=False),
    _metric_column("test", "NDCG@5", is_shown=False),
    _metric_column("test", "MRR", is_shown=False),
    Column("device", "Device", **_same(lambda r: r.device), width=80, is_shown=False),
    Column("created", "Created", lambda r, _: when_text(r.created_at), lambda r, _: r.created_at, 128),
    Column(
        "note", "Note", lambda r, b: b.marks(r.id).note, lambda r, b: b.marks(r.id).note or None, 160, is_shown=False
    ),
    Column("id", "Id", **_same(lambda r: r.id), width=110, is_shown=False),
)
COLUMN_IDS = tuple(column.id for column in COLUMNS)


def model_name(record: RunRecord) -> str:
    """The recommender's name as the configuration has it."""
    section: Any = record.config.get("model", {})
    return str(section.get("name", "")) if hasattr(section, "get") else ""


def progress_of(records: Sequence[RunRecord]) -> float | None:
    """Share from 0 to 1 of the work of all these runs that is done; None while none has begun.

    One that waits counts as 0: the newest of five seeds would otherwise speak for those behind it.
    """
    known = [record.progress for record in records if record.progress is not None]
    return sum(known) / len(records) if known else None


def progress_words(share: float | None) -> str:
    """Progress for assistive tools.

    >>> progress_words(0.25), progress_words(None)
    ('Progress 25 %', 'No progress yet')
    """
    return f"Progress {round(100 * share)} %" if share is not None else "No progress yet"


def states_text(records: Sequence[RunRecord]) -> str:
    """How many of the runs are in which state, as the table sorts them: ``1 running, 2 finished``."""
    counts = Counter(record.status for record in records)
    return ", ".join(f"{counts[status]} {status.value}" for status in STATUS_ORDER if status in counts)
