"""Stored runs as groups: what one is called, what it has otherwise than the others, whether all were ranked alike."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from engine.config import ExperimentConfig, fields_of, preset, presets
from engine.config.experiment import SettingInfo
from engine.config.grouping import (
    changes_nothing,
    counting,
    filled,
    group_key,
    has_seeds,
    left_out,
    left_out_words,
    once_a_seed,
)
from engine.config.naming import begun_values, flat, given_name, other_model, plain, preset_values
from engine.errors import UsageError
from engine.records import ComparedChoice, ComparedGroup, RunRecord, RunStatus, SettingDifference

Group = tuple[RunRecord, ...]
NAMED = 3
"""Differing settings that a label names."""
_UNTOLD = ("train.seed", "data.path")
"""Never named: a group is of many seeds, and where a file lies says nothing about a model."""
_WEIGHT = "loss.contrastive_weight"
PROTOCOL = {
    "evaluate.seen_items": "seen items",
    "evaluate.ties": "ties",
    "evaluate.noise_rate": "test noise",
    "fidelity.rank_special_tokens": "padding and mask ranked",
}
"""Settings that must be alike, beside the data, for two runs' metrics to be one measure (FACTS F2, F3, F18)."""
DATA = "data"


@cache
def known_settings() -> Mapping[str, SettingInfo]:
    """Path → field of today's configuration."""
    return {info.path: info for info in fields_of(ExperimentConfig())}


def grouped(records: Sequence[RunRecord]) -> tuple[Group, ...]:
    """The runs in groups that differ in the seed alone, in the order of the first of each."""
    found: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        found.setdefault((record.fingerprint, group_key(record.config)), []).append(record)
    return tuple(tuple(members) for members in found.values())


def config_hash(config: Mapping[str, Any]) -> str:
    """12 hexadecimal digits of a stored configuration without its seed."""
    return hashlib.sha256(group_key(config).encode()).hexdigest()[:12]


def described(groups: Sequence[Group], labels: Sequence[str] = ()) -> tuple[ComparedGroup, ...]:
    """The groups as records; ``labels`` replace the names that are made for them, where they are not empty."""
    made = _labels(groups)
    given = [*labels, *[""] * len(groups)]
    return tuple(
        ComparedGroup(
            label=given[place] or made[place].whole,
            run_ids=tuple(record.id for record in group),
            seeds=tuple(record.seed for record in group),
            dataset=group[0].dataset,
            fingerprint=group[0].fingerprint,
            config_hash=config_hash(group[0].config),
            model=str(flat(group[0].config).get("model.name", "")),
            preset=group[0].preset,
            epochs=tuple(epochs_trained(record) for record in group),
            minutes=tuple(None if record.train_seconds is None else record.train_seconds / 60 for record in group),
            out_of_time=sum(record.ended_by == "time" for record in group),
            has_seeds=has_seeds(group[0].config),
            unfinished=sum(record.status is not RunStatus.FINISHED for record in group),
            told_first="" if given[place] else made[place].told_first,
        )
        for place, group in enumerate(groups)
    )


def epochs_trained(record: RunRecord) -> int:
    """Epochs that a run has trained; what does not train has a best epoch neither."""
    return 0 if record.best_epoch is None else record.epoch + 1


@dataclass(frozen=True)
class _Label:
    """A group's name in parts: what its namesakes are called too, the ``words`` that tell it from them, and its first
    run's id where even they do not. ``base`` is empty where all groups have it."""

    base: str
    words: tuple[str, ...] = ()
    run_id: str = ""

    @property
    def whole(self) -> str:
        name = ", ".join(filter(None, [self.base, *self.words]))
        return f"{name} · {self.run_id}" if self.run_id else name

    @property
    def told_first(self) -> str:
        front = [self.run_id, ", ".join(self.words)]
        return " · ".join(filter(None, [*front, self.base])) if any(front) else ""


