"""The language of the runs' filter: words, ``tag:paper``, ``state:finished``, ``data:Beauty``, ``NDCG@10>.03``.

All parts must hold; ``-word`` and ``-tag:x`` must not. Words are looked for in all that is said of a run (`run_text`).
A comparison takes a test metric (``HR@5``), a validation metric (``valid/NDCG@20``), ``seed``, ``epoch``, ``epochs``,
``best``, ``minutes``, or any setting of any model, by its path or, where only one section has it, by its name
(``augment.crop_rate>=.2``, ``max_length=50``). What a run does not have holds for nothing.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine import registry
from engine.config.experiment import KS, ExperimentConfig, fields_of, model_section
from engine.config.grouping import model_name
from engine.config.naming import configuration_name, dataset_name, given_name, run_name
from engine.records import RunMarks, RunRecord
from engine.records.query import OPERATORS, Comparison, QueryError, parse

Number = Callable[[RunRecord], float | None]
Test = Callable[[RunRecord, RunMarks], bool]
METRICS = (*(f"{kind}@{k}" for kind in ("HR", "NDCG") for k in KS), "MRR")
_KEYED = re.compile(r"^(-?)(tag|state|status|data|model|preset|note):(.*)$", re.IGNORECASE)


Text = Callable[[RunRecord, RunMarks], str]
TEXTS: Mapping[str, Text] = {
    "state": lambda record, _: record.status.value,
    "status": lambda record, _: record.status.value,
    "data": lambda record, _: f"{record.dataset} {dataset_name(record)}",
    "model": lambda record, _: model_name(record.config),
    "preset": lambda record, _: record.preset,
    "note": lambda _, marks: marks.note,
}
"""What ``key:value`` looks into, by its key; ``tag:`` looks into the tags."""


def record_text(record: RunRecord, name: str = "") -> str:
    """What words look for in a run itself, in small letters. ``name`` is the run's, where it is known already."""
    called = [name or run_name(record)]
    if given_name(record):  # another one says it already, and names are what is expensive
        called.append(configuration_name(record, with_preset=True))
    facts = (*called, record.name, record.id, record.preset, model_name(record.config), f"seed {record.seed}")
    return "\n".join((*facts, record.status.value, record.dataset, dataset_name(record))).lower()


def run_text(record: RunRecord, marks: RunMarks, said: str = "") -> str:
    """All that words look into: the run, its tags and its note. ``said`` is the `record_text`, where it is kept: marks
    change later than a run does."""
    said = said or record_text(record)
    return "\n".join((said, *marks.tags, marks.note)).lower() if marks.tags or marks.note else said


@dataclass(frozen=True)
class RunFilter:
    """``tests`` are asked of a record and its marks; ``words`` must stand in a run's text, ``unwanted`` must not."""

    words: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()

    def keeps(self, record: RunRecord, marks: RunMarks, said: str = "") -> bool:
        """Whether all of it holds. ``said`` is the record's `record_text`, where it was made before."""
        return self._is_said(record, marks, said) and all(test(record, marks) for test in self.tests)

    def _is_said(self, record: RunRecord, marks: RunMarks, said: str) -> bool:
        if not (self.words or self.unwanted):
            return True
        text = run_text(record, marks, said)
        return all(word in text for word in self.words) and not any(word in text for word in self.unwanted)

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.unwanted or self.tests)


def parse_filter(text: str) -> RunFilter:
    """The filter that ``text`` is. Raises `QueryError` with a sentence."""
    tests: list[Test] = []
    rest: list[str] = []
    # A tag may have spaces: tag:"seed sweep".
    for part in re.findall(r'-?\w+:"[^"]*"|\S+', text):
        keyed = _KEYED.match(part)
        if keyed is None:
            rest.append(part)
        else:
            tests.append(_keyed(keyed[1] == "-", keyed[2].lower(), keyed[3].strip('"').lower()))
    try:
        query = parse(" ".join(rest), [*numbers(), *_of_several()])
    except QueryError as error:
        if "There is no column" not in str(error):
            raise
        what = str(error).partition(". ")[0]
        raise QueryError(f"{what}. Compare a metric (NDCG@10>.03), seed, epoch, minutes or a setting.") from None
    tests += [_compared(part, number_named(part.column)) for part in query.comparisons]
    words = [word.lower() for word in query.words]
    unwanted = tuple(word[1:] for word in words if word.startswith("-") and len(word) > 1)
    wanted = tuple(word for word in words if not (word.startswith("-") and len(word) > 1))
    return RunFilter(wanted, unwanted, tuple(tests))


