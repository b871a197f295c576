"""Runs on the same data that differ in their seed alone, or in what changes nothing, are one group: mean ± std over
seeds is taken over it.

Of a group, each seed counts once (`once_a_seed`): a run that was made again is no other seed, and would make the
deviation over seeds too small. A model that does not train has no seeds at all, nor settings of training.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from engine import registry
from engine.config.experiment import SECTIONS, ExperimentConfig, model_section
from engine.config.fitting import Chosen, chosen_by, without_effect
from engine.config.stages import makes_views_as_stored, pretrain_epochs_of
from engine.errors import ConfigurationError
from engine.records import RunRecord, RunStatus

_NAMED = 3
"""Runs that a sentence names; more are counted."""


def group_key(config: Mapping[str, Any]) -> str:
    """Canonical JSON of a stored configuration without ``train.seed`` and ``data.path``, as far as it counts
    (`counting`).

    Where a file lies says nothing of a run, and is another place on another machine: what the data are, a run's
    fingerprint says, and who groups runs asks for it too.

    A configuration that today's code no longer parses has its key too.

    >>> group_key({"train": {"seed": 1}}) == group_key({"train": {"seed": 2, "batch_size": 256}})
    True
    """
    tree = counting(config)
    for section, name in (("train", "seed"), ("data", "path")):
        if isinstance(tree.get(section), Mapping):
            tree[section] = {key: value for key, value in tree[section].items() if key != name}
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), default=str)


def counting(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration `filled`, without the settings that change nothing in it: what tells runs apart."""
    tree = filled(config)
    whole, single = _left_out(*_decides(tree))
    for section in whole:
        tree.pop(section, None)
    for section, names in single.items():
        values = tree.get(section)
        if isinstance(values, Mapping):
            tree[section] = {name: value for name, value in values.items() if name not in names}
    return tree


def changes_nothing(config: Mapping[str, Any]) -> Callable[[str], bool]:
    """Whether a setting of this stored configuration, by its dotted path, has no part in what the run is."""
    whole, single = _left_out(*_decides(filled(config)))

    def asked(path: str) -> bool:
        section, _, name = path.partition(".")
        return section in whole or name in single.get(section, ())

    return asked


def filled(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the settings that it does not have yet, because they are newer, at their defaults: that is
    what it was trained by, and how it would be read today. Everything else is left as it is stored."""
    defaults = _defaults(model_name(config))
    return {
        section: {**defaults.get(section, {}), **values} if isinstance(values, Mapping) else values
        for section, values in config.items()
    }


def has_seeds(config: Mapping[str, Any]) -> bool:
    """Whether another seed can give another result: not where nothing trains and no noise is drawn for the test."""
    if trains(model_name(config)):
        return True
    evaluate = config.get("evaluate")
    return bool(isinstance(evaluate, Mapping) and evaluate.get("noise_rate"))


def seed_of(record: RunRecord) -> int | None:
    """The run's seed; None where it has no use for one."""
    return record.seed if has_seeds(record.config) else None


def seeds_for(config: Mapping[str, Any], seeds: Sequence[int]) -> tuple[int, ...]:
    """Those of the seeds that are worth a run each: all, or one where it changes nothing."""
    return tuple(seeds if has_seeds(config) else seeds[:1])


def once_a_seed(
    records: Sequence[RunRecord], seed: Callable[[RunRecord], int | None] = seed_of
) -> tuple[RunRecord, ...]:
    """Of one group's runs those that count, in their order: of each seed the newest finished one.

    Where none of a seed has finished, the newest with metrics counts, then the newest.
    """
    seeds = [seed(record) for record in records]
    if len(set(seeds)) == len(seeds):
        return tuple(records)
    best: dict[int | None, RunRecord] = {}
    for key, record in zip(seeds, records, strict=True):
        if key not in best or _worth(record) > _worth(best[key]):
            best[key] = record
    return tuple(record for key, record in zip(seeds, records, strict=True) if best[key] is record)


def left_out(every: Sequence[RunRecord], kept: Sequence[RunRecord]) -> tuple[RunRecord, ...]:
    """The runs of a group that do not count (`once_a_seed`)."""
    ids = {record.id for record in kept}
    return tuple(record for record in every if record.id not in ids)


def left_out_words(every: Sequence[RunRecord], kept: Sequence[RunRecord]) -> str:
    """Which runs of a group do not count, and why, in a sentence; empty where all do."""
    gone = left_out(every, kept)
    if not gone:
        return ""
    ids = ", ".join(record.id for record in gone[:_NAMED])
    more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
    subject = f"Run {ids} is" if len(gone) == 1 else f"Runs {ids}{more} are"
    seeds = sorted({record.seed for record in gone})
    if not has_seeds(gone[0].config):
        return f"{subject} left out: without training every run is the same, and the newest, {kept[0].id}, is enough."
    if len(seeds) > 1:
        return f"{subject} left out: each seed counts once, by its newest finished run."
    instead = next(record.id for record in kept if record.seed == seeds[0])
    return f"{subject} left out: seed {seeds[0]} counts once, by its newest finished run, {instead}."


def _worth(record: RunRecord) -> tuple[Any, ...]:
    is_finished = record.status is RunStatus.FINISHED
    return is_finished, bool(record.metrics), record.ended_at or record.created_at, record.id


def model_name(config: Mapping[str, Any]) -> str:
    """Of a stored configuration; empty where it names none."""
    model = config.get("model")
    return str(model.get("name", "")) if isinstance(model, Mapping) else ""


@cache
def trains(model: str) -> bool:
    """Whether it trains; a model that is no longer there did."""
    try:
        return bool(registry.entry("model", model).facts["trains"])
    except ConfigurationError:
        return True


def _decides(tree: Mapping[str, Any]) -> tuple[str, bool, Chosen, bool]:
    """What of a stored configuration says which settings change nothing: its model, views, plugins, pre-training."""

    def stored(path: str) -> Any:
        section, _, name = path.partition(".")
        part = tree.get(section)
        return part.get(name, "") if isinstance(part, Mapping) else ""

    return model_name(tree), makes_views_as_stored(tree), chosen_by(stored), bool(pretrain_epochs_of(tree))


@cache
def _left_out(
    model: str, has_views: bool, chosen: Chosen, is_pretrained: bool
) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Whole sections, and section → settings, that are no part of a group's key."""
    found: Mapping[str, str] = {}
    with suppress(ConfigurationError, ValueError):  # one that is no longer there: all is kept
        found = without_effect(model, has_views, chosen, is_pretrained)
    single: dict[str, set[str]] = {}
    whole = frozenset(path for path in found if "." not in path) | ({"train"} if not trains(model) else set())
    for path in found:
        section, dot, name = path.partition(".")
        if dot and section not in whole:
            single.setdefault(section, set()).add(name)
    return whole, {section: frozenset(names) for section, names in single.items()}


@cache
def _defaults(model: str) -> dict[str, dict[str, Any]]:
    tree = ExperimentConfig().model_dump(mode="json")
    found = {section: dict(tree[section]) for section in SECTIONS if section != "model"}
    with suppress(ConfigurationError):  # a model that is no longer there: its section stays as it is
        found["model"] = model_section(model)(name=model).model_dump(mode="json")
    return found
