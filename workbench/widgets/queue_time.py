"""How long what trains and what waits still takes: by phase of a run, for each waiting run, for the whole queue.

From what is recorded: a training run's own epochs, and for a waiting one the pace of the latest run of the same data
set, recommender, pre-training and device that has ended. Where there is none, nothing is claimed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.config import ExperimentConfig, duration_text, epochs_text, pretrain_epochs_of, view_epochs
from engine.records import RunRecord, RunStatus
from workbench.item_models.run_columns import model_name
from workbench.run_book import RunBook

PACE_OF = 5
"""Epochs whose mean is the present pace."""
PaceOf = Callable[[RunRecord], float | None]
"""Seconds of an epoch of a run that has finished; `workbench.paces.Paces.of` knows them best."""


def _setting(record: RunRecord, section: str, name: str) -> Any:
    held: Any = record.config.get(section)
    return held.get(name) if isinstance(held, Mapping) else None


def phases_text(record: RunRecord, book: RunBook) -> str:
    """``Left at the present pace: training 3 min, validation 40 s, then the test``; nothing before an epoch, and
    while it stops."""
    if record.status is not RunStatus.RUNNING or record.stop_requested:
        return ""
    done = len(book.curve(record.id, "time/train_seconds")[1])
    before = pretrain_epochs_of(record.config)
    ahead = max(record.epochs - done, 0)
    if not done or not ahead:
        return ""
    usual = {}
    for name in ("train", "validate"):
        _, values = book.curve(record.id, f"time/{name}_seconds")
        own = values[before:] if done > before else values  # an epoch of pre-training tells nothing of a validated one
        usual[name] = float(np.median(own[-PACE_OF:]))  # in one of them the computer may have slept
    if done <= before:
        then = f"at most {epochs_text(record.epochs - before)} of fine-tuning, whose pace is not known yet."
        if done == before:
            return f"Left: {then}"
        left = f"{epochs_text(before - done)} of pre-training: {duration_text((before - done) * usual['train'])}"
        return f"Left at the present pace, {left}; then {then}"
    parts = [
        f"training {duration_text(ahead * usual['train'])}",
        f"validation {duration_text(ahead * usual['validate'])}",
    ]
    start, views = _setting(record, "similarity", "hybrid_after_epoch"), view_epochs(record.config, record.epochs)
    if record.hybrid_started is False and isinstance(start, int) and done <= views.start + start < views.stop:
        parts.append(f"of it {epochs_text(views.stop - views.start - start)} with the hybrid, slower than these")
    return f"Left at the present pace, {epochs_text(ahead)}: {', '.join(parts)}; then the test."


def _kind(record: RunRecord) -> tuple[Any, ...]:
    device, before = _setting(record, "train", "device"), pretrain_epochs_of(record.config)
    return record.fingerprint, model_name(record), device, before


def seconds_an_epoch(record: RunRecord) -> float | None:
    """The mean, of a run that was done in one go; None for others, whose times hold waiting too."""
    if record.started_at is None or record.ended_at is None or record.attempt != 1:
        return None
    return (record.ended_at - record.started_at).total_seconds() / max(record.epoch + 1, 1)


def paces(book: RunBook, pace_of: PaceOf = seconds_an_epoch) -> dict[tuple[Any, ...], float]:
    """Seconds of an epoch by data, recommender and device: of the latest run that finished."""
    found: dict[tuple[Any, ...], float] = {}
    for record in book.with_status(RunStatus.FINISHED):
        key = _kind(record)
        if key not in found and (seconds := pace_of(record)) is not None:
            found[key] = seconds
    return found


def earlier_pace(book: RunBook, config: ExperimentConfig, pace_of: PaceOf = seconds_an_epoch) -> float | None:
    """Seconds of an epoch of the latest finished run of the same data, recommender, size and device; None without."""
    wanted = config.model_dump(mode="json")
    same = ("hidden_size", "layers", "max_length")
    for record in book.with_status(RunStatus.FINISHED):
        if seconds_an_epoch(record) is None:
            continue
        model = record.config.get("model") or {}
        is_alike = (
            model_name(record) == config.model.name
            and _setting(record, "data", "path") == config.data.path
            and _setting(record, "train", "device") == config.train.device
            and _setting(record, "train", "batch_size") == config.train.batch_size
            and pretrain_epochs_of(record.config) == config.train.pretrain_epochs
            and all(model.get(name) == wanted["model"].get(name) for name in same)
        )
        if is_alike:
            return pace_of(record)
    return None


def waiting_seconds(record: RunRecord, pace: Mapping[tuple[Any, ...], float]) -> float | None:
    """What a waiting run will take if it does not stop early; None where no run like it has ended."""
    each = pace.get(_kind(record))
    return None if each is None else each * record.epochs


def queue_seconds(book: RunBook, pace: Mapping[tuple[Any, ...], float], at_once: int = 1) -> tuple[float, int]:
    """Seconds until the queue is empty, ``at_once`` runs side by side; and how many runs cannot be estimated."""
    running = book.with_status(RunStatus.RUNNING)
    running = [record for record in running if not record.stop_requested]  # what stops is gone in a moment
    unknown = sum(record.seconds_left is None for record in running)
    ends = [record.seconds_left or 0.0 for record in running]
    ends += [0.0] * max(at_once - len(ends), 0)
    heapq.heapify(ends)
    for record in book.waiting:
        seconds = waiting_seconds(record, pace)
        unknown += seconds is None
        heapq.heappush(ends, heapq.heappop(ends) + (seconds or 0.0))
    return max(ends, default=0.0), unknown


def queue_text(book: RunBook, pace_of: PaceOf = seconds_an_epoch) -> str:
    """``2 training · 5 waiting · about 40 min left``; says where some could not be estimated."""
    running, waiting = len(book.with_status(RunStatus.RUNNING)), len(book.waiting)
    if not running and not waiting:
        return ""
    seconds, unknown = queue_seconds(book, paces(book, pace_of), max([1, *book.queue.at_once.values()]))
    parts = [f"{running} training", f"{waiting} waiting"]
    if unknown < running + waiting:
        more = f", and {unknown} that cannot be estimated" if unknown else ""
        parts.append(f"at most {duration_text(seconds)} left{more}")
    return " · ".join(parts)