def run_filter(text: str) -> Test:
    """Whether a run with its marks is what ``text`` asks for. Raises `QueryError` with a sentence."""
    return parse_filter(text).keeps


def number_named(name: str) -> Number:
    """What runs are compared and sorted by under this name. Raises `QueryError` with a sentence."""
    key = name.casefold()
    if key in numbers():
        return numbers()[key]
    if paths := _of_several().get(key):
        raise QueryError(f"'{name}' is several settings: write {' or '.join(paths)}.")
    raise QueryError("Name a metric, seed or a setting.")


@cache
def numbers() -> Mapping[str, Number]:
    """What can be compared and sorted by, by its name in lower case: metrics, facts of a run, settings."""
    found = {path: _setting(path) for paths in _paths().values() for path in paths}
    found |= {name: _setting(paths[0]) for name, paths in _paths().items() if len(paths) == 1}
    for name in METRICS:
        found[name.casefold()] = _metric("test", name)
        found |= {f"{split}/{name}".casefold(): _metric(split, name) for split in ("test", "valid")}
    return found | {
        "seed": lambda record: record.seed,
        "epoch": lambda record: record.epoch + 1 if record.attempt else None,
        "epochs": lambda record: record.epochs,
        "best": lambda record: None if record.best_epoch is None else record.best_epoch + 1,
        "minutes": _minutes,
    }


@cache
def _paths() -> Mapping[str, tuple[str, ...]]:
    """Name → paths of the settings that are numbers, or yes and no: of every model, not only of the default one."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    fields = [(info.section, info.name, info.annotation) for info in fields_of(ExperimentConfig())]
    for model in registry.entries("model"):
        own = model_section(model.name).model_fields
        fields += [("model", name, info.annotation) for name, info in own.items()]
    for section, name, annotation in fields:
        if annotation in (int, float, bool):
            found[name][f"{section}.{name}"] = None
    return {name: tuple(paths) for name, paths in found.items()}


@cache
def _of_several() -> Mapping[str, tuple[str, ...]]:
    """Names that settings of several sections have. Every run has an ``augment.mask_rate``, used or not: a bare
    ``mask_rate`` would say of a BERT4Rec something that it was not trained by, so neither is guessed."""
    return {name: paths for name, paths in _paths().items() if len(paths) > 1}


def as_number(value: Any) -> float | None:
    """The value as a number; None for what cannot be compared: a text in an old configuration, NaN, nothing."""
    return float(value) if isinstance(value, (int, float)) and not math.isnan(value) else None


def _metric(split: str, name: str) -> Number:
    return lambda record: as_number(record.metrics.get(split, {}).get(name))


def _setting(path: str) -> Number:
    section, _, name = path.partition(".")

    def value(record: RunRecord) -> float | None:
        held: Any = record.config.get(section)
        return as_number(held.get(name)) if isinstance(held, Mapping) else None

    return value


def _minutes(record: RunRecord) -> float | None:
    if record.started_at is None or record.ended_at is None:
        return None
    return (record.ended_at - record.started_at).total_seconds() / 60


def _keyed(is_denied: bool, key: str, value: str) -> Test:
    def is_tagged(_: RunRecord, marks: RunMarks) -> bool:
        return (any(value in tag.lower() for tag in marks.tags) if value else bool(marks.tags)) != is_denied

    def is_said(record: RunRecord, marks: RunMarks) -> bool:
        return (value in TEXTS[key](record, marks).lower()) != is_denied

    return is_tagged if key == "tag" else is_said


def _compared(part: Comparison, of: Number) -> Test:
    compare = OPERATORS[part.sign]

    def holds(record: RunRecord, _: RunMarks) -> bool:
        value = of(record)
        return value is not None and bool(compare(value, part.value))

    return holds
