"""The data of a stored run, as long as they are still what it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.config.naming import flat
from engine.data.dataset import SAMPLE, Dataset, load
from engine.data.importing import stored
from engine.data.importing.words import preprocessing_in_words
from engine.errors import EngineError, UsageError
from engine.records import RunRecord


def data_of(record: RunRecord) -> Dataset:
    """The data set that the run's configuration names. Raises ``UsageError`` where it is gone or has changed."""
    try:
        dataset = load(str(flat(record.config).get("data.path", "")))
    except EngineError as error:
        raise UsageError(f"The runs' data set cannot be read: {error.message}", error.hint) from None
    if dataset.fingerprint != record.fingerprint:
        raise UsageError(
            f"{dataset.path} has changed since run {record.id} was trained on it.", "Put the file back as it was."
        )
    return dataset


def preprocessing_of(record: RunRecord) -> str:
    """How the run's data were made of a file, as far as it is known: of a file that is read as it is, only that.

    It is read from ``import.json`` beside the data, and believed where that is of the data that the run was trained on.
    """
    path = str(flat(record.config).get("data.path", ""))
    if path == SAMPLE or Path(path).suffix.lower() != stored.SUFFIX:
        return f"none here: {'the sample' if path == SAMPLE else Path(path).name} is read as it is"
    facts = stored.facts_of(Path(path).expanduser().parent)
    if facts is None:
        return f"unknown: there is no {stored.FACTS} beside the data"
    if facts.get("fingerprint") != record.fingerprint:
        return f"unknown: the {stored.FACTS} beside the data is of other data"
    return preprocessing_in_words(facts)


def refuse_other_data(records: Sequence[RunRecord]) -> None:
    """Raises ``UsageError`` that names two runs of different data: they know no user in common."""
    for record in records[1:]:
        if record.fingerprint != records[0].fingerprint:
            one, other = (f"{run.dataset} ({run.fingerprint})" for run in (records[0], record))
            raise UsageError(
                f"Runs {records[0].id} and {record.id} are of different data: {one} and {other}.",
                "Choose runs of one data set.",
            )
