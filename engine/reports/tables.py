"""Comparisons as data files: one line a measure, a test or a run, for whatever reads CSV or Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pandas as pd

from engine.records import Comparison, PairedTest, ResultTable


def measures_frame(found: Comparison) -> pd.DataFrame:
    """A line a group and metric, with the interval over users."""
    lines: list[dict[str, Any]] = []
    for item in found.measures:
        group = found.groups[item.group]
        line: dict[str, Any] = {
            "group": group.label,
            "dataset": group.dataset,
            "split": found.split,
            "metric": item.metric,
            "mean": item.mean,
            "std": item.std,
            "n": group.n,
            "low": item.low,
            "high": item.high,
            "runs": " ".join(group.run_ids),
            "seeds": " ".join(map(str, group.seeds)),
            "configuration": group.config_hash,
            "data": group.fingerprint,
        }
        lines.append(line)
    return pd.DataFrame(lines)


TEST_COLUMNS = (
    *(field.name for field in fields(PairedTest)),
    *("family", "split", "users", "first_runs", "first_configuration", "second_runs", "second_configuration"),
    *("dataset", "data"),
)


def tests_frame(found: Comparison) -> pd.DataFrame:
    """A line a paired test, with the runs, configurations and data that it is of; its columns even where none is."""
    lines: list[dict[str, Any]] = []
    for item in found.tests:
        sides = {"first": found.groups[item.first], "second": found.groups[item.second]}
        line = {**vars(item), **{side: group.label for side, group in sides.items()}}
        line |= {"family": found.family, "split": found.split, "users": found.users}
        for side, group in sides.items():
            line |= {f"{side}_runs": " ".join(group.run_ids), f"{side}_configuration": group.config_hash}
        lines.append(line | {"dataset": sides["first"].dataset, "data": sides["first"].fingerprint})
    return pd.DataFrame(lines, columns=list(TEST_COLUMNS))


def results_frame(table: ResultTable) -> pd.DataFrame:
    """A line a cell of the table of results, with the runs, configuration and data that it comes from."""
    return pd.DataFrame(
        [
            {
                "model": row,
                "dataset": dataset,
                "metric": metric,
                "split": table.split,
                "runs": " ".join(cell.run_ids) or None,
                **{name: None if value == "" else value for name, value in vars(cell).items() if name != "run_ids"},
            }
            for row, cells in zip(table.rows, table.cells, strict=True)
            for (dataset, metric), cell in zip(table.columns, cells, strict=True)
            if cell is not None
        ]
    )


def as_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8, unrounded numbers."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def as_parquet(frame: pd.DataFrame) -> bytes:
    """Apache Parquet."""
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {".csv": as_csv, ".parquet": as_parquet}
