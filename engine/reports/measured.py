"""What each preset measured: ``resources/results/*.json``, written from stored runs and never typed; as Markdown too.

A file is a preset on a data set, with every seed's epochs, time, machine, versions and metrics.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.config import ExperimentConfig, fields_of, preset, presets
from engine.errors import UsageError

FORMAT = 1
METRICS = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20")
"""Columns of the table."""
OF_THE_RUN = (
    "data.path",
    "evaluate.batch_size",
    "train.capture",
    "train.checkpoint_epochs",
    "train.checkpoint_minutes",
    "train.device",
    "train.max_minutes",
    "train.precision",
    "train.seed",
)
"""Settings that are no part of a preset: a run of it may have any value, as long as its time has not ended it."""

Share = Annotated[float, Field(ge=0, le=1)]
Precision = Literal["float32", "bfloat16"]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MeasuredRun(_Plain):
    """One seed. ``best_epoch`` counts from 1; None where nothing is trained."""

    run: str
    seed: int
    epochs: int = Field(ge=0)
    best_epoch: int | None = Field(ge=1)
    ended_by: Literal["epochs", "patience", "nothing"]
    seconds: float = Field(ge=0)
    """Of training and validation."""
    attempts: int = Field(ge=1)
    ended: str
    """Day, UTC."""
    device: str
    precision: Precision = "float32"
    machine: dict[str, str]
    versions: dict[str, str]
    validation: dict[str, Share]
    test: dict[str, Share]

    @model_validator(mode="after")
    def _is_possible(self) -> MeasuredRun:
        if self.best_epoch is not None and self.best_epoch > self.epochs:
            raise ValueError(f"seed {self.seed}: the best epoch is beyond the last")
        for name, values in (("validation", self.validation), ("test", self.test)):
            if missing := [metric for metric in METRICS if metric not in values]:
                raise ValueError(f"seed {self.seed} has no {name} {missing[0]}")
        return self


class MeasuredPreset(_Plain):
    """A preset on a data set."""

    format: Literal[1]
    preset: str
    title: str
    system: str
    dataset: str
    fingerprint: str
    settings: dict[str, str | float | int | bool]
    """What the preset has otherwise than the defaults."""
    protocol: dict[str, str]
    file: str
    """The data file's name, or ``sample``."""
    command: str
    """What measures it anew."""
    runs: tuple[MeasuredRun, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_one_of_each(self) -> MeasuredPreset:
        if len({run.seed for run in self.runs}) < len(self.runs):
            raise ValueError("a seed stands twice")
        return self

    @property
    def file_name(self) -> str:
        return f"{self.preset}--{''.join(c if c.isalnum() else '-' for c in self.dataset)}.json"

    def values(self, metric: str, split: Literal["validation", "test"] = "test") -> list[float]:
        """A metric of every seed."""
        return [getattr(run, split)[metric] for run in self.runs]


def settings_of(config: ExperimentConfig) -> dict[str, str | float | int | bool]:
    """What a configuration has otherwise than its model's and the other sections' defaults, run by run settings left
    out; and the model's name."""
    found = {
        info.path: info.value
        for info in fields_of(config)
        if info.value != info.default and info.path not in OF_THE_RUN
    }
    return {"model.name": config.model.name} | found


def read(folder: Path) -> tuple[MeasuredPreset, ...]:
    """All files of ``folder``, `in_order`. Raises ``UsageError`` for one that is wrong."""
    return in_order([read_file(path) for path in sorted(folder.glob("*.json"))])


def in_order(found: Iterable[MeasuredPreset]) -> tuple[MeasuredPreset, ...]:
    """By data set and in the presets' order."""
    order = {item.name: place for place, item in enumerate(presets())}
    return tuple(sorted(found, key=lambda item: (item.dataset, order.get(item.preset, len(order)), item.preset)))


def read_file(path: Path) -> MeasuredPreset:
    """One file. Raises ``UsageError``."""
    try:
        return MeasuredPreset.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:  # JSON's errors and pydantic's are ValueErrors
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        where = ".".join(map(str, first["loc"])) if first else ""
        reason = f"{where}: {first['msg']}" if first else str(error)
        raise UsageError(f"{path} holds no results: {reason}.", "`coserec results --out` writes such files.") from None


def text(item: MeasuredPreset) -> str:
    """The file's content."""
    return json.dumps(item.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def merged(new: MeasuredPreset, old: MeasuredPreset | None) -> MeasuredPreset:
    """``new`` with the seeds that ``old`` alone has, if it is of the same data and settings."""
    if old is None or (old.fingerprint, old.settings) != (new.fingerprint, new.settings):
        return new
    if all(run.ended_by == "nothing" for run in new.runs):
        return new  # what trains nothing has no seeds: one run is all of it
    usual = preset(new.preset).config.train.precision
    runs: dict[int, MeasuredRun] = {}
    for run in (*old.runs, *new.runs):
        # A seed stands for the preset as it is: a run of another precision does not take such a one's place.
        if run.seed not in runs or run.precision == usual or runs[run.seed].precision != usual:
            runs[run.seed] = run
    kept = tuple(runs[seed] for seed in sorted(runs))
    return new.model_copy(update={"runs": kept, "command": command(new.file, new.preset, kept)})


def command(file: str, name: str, runs: Sequence[MeasuredRun]) -> str:
    """The command line that trains a preset on a data file again; one for each precision of the ``runs``."""
    usual = preset(name).config.train.precision
    seeds: dict[str, list[str]] = {}
    for run in runs:
        option = "" if run.precision == usual else f" --train.precision {run.precision}"
        seeds.setdefault(option, []).append(str(run.seed))
    stem = f"coserec train {shlex.quote(file)} --preset {name} --seeds"
    return " && ".join(f"{stem} {','.join(own)}{option}" for option, own in seeds.items())


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and sample standard deviation where there are two or more."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def markdown(items: Iterable[MeasuredPreset]) -> str:
    """A table a data set, as a README shows it: means over seeds, ± where there are several."""
    by_data: dict[tuple[str, str], list[MeasuredPreset]] = {}
    for item in items:
        by_data.setdefault((item.dataset, item.fingerprint), []).append(item)
    return "\n".join(_table(dataset, rows) for (dataset, _), rows in by_data.items())


def _table(dataset: str, rows: Sequence[MeasuredPreset]) -> str:
    heads = [f"{dataset}, test, all users", "seeds", *METRICS, "epochs (best)", "minutes"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(cells(item))} |" for item in rows]
    machines = dict.fromkeys(f"{run.machine.get('processor') or run.device}" for item in rows for run in item.runs)
    torch = dict.fromkeys(run.versions.get("torch", "?") for item in rows for run in item.runs)
    days = sorted(run.ended for item in rows for run in item.runs)
    span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    lines += [
        "",
        f"{span}; torch {', '.join(torch)}; {'; '.join(machines)}. ± is the standard deviation over seeds.",
        "",
    ]
    return "\n".join(lines)


def cells(item: MeasuredPreset) -> list[str]:
    """A row of the table."""
    epochs = [f"{run.epochs} ({run.best_epoch})" if run.best_epoch else "–" for run in item.runs]
    minutes = [f"{run.seconds / 60:.0f}" if run.seconds >= 60 else f"{run.seconds / 60:.1f}" for run in item.runs]
    return [
        f"`{item.preset}`",
        ", ".join(map(_seed, item.runs)),
        *(_number(item.values(metric)) for metric in METRICS),
        _each(epochs),
        _each(minutes),
    ]


def _seed(run: MeasuredRun) -> str:
    """With its precision, where that is another one; of what trains nothing there is none."""
    told = "" if run.precision == "float32" else f" ({run.precision})"
    return f"{run.seed}{told}" if run.ended_by != "nothing" else "–"


def _each(values: Sequence[str]) -> str:
    """One a seed, in the seeds' order; one for all where they are alike."""
    return ", ".join(values if len(set(values)) > 1 else values[:1])


def _number(values: Sequence[float]) -> str:
    mean, std = mean_and_std(values)
    return _short(mean) + (f" ± {_short(std)}" if std is not None else "")


def _short(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")


def of_protocol(protocol: Mapping[str, object]) -> dict[str, str]:
    """Protocol settings as the file keeps them: text."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in protocol.items()}
