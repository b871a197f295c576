"""The language of the runs' filter: words, ``tag:paper``, ``state:finished``, ``data:Beauty``, ``NDCG@10>.03``.

All parts must hold; ``-word`` and ``-tag:x`` must not. A comparison takes a test metric (``HR@5``), a validation metric
(``valid/NDCG@20``), ``seed``, ``epoch``, ``epochs``, ``best``, ``minutes``, or any setting by its path or, where only
one has it, by its name (``augment.crop_rate>=.2``, ``max_length=50``). What a run does not have holds for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.config.experiment import KS, ExperimentConfig, fields_of
from engine.records import RunMarks, RunRecord
from engine.records.query import OPERATORS, Comparison, QueryError, parse

Number = Callable[[RunRecord], Any]
Test = Callable[[RunRecord, RunMarks], bool]
METRICS = (*(f"{kind}@{k}" for kind in ("HR", "NDCG") for k in KS), "MRR")
_KEYED = re.compile(r"^(-?)(tag|state|status|data|model|preset|note):(.*)$", re.IGNORECASE)


Text = Callable[[RunRecord, RunMarks], str]
TEXTS: Mapping[str, Text] = {
    "state": lambda record, _: record.status.value,
    "status": lambda record, _: record.status.value,
    "data": lambda record, _: record.dataset,
    "model": lambda record, _: _model_of(record),
    "preset": lambda record, _: record.preset,
    "note": lambda _, marks: marks.note,
}
"""What ``key:value`` looks into, by its key; ``tag:`` looks into the tags."""


@dataclass(frozen=True)
class RunFilter:
    """``tests`` are asked of a record and its marks; ``words`` must stand in a run's text, ``unwanted`` must not."""

    words: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()

    def is_said(self, text: str) -> bool:
        """Whether a run's text, in small letters, has all words and none of the unwanted ones."""
        return all(word in text for word in self.words) and not any(word in text for word in self.unwanted)

    def holds(self, record: RunRecord, marks: RunMarks) -> bool:
        """Whether all tests hold."""
        return all(test(record, marks) for test in self.tests)

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.unwanted or self.tests)


def parse_filter(text: str, texts: Mapping[str, Text] = TEXTS) -> RunFilter:
    """The filter that ``text`` is. Raises `QueryError` with a sentence."""
    tests: list[Test] = []
    rest: list[str] = []
    # A tag may have spaces: tag:"seed sweep".
    for part in re.findall(r'-?\w+:"[^"]*"|\S+', text):
        keyed = _KEYED.match(part)
        if keyed is None:
            rest.append(part)
        else:
            tests.append(_keyed(keyed[1] == "-", keyed[2].lower(), keyed[3].strip('"').lower(), texts))
    known = numbers()
    try:
        query = parse(" ".join(rest), list(known))
    except QueryError as error:
        if "There is no column" not in str(error):
            raise
        what = str(error).partition(". ")[0]
        raise QueryError(f"{what}. Compare a metric (NDCG@10>.03), seed, epoch, minutes or a setting.") from None
    tests += [_compared(part, known[part.column]) for part in query.comparisons]
    words = [word.lower() for word in query.words]
    unwanted = tuple(word[1:] for word in words if word.startswith("-") and len(word) > 1)
    wanted = tuple(word for word in words if not (word.startswith("-") and len(word) > 1))
    return RunFilter(wanted, unwanted, tuple(tests))


def run_filter(text: str) -> Test:
    """Whether a run with its marks is what ``text`` asks for. Raises `QueryError` with a sentence."""
    wanted = parse_filter(text)

    def holds(record: RunRecord, marks: RunMarks) -> bool:
        said = (record.id, record.name, *(of(record, marks) for of in TEXTS.values()), *marks.tags)
        return wanted.is_said("\n".join(said).lower()) and wanted.holds(record, marks)

    return holds


@cache
def numbers() -> Mapping[str, Number]:
    """What can be compared and sorted by, by its name in lower case: metrics, facts of a run, settings."""
    infos = [info for info in fields_of(ExperimentConfig()) if info.annotation in (int, float, bool)]
    paths = [info.path for info in infos]
    names = [path.partition(".")[2] for path in paths]
    found = {path: _setting(path) for path in paths}
    found |= {name: _setting(path) for path, name in zip(paths, names, strict=True) if names.count(name) == 1}
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


def _metric(split: str, name: str) -> Number:
    return lambda record: record.metrics.get(split, {}).get(name)


def _setting(path: str) -> Number:
    section, _, name = path.partition(".")

    def value(record: RunRecord) -> Any:
        held: Any = record.config.get(section)
        return held.get(name) if isinstance(held, Mapping) else None

    return value


def _minutes(record: RunRecord) -> float | None:
    if record.started_at is None or record.ended_at is None:
        return None
    return (record.ended_at - record.started_at).total_seconds() / 60


def _model_of(record: RunRecord) -> str:
    model = record.config.get("model")
    return str(model.get("name", "")) if isinstance(model, Mapping) else ""


def _keyed(is_denied: bool, key: str, value: str, texts: Mapping[str, Text]) -> Test:
    def is_tagged(_: RunRecord, marks: RunMarks) -> bool:
        return (any(value in tag.lower() for tag in marks.tags) if value else bool(marks.tags)) != is_denied

    def is_said(record: RunRecord, marks: RunMarks) -> bool:
        return (value in texts[key](record, marks).lower()) != is_denied

    return is_tagged if key == "tag" else is_said


def _compared(part: Comparison, of: Number) -> Test:
    compare = OPERATORS[part.sign]

    def holds(record: RunRecord, _: RunMarks) -> bool:
        value = of(record)
        return isinstance(value, (int, float)) and bool(compare(value, part.value))

    return holds
