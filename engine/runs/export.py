"""Runs as a file: JSON with everything, or CSV and Parquet with one line an epoch."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.records import EpochReport, RunRecord, to_plain
from engine.runs.files import writing

Runs = Sequence[tuple[RunRecord, Sequence[EpochReport]]]


def export(runs: Runs, destination: Path) -> Path:
    """Write ``runs`` to ``destination`` under a temporary name and rename it.

    Raises ``UsageError`` for a suffix other than .json, .csv and .parquet, ``RunError`` when it cannot be written.
    """
    writers: dict[str, Callable[[Runs], str | bytes]] = {".json": as_json, ".csv": as_csv, ".parquet": as_parquet}
    write = writers.get(destination.suffix.lower())
    if write is None:
        raise UsageError(f"Runs cannot be exported to '{destination.name}'.", "Name a .json, .csv or .parquet file.")
    content = write(runs)
    with writing(destination) as stream:
        stream.write(content if isinstance(content, bytes) else content.encode("utf-8"))
    return destination


def plain_record(record: RunRecord) -> dict[str, Any]:
    """A run as JSON-ready values; what is not a number becomes null. Epochs count from 1, as in the log and the window;
    ``epoch`` is 0 before the first."""
    counted = {"epoch": 0 if record.progress is None else record.epoch + 1, "best_epoch": _from_1(record.best_epoch)}
    tree: dict[str, Any] = without_nan(to_plain(record) | counted)
    return tree


def plain_run(record: RunRecord, epochs: Sequence[EpochReport]) -> dict[str, Any]:
    """`plain_record` with the epochs, which count from 1 too."""
    told = [to_plain(report) | {"epoch": report.epoch + 1} for report in epochs]
    return plain_record(record) | without_nan({"epochs": told}) | {"planned_epochs": record.epochs}


def _from_1(epoch: int | None) -> int | None:
    return None if epoch is None else epoch + 1


def without_nan(value: Any) -> Any:
    """The tree with NaN and infinities replaced by None: JSON has no word for them."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_json(runs: Runs) -> str:
    """``{"runs": [{…, "epochs": […]}]}``."""
    tree = {"runs": [plain_run(record, epochs) for record, epochs in runs]}
    return json.dumps(tree, indent=2, allow_nan=False) + "\n"


def as_csv(runs: Runs) -> str:
    """One line an epoch (one for a run without epochs); what belongs to the run is repeated on each of its lines."""
    lines = _lines(runs)
    columns = list(dict.fromkeys(name for line in lines for name in line))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


def as_parquet(runs: Runs) -> bytes:
    """What `as_csv` has, as Apache Parquet; a setting that has values of several types is text."""
    import pandas as pd

    frame = pd.DataFrame(_lines(runs))
    for column in frame.columns:
        kinds = {type(value) for value in frame[column] if not pd.isna(value)}
        if len(kinds) > 1 and not kinds <= {int, float}:
            frame[column] = [None if pd.isna(value) else str(value) for value in frame[column]]
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


def _lines(runs: Runs) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for record, epochs in runs:
        common = _run_columns(record)
        lines.extend(common | _epoch_columns(report) for report in epochs)
        if not epochs:
            lines.append(common)
    return lines


def _run_columns(record: RunRecord) -> dict[str, Any]:
    names = ("id", "name", "status", "preset", "dataset", "fingerprint", "seed", "attempt", "device", "created_at")
    columns = {name: to_plain(getattr(record, name)) for name in names}
    columns |= {"best_epoch": _from_1(record.best_epoch), "hybrid_started": record.hybrid_started}
    for section, values in record.config.items():
        if isinstance(values, Mapping):
            columns |= {f"{section}.{name}": value for name, value in values.items()}
    columns |= {f"{split}/{name}": value for split, values in record.metrics.items() for name, value in values.items()}
    return columns


def _epoch_columns(report: EpochReport) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "epoch": report.epoch + 1,
        "epoch/stage": report.stage,
        "epoch/train_seconds": report.train_seconds,
        "epoch/validate_seconds": report.validate_seconds,
        "epoch/correlation": report.correlation,
        "epoch/is_best": report.is_best,
    }
    columns |= {f"epoch/loss/{name}": value for name, value in report.losses.items()}
    return columns | {f"epoch/valid/{name}": value for name, value in report.metrics.items()}
