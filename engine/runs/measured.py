"""Stored runs as what their presets measured: which of them count, and what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.config import ExperimentConfig, Preset, differences, parse, preset, presets
from engine.config.grouping import changes_nothing, once_a_seed
from engine.data.dataset import SAMPLE
from engine.errors import ConfigurationError, UsageError
from engine.records import EpochReport, RunRecord, RunStatus
from engine.reports.measured import (
    OF_THE_RUN,
    MeasuredPreset,
    MeasuredRun,
    command,
    merged,
    of_protocol,
    read_file,
    settings_of,
    text,
)
from engine.runs.files import writing
from engine.runs.groups import protocol_of

Epochs = Callable[[str], Sequence[EpochReport]]
_MACHINE = ("processor", "cores", "memory", "system", "threads", "kernels")


def why_not(record: RunRecord) -> str:
    """Why a run is none of its preset's results; empty where it is one."""
    if record.status is not RunStatus.FINISHED or not record.metrics.get("test"):
        return f"it is {record.status}"
    if not record.preset:
        return "it began from no preset"
    if record.ended_by == "time":
        return "its time ended it (train.max_minutes)"
    try:
        begun, config = preset(record.preset), parse(dict(record.config))
    except (UsageError, ConfigurationError) as error:
        return f"today's program does not know its settings: {error.message}"
    if _preset_with(config, begun) is not None:
        return ""
    changed = _changed(config, begun.config)
    return f"it has settings of its own: {', '.join(changed[:3])}{' …' if len(changed) > 3 else ''}"


def _preset_with(config: ExperimentConfig, begun: Preset) -> Preset | None:
    """The preset that has just these settings: that which the run began from before any other.

    Settings that were tried over one preset and found good become another's.
    """
    return next((item for item in (begun, *presets()) if not _changed(config, item.config)), None)


def _preset_of(record: RunRecord) -> Preset:
    found = _preset_with(parse(dict(record.config)), preset(record.preset))
    assert found is not None, "asked of runs that count"
    return found


def _changed(config: ExperimentConfig, wanted: ExperimentConfig) -> list[str]:
    is_nothing = changes_nothing(config.model_dump(mode="json"))
    return [path for path in differences(wanted, config) if path not in OF_THE_RUN and not is_nothing(path)]


def measured(records: Sequence[RunRecord], epochs: Epochs) -> tuple[MeasuredPreset, ...]:
    """What the presets of ``records`` measured; of two runs of one seed, the one that ended last. All must count."""
    groups: dict[tuple[str, str], list[RunRecord]] = {}
    for record in sorted(records, key=lambda record: (record.ended_at is not None, record.ended_at, record.id)):
        groups.setdefault((_preset_of(record).name, record.fingerprint), []).append(record)
    return tuple(
        _preset(preset(name), sorted(once_a_seed(_as_usual(group, name)), key=lambda record: record.seed), epochs)
        for (name, _), group in groups.items()
    )


def _as_usual(records: Sequence[RunRecord], name: str) -> list[RunRecord]:
    """Without the runs of another precision than the preset's whose seed has one of the preset's own."""
    usual = preset(name).config.train.precision
    own = {record.seed for record in records if _precision(record) == usual}
    return [record for record in records if record.seed not in own or _precision(record) == usual]


def _precision(record: RunRecord) -> str:
    train = record.config.get("train")
    return str(train.get("precision", "float32")) if isinstance(train, Mapping) else "float32"


def _preset(chosen: Preset, records: Sequence[RunRecord], epochs: Epochs) -> MeasuredPreset:
    first = records[0]
    data: Any = first.config.get("data")
    path = str(data.get("path"))
    file = path if path == SAMPLE else Path(path).name
    runs = tuple(_run(record, epochs(record.id)) for record in records)
    return MeasuredPreset(
        format=1,
        preset=chosen.name,
        title=chosen.title,
        system=chosen.system,
        dataset=first.dataset,
        fingerprint=first.fingerprint,
        settings=settings_of(chosen.config),
        protocol=of_protocol({path: value for path, value in protocol_of(first).items() if "." in path}),
        file=file,
        command=command(file, chosen.name, runs),
        runs=runs,
    )


def _run(record: RunRecord, epochs: Sequence[EpochReport]) -> MeasuredRun:
    ended_by = record.ended_by or (
        "nothing" if not epochs else "epochs" if len(epochs) >= record.epochs else "patience"
    )
    seconds = record.train_seconds
    if seconds is None:  # from before it was kept
        seconds = sum(report.train_seconds + report.validate_seconds for report in epochs)
    ended = record.ended_at or record.created_at
    return MeasuredRun.model_validate(
        {
            "run": record.id,
            "seed": record.seed,
            "epochs": len(epochs),
            "best_epoch": None if record.best_epoch is None else record.best_epoch + 1,
            "ended_by": ended_by,
            "seconds": round(seconds, 3),
            "attempts": record.attempt,
            "ended": f"{ended:%Y-%m-%d}",
            "device": record.device,
            "precision": _precision(record),
            "machine": _machine(record.hardware),
            "versions": dict(record.versions),
            "validation": dict(record.metrics["valid"]),
            "test": dict(record.metrics["test"]),
        }
    )


def _machine(hardware: Mapping[str, str]) -> dict[str, str]:
    """What matters of a machine; of its system the name: a kernel's release tells the reader nothing."""
    told = {name: hardware[name] for name in _MACHINE if hardware.get(name)}
    return told | ({"system": told["system"].partition(" ")[0]} if "system" in told else {})


def write(found: Sequence[MeasuredPreset], folder: Path) -> tuple[Path, ...]:
    """Write a file a preset and data set, with the seeds that are in the folder's files already.

    Raises ``UsageError`` for a file there that holds something else, ``RunError`` where one cannot be written.
    """
    written = []
    for item in found:
        path = folder / item.file_name
        whole = merged(item, read_file(path) if path.exists() else None)
        with writing(path) as stream:
            stream.write(text(whole).encode())
        written.append(path)
    return tuple(written)
