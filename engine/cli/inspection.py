"""``inspect``: the Dataset page on the command line, with the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from engine.api import Workspace
from engine.cli.frame import data_argument, emit, json_option, refuse_unused, table
from engine.errors import UsageError
from engine.records import (
    DatasetDetails,
    DatasetSummary,
    TextColumn,
    UserSequence,
    to_plain,
)
from engine.records.filtering import numbers_of, rows_kept
from engine.records.query import QueryError, parse

SHOWN = 20
"""Rows printed where no ``--limit`` is given; JSON has all."""
FILTER = "Only rows with these words, or for which comparisons hold: 'tent users>=20'."

Columns = Mapping[str, NDArray[Any] | TextColumn]


@click.command()
@data_argument
@json_option
@click.option("--short-length", "k", type=click.IntRange(min=0), default=4, show_default=True, help="K of Eq. 12.")
@click.option("--users", "which", flag_value="users", help="The table of users too.")
@click.option("--items", "which", flag_value="items", help="The table of items too.")
@click.option("--user", metavar="ID", help="One user's sequence too, with the split on it.")
@click.option("--filter", "text", metavar="TEXT", default="", help=FILTER)
@click.option("--sort", metavar="COLUMN", default="", help="Sort the table by this column; -COLUMN: highest first.")
@click.option("--limit", type=click.IntRange(min=1), help=f"Rows of the table. [default: {SHOWN}; with --json all]")
def inspect(
    data: str, as_json: bool, k: int, which: str | None, user: str | None, text: str, sort: str, limit: int | None
) -> None:
    """What is in DATA, as in the paper's Table 1.

    Its lengths too, its times, and what the protocol makes of it; with --users and --items, every one of them.
    """
    tables = ("--users", "--items")
    refuse_unused({"text": tables, "sort": tables, "limit": tables}, f"--{which}" if which else "")
    datasets = Workspace().datasets
    summary, details = datasets.summary(data), datasets.details(data)
    sequence = datasets.placed(data, user) if user is not None else None
    rows: list[dict[str, Any]] = []
    if which:
        columns = details.users.columns(k) if which == "users" else details.items.columns()
        kept = _in_order(columns, _kept(columns, text), sort)
        rows = _rows(columns, kept, limit or (None if as_json else SHOWN))
    if as_json:
        found = to_plain(summary) | {"short_length": k, "short_share": summary.short_share(k)}
        found |= {name: to_plain(getattr(details, name)) for name in ("targets", "timeline", "paper")}
        found["targets"] = [
            plain | {"highest": counts.highest} for plain, counts in zip(found["targets"], details.targets, strict=True)
        ]
        found |= {"user_rows": rows} if which == "users" else {"item_rows": rows} if which == "items" else {}
        emit(found | ({"sequence": to_plain(sequence)} if sequence else {}))
        return
    _print_summary(summary, details, k)
    if which:
        click.echo()
        table([[_cell(name, value) for name, value in row.items()] for row in rows], tuple(rows[0]) if rows else ())
    if sequence:
        _print_sequence(sequence)


def _kept(columns: Columns, text: str) -> NDArray[np.integer]:
    """Numbers of the rows that a filter's text keeps, as the page's filter does."""
    texts = {name: column for name, column in columns.items() if isinstance(column, TextColumn)}
    numbers = {name: column for name, column in columns.items() if not isinstance(column, TextColumn)}
    numbers |= {name: ids for name, column in texts.items() if (ids := numbers_of(column)) is not None}
    try:
        query = parse(text, list(numbers))
    except QueryError as error:
        raise UsageError(f"The filter cannot be understood: {error}", "Write e.g. --filter 'tent users>=20'.") from None
    total = len(next(iter(columns.values())))
    kept = rows_kept(query, list(texts.values()), numbers, total)
    return np.arange(total) if kept is None else np.flatnonzero(kept)


def _in_order(columns: Columns, rows: NDArray[np.integer], sort: str) -> NDArray[np.integer]:
    """``rows`` by the column that ``sort`` names; equal ones in the file's order."""
    if not sort:
        return rows
    name = sort.removeprefix("-")
    if name not in columns:
        raise UsageError(f"There is no column '{name}'.", f"Columns: {', '.join(columns)}.")
    column = columns[name]
    keys = (column.ranks if isinstance(column, TextColumn) else column).astype(np.int64)[rows]
    return rows[np.argsort(-keys if sort.startswith("-") else keys, kind="stable")]


def _rows(columns: Columns, rows: NDArray[np.integer], limit: int | None) -> list[dict[str, Any]]:
    """The first ``limit`` of ``rows`` as dicts."""
    picked = [[column[row] for row in rows[:limit].tolist()] for column in columns.values()]
    return [dict(zip(columns, to_plain(values), strict=True)) for values in zip(*picked, strict=True)]


def _cell(name: str, value: Any) -> Any:
    return date_text(value) if name in ("first", "last") else value


def date_text(seconds: int | None) -> str:
    """Seconds since 1970 as a date (UTC); years that a calendar does not have stay numbers."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _print_summary(summary: DatasetSummary, details: DatasetDetails, k: int) -> None:
    valid, test = details.targets
    lines: list[tuple[str, Any]] = [
        ("users", summary.users),
        ("items", summary.items),
        ("actions", summary.actions),
        ("average length", f"{summary.average_length:.1f}"),
        ("shortest, longest", f"{summary.shortest:,}, {summary.longest:,}"),
        ("sparsity", f"{summary.sparsity:.2%}"),
        ("evaluated users", summary.evaluated_users),
        ("too short for the split", summary.too_short_users),
        (f"training inputs of at most {k} items", f"{summary.short_share(k):.1%}"),
        ("users with repeated items", summary.users_with_repeats),
        ("validation, test targets seen before", f"{valid.repeated:,}, {test.repeated:,}"),
        ("validation, test targets never trained on", f"{valid.cold:,}, {test.cold:,}"),
        ("highest HR where seen items are excluded", f"{valid.highest:.4f}, {test.highest:.4f}"),
    ]
    if (times := details.timeline) is not None:
        lines += [
            ("first, last action", f"{date_text(times.first)}, {date_text(times.last)}"),
            ("users not in the order of time", times.unordered_users),
            ("training later than half of the test targets", f"{times.training_after:.1%}"),
        ]
    lines += [("titles", summary.has_titles), ("fingerprint", summary.fingerprint)]
    click.echo(f"{summary.name}  ({summary.path})")
    table(lines)
    if details.paper:
        click.echo(f"These are the counts of {details.paper.name} in the paper's Table 1.")
        for fault in details.paper.faults:
            click.echo(fault)


def _print_sequence(sequence: UserSequence) -> None:
    click.echo(f"\nuser {sequence.user} · {len(sequence.places)} items · training input {sequence.training_length}")
    marks = (("is_input", "input"), ("is_target", "target"), ("is_repeat", "repeat"), ("is_cold", "cold"))

    def words(step: Any) -> Iterable[str]:
        return (word for name, word in marks if getattr(step, name))

    table(
        [
            (n + 1, step.item, step.part, " ".join(words(step)), date_text(step.time), step.title)
            for n, step in enumerate(sequence.places)
        ],
        ("", "item", "part", "", "time", "title"),
    )
