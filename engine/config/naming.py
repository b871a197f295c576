"""What a run is called, in the window and on the command line: the name that somebody gave it, or else where it started
from; what differs from there; and its seed. A run of another model than its preset's is called by its model: the
preset's name would say what it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from engine import registry
from engine.config.experiment import with_fidelity
from engine.config.grouping import changes_nothing, has_seeds, model_name, trains
from engine.config.presets import preset
from engine.errors import EngineError, UsageError
from engine.records import RunRecord

NOT_COMPARED = ("train.seed", "data.path")
"""Never part of a preset."""
SAMPLE, SAMPLE_NAME = "sample", "Sample shop"
"""The path that stands for the bundled shop, and what people call it."""
NAMED = 2
"""More differences than these are counted, not named."""


@cache
def preset_values(name: str) -> Mapping[str, Any]:
    """Path → value of a preset, as a run stores it; empty for a name that no preset has any more."""
    try:
        return flat(preset(name).config.model_dump(mode="json"))
    except UsageError:
        return {}


@cache
def begun_values(name: str, model: str) -> Mapping[str, Any]:
    """`preset_values` with another model, and what that brings with itself: what a run of it started from. As they are
    with the preset's own model, and with one that is no longer there."""
    values = preset_values(name)
    if not values or not model or values["model.name"] == model:
        return values
    for begun in (preset(name).config, with_fidelity(preset(name).config, "paper")):
        try:
            return flat(begun.replace({"model.name": model}).model_dump(mode="json"))
        except EngineError:  # what the published code does may ask of a model what it cannot do
            continue
    return values


def other_model(record: RunRecord) -> str:
    """The label of the run's model, where its preset has another one; empty otherwise."""
    values, model = preset_values(record.preset), model_name(record.config)
    return model_label(model) if values and model and values["model.name"] != model else ""


def model_label(model: str) -> str:
    """A model's label without what it says in parentheses; the name of one that is no longer there.

    >>> model_label("gru4rec"), model_label("transformer"), model_label("gone")
    ('GRU4Rec', 'Transformer', 'gone')
    """
    try:
        return registry.entry("model", model).label.partition(" (")[0]
    except EngineError:
        return model


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """``section.name`` → value of a stored configuration."""
    return {
        f"{section}.{name}": value
        for section, values in config.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
    }


def differing(record: RunRecord) -> dict[str, Any]:
    """Path → value of every setting of a run that its preset has otherwise, or has not; none that changes nothing."""
    return _differing(record, preset_values(record.preset))


def _differing(record: RunRecord, base: Mapping[str, Any]) -> dict[str, Any]:
    if not base:
        return {}
    changed = {
        path: value
        for path, value in flat(record.config).items()
        if (path not in base or base[path] != value) and path not in NOT_COMPARED
    }
    if not changed:
        return {}
    is_nothing = changes_nothing(record.config)
    return {path: value for path, value in changed.items() if not is_nothing(path)}


def plain(value: Any) -> str:
    """A setting's value as it is read.

    >>> plain(True), plain(0.1), plain(None)
    ('yes', '0.1', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def configuration_name(record: RunRecord, *, with_preset: bool = False) -> str:
    """``sample · epochs 6``: short enough for a row; the same for all seeds of one configuration. Of another model than
    the preset's, ``GRU4Rec · from sample · epochs 6``: what that model brings is no difference.

    A given name stands for the preset, ``mine · epochs 6``, or before it, ``with_preset``. A run without a preset, or
    of one that is gone, keeps the name that the store has for it.
    """
    given = given_name(record)
    if not preset_values(record.preset):
        return given or record.name or record.id
    changed = _differing(record, begun_values(record.preset, model_name(record.config)))
    label = other_model(record)
    began = [label, f"from {record.preset}"] if label else [record.preset]
    front = [given, *(began if with_preset else filter(None, [label]))] if given else began
    changed.pop("model.name", None)  # left over where the model is no longer there: the label says it
    if len(changed) <= NAMED:
        middle = [f"{path.split('.')[1].replace('_', ' ')} {plain(value)}" for path, value in changed.items()]
    else:
        middle = [f"{len(changed)} settings changed"]
    return " · ".join([*dict.fromkeys(front), *middle])


def given_name(record: RunRecord) -> str:
    """The name that somebody gave the run, as ``coserec train --name`` does; empty where the store's was made from the
    settings (`ExperimentConfig.short`)."""
    model = model_name(record.config)
    made = re.escape(model) + (rf"( \d+\+)?( λ=[\d.e-]+)? seed {record.seed}" if trains(model) else "")
    return "" if re.fullmatch(made, record.name) else record.name


def nobodys_name(record: RunRecord) -> str:
    """Its configuration's name as if nobody had given it one; without a preset, or of one that is gone, its model's."""
    if not preset_values(record.preset):
        return model_label(model_name(record.config))
    return configuration_name(replace(record, name=""))


def run_name(record: RunRecord) -> str:
    """``sample · epochs 6 · seed 1``: its configuration's name with its seed, if it has one and does not say it."""
    name, given = configuration_name(record), given_name(record)
    is_told = (given or name).endswith(f"seed {record.seed}") or not has_seeds(record.config)
    return f"{name} · seed {record.seed}" if (preset_values(record.preset) or given) and not is_told else name


def dataset_name(record: RunRecord) -> str:
    """The data's name as people call it: the bundled shop by its own."""
    section: Any = record.config.get("data", {})
    is_sample = isinstance(section, Mapping) and section.get("path") == SAMPLE
    return SAMPLE_NAME if is_sample else record.dataset
