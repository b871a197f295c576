"""The language of the runs' filter: words, ``tag:paper``, ``state:finished``, ``data:Beauty``, ``NDCG@10>.03``.

All parts must hold; ``-word`` and ``-tag:x`` must not. A comparison takes a test metric (``HR@5``), a validation metric
(``valid/NDCG@20``), ``seed``, ``epoch``, ``epochs``, ``best``, ``minutes``, or any setting by its path or, where only
one has it, by its name (``augment.crop_rate>=.2``, ``max_length=50``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.config import KS, ExperimentConfig, fields_of
from engine.records import RunRecord
from engine.records.query import OPERATORS, Comparison, QueryError, parse
from workbench.item_models.run_columns import model_name
from workbench.run_book import RunBook
from workbench.run_names import dataset_name

METRICS = (*(f"{kind}@{k}" for kind in ("HR", "NDCG") for k in KS), "MRR")
_KEYED = re.compile(r"^(-?)(tag|state|status|data|model|preset|note):(.*)$", re.IGNORECASE)

_TEXTS: dict[str, Callable[[RunRecord, RunBook], str]] = {
    "state": lambda record, _: record.status.value,
    "status": lambda record, _: record.status.value,
    "data": lambda record, _: f"{record.dataset} {dataset_name(record)}",
    "model": lambda record, _: model_name(record),
    "preset": lambda record, _: record.preset,
    "note": lambda record, book: book.marks(record.id).note,
}


def _minutes(record: RunRecord) -> float | None:
    if record.started_at is None or record.ended_at is None:
        return None
    return (record.ended_at - record.started_at).total_seconds() / 60


_NUMBERS: dict[str, Callable[[RunRecord], Any]] = {
    "seed": lambda record: record.seed,
    "epoch": lambda record: record.epoch + 1 if record.attempt else None,
    "epochs": lambda record: record.epochs,
    "best": lambda record: None if record.best_epoch is None else record.best_epoch + 1,
    "minutes": _minutes,
}


def _metric(split: str, name: str) -> Callable[[RunRecord], Any]:
    return lambda record: record.metrics.get(split, {}).get(name)


for _name in METRICS:
    _NUMBERS[_name.casefold()] = _metric("test", _name)
    for _split in ("test", "valid"):
        _NUMBERS[f"{_split}/{_name}".casefold()] = _metric(_split, _name)


def _setting(path: str) -> Callable[[RunRecord], Any]:
    section, _, name = path.partition(".")

    def value(record: RunRecord) -> Any:
        held: Any = record.config.get(section)
        return held.get(name) if hasattr(held, "get") else None

    return value


def _settings() -> dict[str, Callable[[RunRecord], Any]]:
    paths = [info.path for info in fields_of(ExperimentConfig()) if info.annotation in (int, float, bool)]
    names = [path.partition(".")[2] for path in paths]
    found = {path: _setting(path) for path in paths}
    found |= {name: _setting(path) for path, name in zip(paths, names, strict=True) if names.count(name) == 1}
    return found


@dataclass(frozen=True)
class RunFilter:
    """``tests`` are asked of a record and the book; ``words`` must stand in a run's text, ``unwanted`` must not."""

    words: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    tests: tuple[Callable[[RunRecord, RunBook], bool], ...] = ()

    def __call__(self, run_id: str, book: RunBook) -> bool:
        line = book.line(run_id)
        text = line.text
        if not (all(word in text for word in self.words) and not any(word in text for word in self.unwanted)):
            return False
        return all(test(line.record, book) for test in self.tests)

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.unwanted or self.tests)


def parse_filter(text: str) -> RunFilter:
    """The filter that ``text`` is. Raises `QueryError` with a sentence."""
    numbers = _settings() | _NUMBERS
    rest: list[str] = []
    tests: list[Callable[[RunRecord, RunBook], bool]] = []
    # A tag may have spaces: tag:"seed sweep".
    for part in re.findall(r'-?\w+:"[^"]*"|\S+', text):
        keyed = _KEYED.match(part)
        if keyed is None:
            rest.append(part)
        else:
            tests.append(_keyed_test(keyed[1] == "-", keyed[2].lower(), keyed[3].strip('"').lower()))
    try:
        query = parse(" ".join(rest), list(numbers))
    except QueryError as error:
        if "There is no column" not in str(error):
            raise
        raise QueryError(
            f"{str(error).split('.')[0]}. Compare a metric (NDCG@10>.03), seed, epoch, minutes or a setting."
        ) from None
    tests += [_comparison_test(part, numbers[part.column]) for part in query.comparisons]
    words = [word.lower() for word in query.words]
    wanted = tuple(word for word in words if not (word.startswith("-") and len(word) > 1))
    unwanted = tuple(word[1:] for word in words if word.startswith("-") and len(word) > 1)
    return RunFilter(wanted, unwanted, tuple(tests))


def _keyed_test(is_denied: bool, key: str, value: str) -> Callable[[RunRecord, RunBook], bool]:
    def is_tagged(record: RunRecord, book: RunBook) -> bool:
        tags = [tag.lower() for tag in book.marks(record.id).tags]
        return (any(value in tag for tag in tags) if value else bool(tags)) != is_denied

    def is_said(record: RunRecord, book: RunBook) -> bool:
        return (value in _TEXTS[key](record, book).lower()) != is_denied

    return is_tagged if key == "tag" else is_said


def _comparison_test(part: Comparison, of: Callable[[RunRecord], Any]) -> Callable[[RunRecord, RunBook], bool]:
    compare = OPERATORS[part.sign]

    def holds(record: RunRecord, _: RunBook) -> bool:
        value = of(record)
        return isinstance(value, (int, float)) and bool(compare(value, part.value))

    return holds