def _labels(groups: Sequence[Group]) -> list[_Label]:
    """A name for each group, another one for each of one data set: on several, what has one name is one model."""
    names = [_Label("")] * len(groups)
    for fingerprint in dict.fromkeys(group[0].fingerprint for group in groups):
        places = [place for place, group in enumerate(groups) if group[0].fingerprint == fingerprint]
        for place, name in zip(places, _labels_on_one([groups[place] for place in places]), strict=True):
            names[place] = name
    return names


def _labels_on_one(groups: Sequence[Group]) -> list[_Label]:
    """A name for each group: its own or its preset's, with what it has otherwise than its namesakes; of one name, that
    alone."""
    bases = [_base(group) for group in groups]
    is_one = len(groups) > 1 and len(set(bases)) == 1
    names = [_Label(base) for base in bases]
    for base in dict.fromkeys(bases):
        places = [place for place, name in enumerate(bases) if name == base]
        if len(places) < 2:
            continue
        for place, words in zip(places, _telling_words([groups[place] for place in places]), strict=True):
            names[place] = _Label("" if is_one and words else base, words)
    # Another seed of one group, or more differences than a label names.
    wholes = [name.whole for name in names]
    return [
        replace(name, run_id=group[0].id) if wholes.count(name.whole) > 1 else name
        for name, group in zip(names, groups, strict=True)
    ]


def _telling_words(groups: Sequence[Group]) -> list[tuple[str, ...]]:
    """What each of several namesakes has otherwise, ``d 16``, first the settings that tell the most of them apart: a
    name names few, and where there is no room, the last are cut."""
    told = [item for item in differences(groups) if _is_telling(item)]
    told.sort(key=lambda item: -len({str(value) for value in item.values}))
    made = []
    for number, group in enumerate(groups):
        is_nothing = changes_nothing(group[0].config)
        own = [item for item in told if not is_nothing(item.path)]
        made.append(tuple(f"{_short(item.path)} {_words(item.path, item.values[number])}" for item in own[:NAMED]))
    return made


def _is_telling(item: SettingDifference) -> bool:
    """Whether a label should name it: not what an older configuration merely does not say."""
    return _is_spoken_of(item.path) and None not in item.values


def _base(group: Group) -> str:
    """The name that somebody gave all of the group. Else the title of its preset, or of another one that has just the
    settings that were tried over it; its model's label where the preset has another model."""
    return _given(group) or _title(group[0])


def _title(record: RunRecord) -> str:
    """What nobody has named is called."""
    try:
        begun = preset(record.preset) if record.preset else None
    except UsageError:
        return record.preset
    if begun is None:
        return record.name or record.id
    told = _told(record)
    alike = (item.title for item in (begun, *presets()) if not _otherwise(told, preset_values(item.name)))
    return next(alike, _by_model(record) or begun.title)


def _given(group: Group) -> str:
    """The name that somebody gave all of the group; empty where there is none, or more than one."""
    names = {given_name(record) for record in group}
    return names.pop() if len(names) == 1 else ""


def _by_model(record: RunRecord) -> str:
    """What a run of another model than its preset's is called: its model's label, with λ where it compares views, for
    the label alone stands for the model without them. Empty for a run of its preset's model."""
    label, weight = other_model(record), flat(counting(record.config)).get(_WEIGHT)
    return f"{label}, {_short(_WEIGHT)} {plain(weight)}" if label and weight else label


def _told(record: RunRecord) -> dict[str, Any]:
    """Path → value of the settings that a name ever speaks of: those that change something."""
    return {path: value for path, value in flat(counting(record.config)).items() if _is_spoken_of(path)}


def _is_spoken_of(path: str) -> bool:
    return path not in _UNTOLD and not path.startswith("train.checkpoint")


