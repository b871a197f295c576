"""Comparisons as data files: one line a measure, a test or a run, for whatever reads CSV or Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pandas as pd

from engine.records import Comparison, ResultTable, SliceTable


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


def tests_frame(found: Comparison) -> pd.DataFrame:
    """A line a paired test."""
    names = [group.label for group in found.groups]
    return pd.DataFrame(
        [
            {**vars(item), "first": names[item.first], "second": names[item.second], "family": found.family}
            for item in found.tests
        ]
    )


def slices_frame(found: SliceTable, labels: tuple[str, ...]) -> pd.DataFrame:
    """A line a group and bucket."""
    return pd.DataFrame(
        [
            {
                "group": label,
                "by": found.kind,
                "metric": found.metric,
                "bucket": bucket,
                "users": int(found.users[place]),
                "mean": float(found.means[number, place]),
                "low": float(found.lows[number, place]),
                "high": float(found.highs[number, place]),
                "share_of_difference": float(found.shares[number, place]),
            }
            for number, label in enumerate(labels)
            for place, bucket in enumerate(found.labels)
        ]
    )


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
