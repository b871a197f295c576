"""Series of compared groups along epochs or wall time, and any setting against any metric. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from engine.config.grouping import changes_nothing, filled
from engine.config.naming import flat, run_name
from engine.config.stages import pretrain_epochs_of
from engine.errors import UsageError, did_you_mean
from engine.records import ComparedCurve, EpochReport, ParallelRun, ParallelRuns, RunRecord, ScatterPoint
from engine.runs.groups import Group, epochs_trained, known_settings

Along = Literal["epoch", "time"]


def curves(
    groups: Sequence[Group], epochs: Callable[[str], Sequence[EpochReport]], series: str, along: Along = "epoch"
) -> tuple[ComparedCurve, ...]:
    """Mean ± std over each group's seeds of ``valid/METRIC`` or ``loss/NAME`` after every epoch.

    ``along`` ``time`` puts the x of an epoch where its seeds have it on average: seconds of training and validating
    since the beginning, waiting and stops left out. Where a seed has ended before others, what an epoch took of those
    that go on is added to what it was before: time never runs backwards. ``epochs`` gives a run's reports. Groups
    without the series are left out, those of two stages say where the second begins. Raises ``UsageError`` for another
    name of a series.
    """
    kind, _, name = series.partition("/")
    if kind not in ("valid", "loss") or not name:
        raise UsageError(f"There is no series '{series}'.", "Known: valid/METRIC and loss/NAME.")
    made = []
    for number, group in enumerate(groups):
        runs = [_one(epochs(record.id), kind, name) for record in group]
        runs = [run for run in runs if np.isfinite(run[0]).any()]
        if not runs:
            continue
        values, seconds = np.full((2, len(runs), max(len(ys) for ys, _ in runs)), np.nan)
        for row, (ys, took) in enumerate(runs):
            values[row, : len(ys)], seconds[row, : len(took)] = ys, took
        n = np.isfinite(values).sum(axis=0)
        kept = n > 0
        times = np.cumsum(np.nansum(seconds, axis=0) / np.maximum(np.isfinite(seconds).sum(axis=0), 1))
        ends = times if along == "time" else np.arange(1.0, len(n) + 1)
        values, n = values[:, kept], n[kept]
        mean = np.nanmean(values, axis=0)
        squares = np.nansum((values - mean) ** 2, axis=0)
        std = np.sqrt(squares / np.maximum(n - 1, 1))
        before = pretrain_epochs_of(group[0].config)
        begins = float(ends[before - 1]) if 0 < before < len(ends) else None
        made.append(ComparedCurve(number, series, ends[kept], mean, std, n.astype(np.int64), begins))
    return tuple(made)


def _one(reports: Sequence[EpochReport], kind: str, name: str) -> tuple[Any, Any]:
    """Values and seconds of every epoch, [epochs] each; NaN where there is no number."""
    ys, took = np.full((2, max((report.epoch + 1 for report in reports), default=0)), np.nan)
    for report in reports:
        value = (report.metrics if kind == "valid" else report.losses).get(name)
        ys[report.epoch] = np.nan if value is None or not np.isfinite(value) else value
        took[report.epoch] = report.train_seconds + report.validate_seconds
    return ys, took


def series_of(reports: Sequence[EpochReport]) -> tuple[str, ...]:
    """Names of the series that a run's epochs have."""
    names = {f"valid/{name}": None for report in reports for name in report.metrics}
    return (*names, *dict.fromkeys(f"loss/{name}" for report in reports for name in report.losses))


FACTS = {"best_epoch": "best epoch", "epochs_done": "epochs trained", "seed": "seed", "minutes": "minutes of training"}
"""What a run can be set against beside its settings."""


def caption_of(field: str) -> str:
    """What an axis calls it.

    >>> caption_of("model.hidden_size"), caption_of("best_epoch"), caption_of("model.gone")
    ('hidden size d', 'best epoch', 'model.gone')
    """
    info = known_settings().get(field)
    return FACTS.get(field, field) if info is None else f"{info.label.lower()} {info.symbol}".rstrip()


UNTOLD = frozenset({"data.path", "train.device", "train.capture"})
"""Settings that say where and how a run was made, and nothing of its model."""


def scatter(records: Sequence[RunRecord], field: str, metric: str, split: str = "test") -> tuple[ScatterPoint, ...]:
    """Every run with the metric: ``field``, a setting's path or one of `FACTS`, against ``metric``. A run has no value
    of a setting that changes nothing in it.

    Raises ``UsageError`` for a setting that no run has, and when none has both.
    """
    known = dict.fromkeys([*FACTS, *(path for record in records for path in flat(filled(record.config)))])
    if field not in known:
        hint = did_you_mean(field, known) or "`coserec show ID` lists a run's settings."
        raise UsageError(f"There is no setting '{field}'.", hint)
    made = []
    for record in records:
        x, y = _field(record, field), record.metrics.get(split, {}).get(metric)
        if x is not None and y is not None:
            made.append(ScatterPoint(record.id, run_name(record), x, y))
    if not made:
        raise UsageError(
            f"No run has both '{field}' and a {split} {metric}.", "Choose another setting or another metric."
        )
    return tuple(made)


def parallel(records: Sequence[RunRecord], metric: str, split: str = "test") -> ParallelRuns:
    """Every run with the metric, by each setting that not all of them have alike; where none differs, by the seed. A
    run has no value of a setting that changes nothing in it.

    Raises ``UsageError`` when no run has the metric.
    """
    with_metric = [record for record in records if record.metrics.get(split, {}).get(metric) is not None]
    if not with_metric:
        raise UsageError(f"No run has a {split} {metric}.", "Choose another metric.")
    configs = [flat(filled(record.config)) for record in with_metric]
    nothing = [changes_nothing(record.config) for record in with_metric]
    known = known_settings()
    paths = dict.fromkeys([*known, *(path for config in configs for path in config if path not in known)])

    def differs(path: str) -> bool:
        told = [config.get(path) for config, is_nothing in zip(configs, nothing, strict=True) if not is_nothing(path)]
        return any(value != told[0] for value in told[1:])

    fields = tuple(path for path in paths if path not in UNTOLD and differs(path)) or ("train.seed",)
    return ParallelRuns(
        fields,
        metric,
        split,
        tuple(
            ParallelRun(
                record.id,
                run_name(record),
                tuple(None if is_nothing(path) else config.get(path) for path in fields),
                float(record.metrics[split][metric]),
                f"{record.preset} {config.get('model.name')}",
            )
            for record, config, is_nothing in zip(with_metric, configs, nothing, strict=True)
        ),
    )


def _field(record: RunRecord, field: str) -> Any:
    if field == "best_epoch":
        return None if record.best_epoch is None else record.best_epoch + 1
    if field == "epochs_done":
        return epochs_trained(record)
    if field == "seed":
        return record.seed
    if field == "minutes":
        return None if record.train_seconds is None else record.train_seconds / 60
    return None if changes_nothing(record.config)(field) else flat(filled(record.config)).get(field)