def _otherwise(told: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Those that ``base`` has otherwise."""
    return {path: value for path, value in told.items() if base.get(path) != value}


def _short(path: str) -> str:
    """A setting's symbol, or its label, in a name."""
    info = known_settings().get(path)
    return (info.symbol or info.label.lower()) if info else path


def _words(path: str, value: Any) -> str:
    info = known_settings().get(path)
    return info.zero if info and info.zero and value == 0 else plain(value)


def choices(records: Sequence[RunRecord]) -> tuple[ComparedChoice, ...]:
    """The runs with test metrics in groups of one configuration, in the order of ``records``, named by themselves.

    A name is the given one, or the preset's, with what the run has otherwise; the seeds of a group ascend, each counted
    once.
    """
    from engine.evaluation.significance import mean_and_std  # scipy's second is not for who only lists runs

    made = []
    for group in grouped([record for record in records if record.metrics.get("test")]):
        every = tuple(sorted(group, key=lambda record: record.seed))
        group = once_a_seed(every)
        names = list(group[0].metrics["test"])
        found = {
            name: mean_and_std([record.metrics["test"][name] for record in group if name in record.metrics["test"]])
            for name in names
        }
        made.append(
            ComparedChoice(
                label=_own_label(group),
                run_ids=tuple(record.id for record in group),
                seeds=tuple(record.seed for record in group),
                dataset=group[0].dataset,
                fingerprint=group[0].fingerprint,
                protocol=json.dumps(protocol_of(group[0]), default=str),
                metrics={name: mean for name, (mean, _) in found.items()},
                stds={name: std for name, (_, std) in found.items() if std is not None},
                left_out=tuple(record.id for record in left_out(every, group)),
                note=left_out_words(every, group),
                unfinished={r.id: str(r.status) for r in group if r.status is not RunStatus.FINISHED},
            )
        )
    return tuple(_told_apart(made))


def _told_apart(made: Sequence[ComparedChoice]) -> Iterator[ComparedChoice]:
    """Those that one name was given to, though nothing that it speaks of differs, with their first run's id."""
    names = Counter((item.fingerprint, item.label) for item in made)
    for item in made:
        is_alone = names[item.fingerprint, item.label] == 1
        yield item if is_alone else replace(item, label=f"{item.label} · {item.run_ids[0]}")


def _own_label(group: Group) -> str:
    """With its title behind a given name, where that is of another model than the preset's."""
    base = _base(group)
    title = _by_model(group[0]) if _given(group) else ""
    return ", ".join(filter(None, [base, title, *_changed(group, base)]))


def _changed(group: Group, base: str) -> list[str]:
    """What a group called ``base`` has otherwise than its preset, or than that with its model, ``epochs 3``, a few
    words at most; nothing where it has none, and where it is called by another one's title."""
    record = group[0]
    by_model = _by_model(record)
    if not preset_values(record.preset) or base not in (_given(group), by_model or preset(record.preset).title):
        return []
    told = {path: value for path, value in _told(record).items() if not (base == by_model and path == _WEIGHT)}
    begun = begun_values(record.preset, str(told["model.name"]))
    words = [f"{_short(path)} {_words(path, value)}" for path, value in _otherwise(told, begun).items()]
    return words if len(words) <= NAMED else [*words[: NAMED - 1], f"{len(words) - NAMED + 1} more settings"]


def unlike_presets(groups: Sequence[Group], labels: Sequence[str]) -> list[str]:
    """Sentences for what groups have otherwise than the preset that they are called by, where their labels do not say
    it: who reads a table takes a preset's title for its settings."""
    found: dict[str, list[str]] = {}
    for group, label in zip(groups, labels, strict=True):
        words = [word for word in _changed(group, _base(group)) if word not in label.split(", ")]
        if words:
            found.setdefault(", ".join(words), []).append(label)
    every = len(groups) if len(groups) > 1 else 0
    return [
        f"Otherwise than in the preset, {words}: {'all of them' if len(named) == every else '; '.join(named)}."
        for words, named in found.items()
    ]


def settings(groups: Sequence[Group]) -> tuple[SettingDifference, ...]:
    """Every setting of the groups, with whether they differ in it; the seed, which they are of many, left out.

    They do not differ in what changes nothing in all of them but one.
    """
    configs = [flat(filled(group[0].config)) for group in groups]
    nothing = [changes_nothing(group[0].config) for group in groups]
    known = known_settings()
    paths = [*known, *(path for config in configs for path in config if path not in known)]
    found = []
    for path in dict.fromkeys(paths):
        values = tuple(config.get(path) for config in configs)
        if path == "train.seed" or all(value is None for value in values):
            continue
        info = known.get(path)
        told = [value for value, is_nothing in zip(values, nothing, strict=True) if not is_nothing(path)]
        differs = any(value != told[0] for value in told[1:])
        words = f"{info.help} ({info.source})" if info else "Not a setting of today's program."
        found.append(SettingDifference(path, info.label if info else path, values, words, differs))
    return tuple(found)


def differences(groups: Sequence[Group]) -> tuple[SettingDifference, ...]:
    """The settings that the groups do not have alike."""
    return tuple(item for item in settings(groups) if item.differs)


def protocol_of(record: RunRecord) -> dict[str, Any]:
    """What the run's metrics were measured by; a setting that its stored configuration lacks has today's default."""
    values = flat(record.config)
    known = known_settings()
    return {DATA: record.fingerprint} | {path: values.get(path, known[path].default) for path in PROTOCOL}


def refuse_unlike(records: Sequence[RunRecord], *, across_data: bool = False) -> None:
    """Raises ``UsageError`` that names the first field in which two runs' protocols differ.

    ``across_data`` allows different data sets: for tables that only set results side by side.
    """
    first = protocol_of(records[0])
    for record in records[1:]:
        for path, value in protocol_of(record).items():
            if value == first[path] or (across_data and path == DATA):
                continue
            if path == DATA:
                what = f"data: {_data_text(records[0])} and {_data_text(record)}"
            else:
                what = f"{PROTOCOL[path]} ({path}): {plain(first[path])} and {plain(value)}"
            raise UsageError(
                f"Runs {_called(records[0])} and {_called(record)} were not evaluated alike; they differ in {what}.",
                "Their metrics are different measures: compare runs of one protocol.",
            )


def _called(record: RunRecord) -> str:
    return f"{record.id} ({_base((record,))})"


def _data_text(record: RunRecord) -> str:
    return f"{record.dataset} ({record.fingerprint})"


def refuse_unmeasured(records: Sequence[RunRecord], split: str) -> None:
    """Raises ``UsageError`` for a run that has no metrics of the split."""
    for record in records:
        if not record.metrics.get(split):
            raise UsageError(
                f"Run {record.id} {record.status.verb} and has no {split} metrics.", "Compare runs that have finished."
            )


def of_ids(find: Any, ids: Sequence[Sequence[str]]) -> tuple[Group, ...]:
    """The groups of runs whose ids, or unambiguous beginnings of them, are ``ids``. Raises ``UsageError``."""
    groups = tuple(tuple(find(run_id) for run_id in members) for members in ids if members)
    if not groups:
        raise UsageError("There is nothing to compare.", "Name a run, or several.")
    seen: set[str] = set()
    for record in (record for group in groups for record in group):
        if record.id in seen:
            raise UsageError(f"Run {record.id} is named twice.", "Name each run once.")
        seen.add(record.id)
    return groups


def seeds_alike(group: Group) -> None:
    """Raises ``UsageError`` where a group's runs differ in more than their seed: their mean would mean nothing."""
    for other in group[1:]:
        if group_key(other.config) != group_key(group[0].config):
            told = [item.path for item in differences([(group[0],), (other,)])]
            raise UsageError(
                f"Runs {group[0].id} and {other.id} cannot be averaged: they differ in {', '.join(told[:3])}.",
                "A group is one configuration with several seeds.",
            )
