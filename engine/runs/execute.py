"""One run, start to end, in the process that was started for it: claim, train, record, end.

Every way out is a status. The claim is one atomic update; after it, this process writes as its attempt only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from engine.config import ExperimentConfig, epochs_text, minutes_text, parse, pretrain_epochs_of, total_epochs
from engine.errors import EngineError, OutOfMemoryError, RunError, StoreError
from engine.paths import BEST_WEIGHTS, CHECKPOINT, file_sha256
from engine.records import PLAIN_KERNELS, PRETRAINING, RunRecord, RunStatus, TrainingResult
from engine.runs import environment, liveness
from engine.runs.files import RANKS, replacing
from engine.runs.recorder import INSIST_SECONDS, Recorder, say, say_trace
from engine.runs.schedule import device_of
from engine.store import Artifact, Ending, Store


@dataclass(frozen=True)
class Tools:
    """What a run is done with; tests pass their own."""

    load: Callable[[str], Any]
    train: Callable[..., TrainingResult]
    asks_for_hybrid: Callable[[ExperimentConfig], bool]
    device: Callable[[ExperimentConfig], str]
    """The device that the configuration gets here, in words. Raises ``ConfigurationError``."""
    share_cores: Callable[[ExperimentConfig, int, int], int]
    """Takes how many runs its device may have at once and the threads this one had before; returns those it has."""
    kernels: Callable[[str], str]
    """Takes what computed the encoder's inner loops before, empty for a new run; returns what does now."""


def engine_tools() -> Tools:
    """The real ones. Imports torch."""
    from engine.data.dataset import load
    from engine.training import device, setup, train
    from engine.training.allocator import keep_freed_memory
    from engine.training.threads import share_cores

    keep_freed_memory()  # this process trains and ends
    return Tools(
        load,
        train,
        setup.asks_for_hybrid,
        lambda config: device.describe(device.resolve(config.train.device)),
        share_cores,
        _choose_kernels,
    )


def _choose_kernels(before: str) -> str:
    """`kernels.choose`, and a word where what was compiled cannot be used."""
    from engine.modules import kernels

    if complaint := kernels.complaint():
        say(complaint)
    return kernels.choose(before)


def execute(
    store: Store, run_id: str, *, tools: Callable[[], Tools] = engine_tools, insist: float = INSIST_SECONDS
) -> int:
    """Claim the run and do it; returns the exit code: 0 finished, stopped or another process's, 1 failed."""
    attempt = store.claim(run_id, liveness.this_process())
    if attempt is None:
        say(f"Run {run_id} is {store.get(run_id).status} already; there is nothing to do here.")
        return 0
    run = store.get(run_id)
    say(f"run {run_id}, attempt {attempt}, pid {os.getpid()} on {run.host}")
    before = pretrain_epochs_of(run.config)
    minutes = run.config.get("train", {}).get("max_minutes", 0.0)
    listener = Recorder(store, run_id, attempt, run.epochs, pretrain_epochs=before, minutes=minutes, insist=insist)
    with listener as recorder, _signals(recorder):
        ending = _ending(store, run, recorder, tools)
        if not recorder.finish(ending):
            return 0 if recorder.is_stale else 1
    say(f"{ending.status}. {ending.message}")
    return int(ending.status is RunStatus.FAILED)


def _ending(store: Store, run: RunRecord, recorder: Recorder, tools: Callable[[], Tools]) -> Ending:
    """Do the run; whatever happens is an ending."""
    try:
        return _do(store, run, recorder, tools)
    except EngineError as error:
        say(f"{type(error).__name__}: {error}")
        say_trace()
        return _failed(store, run, error)
    except MemoryError:
        say_trace()
        return _failed(store, run, _out_of_memory(run))
    except Exception as error:
        say_trace()
        first = (str(error).strip().splitlines() or [""])[0]
        message = f"{type(error).__name__}: {first}" if first else type(error).__name__
        return _failed(store, run, RunError(message, "This is a fault of the program; the log has the full trace."))


def _do(store: Store, run: RunRecord, recorder: Recorder, tools: Callable[[], Tools]) -> Ending:
    machine = environment.hardware() | {name: run.hardware.get(name, "") for name in ("threads", "kernels")}
    recorder.note(phase="preparing", versions=environment.versions(), hardware=machine)
    config = parse(run.config)
    kit = tools()
    device = kit.device(config)
    machine |= {"threads": str(_threads(store, run, config, kit)), "kernels": _kernels(run, kit)}
    many = "" if machine["threads"] == "1" else "s"
    say(f"{device}, {machine['threads']} thread{many}, kernels {machine['kernels']}")
    recorder.note(device=device, hardware=machine)
    if not run.hybrid_started:
        recorder.note(hybrid_started=False if kit.asks_for_hybrid(config) else None)
    dataset = kit.load(config.data.path)
    if dataset.fingerprint != run.fingerprint:
        raise RunError(
            f"{config.data.path} has changed since the run was submitted.",
            "Put the file back as it was, or submit a new run.",
        )
    result = kit.train(config, dataset, listener=recorder, directory=run.directory, resume=run.attempt > 1)
    recorder.history_from(len(result.epochs))
    values: dict[str, Any] = {
        "device": result.device,
        "best_epoch": result.best_epoch,
        "hybrid_started": result.hybrid_started,
        "ended_by": ended_by(result),
        "train_seconds": result.seconds,
    }
    if result.stopped:
        # Half an epoch counts when it is whole; Resume goes on in the middle of it.
        finished = len(result.epochs)
        values |= {"progress": finished / total_epochs(config), "epoch": max(finished - 1, 0), "seconds_left": None}
    else:
        values["progress"] = 1.0
    artifacts, trouble = _artifacts(store, run, result)
    return Ending(
        RunStatus.STOPPED if result.stopped else RunStatus.FINISHED,
        " ".join(filter(None, [describe(config, result), trouble])),
        metrics=result.metrics,
        values=values,
        artifacts=artifacts,
        log_tail=_log_tail(store, run),
    )


def _threads(store: Store, run: RunRecord, config: ExperimentConfig, kit: Tools) -> int:
    """Threads of this attempt: its share of the cores, and where it goes on what it had, for the same sums."""
    goes_on = _goes_on(run)
    had = run.hardware.get("threads", "")
    before = int(had) if goes_on and had.isdecimal() else 0
    # The queue counted it under this name, whatever device it gets.
    at_once = store.desk.state().at_once.get(device_of(run), 1)
    threads = kit.share_cores(config, at_once, before)
    if before not in (0, threads):
        say(f"Goes on with {threads} threads, all that it may have, instead of {before}: sums are rounded differently.")
    elif goes_on and not before:
        say(f"Goes on with {threads} threads; with how many it began is not known, and sums are rounded by it.")
    return threads


def _kernels(run: RunRecord, kit: Tools) -> str:
    """What computes this attempt's inner loops: where it goes on what did before, for the same sums."""
    before = (run.hardware.get("kernels") or PLAIN_KERNELS) if _goes_on(run) else ""
    kernels = kit.kernels(before)
    if before not in ("", kernels):
        say(f"Goes on with kernels {kernels}; those {before} are not to be had here, and sums are rounded differently.")
    return kernels


def _goes_on(run: RunRecord) -> bool:
    """Whether this attempt has sums of an earlier one to go on with."""
    return run.attempt > 1 and (run.directory / CHECKPOINT).is_file()


def ended_by(result: TrainingResult) -> str:
    """Why the training ended, in a word: ``asked``, ``nothing``, ``time``, ``patience`` or ``epochs``."""
    if result.stopped:
        return "asked"
    if result.out_of_time:
        return "time"
    if result.stopped_early:
        return "patience"
    return "epochs" if result.epochs else "nothing"


def describe(config: ExperimentConfig, result: TrainingResult) -> str:
    """How the training ended, in one or two sentences; says where the hybrid phase never began (FACTS F16)."""
    count = len(result.epochs)
    before = sum(report.stage == PRETRAINING for report in result.epochs)
    epochs = epochs_text(count) + (f", {before} of them pre-training" if before else "")
    best = f"; the best was epoch {result.best_epoch + 1}" if result.best_epoch is not None else ""
    if result.stopped:
        text = f"Stopped as asked after {epochs}{best}." if count else "Stopped as asked before the first epoch's end."
    elif not count:
        text = "Evaluated; there was nothing to train."
    elif result.out_of_time:
        steps = f"{result.cut_at:,} step{'' if result.cut_at == 1 else 's'}"
        cut = f", the last one cut after {steps}" * bool(result.cut_at)
        text = f"Ended after its {minutes_text(config.train.max_minutes)}: {epochs}{cut}{best}."
    elif result.stopped_early:
        text = f"Ended after {epochs}, {config.train.patience} without a better validation{best}."
    else:
        text = f"Trained {epochs}{best}."
    if result.hybrid_started is False:
        text += f" The hybrid phase (E = {config.similarity.hybrid_after_epoch}) never began."
    return text


def _failed(store: Store, run: RunRecord, error: EngineError) -> Ending:
    return Ending(RunStatus.FAILED, error.message, error.hint, log_tail=_log_tail(store, run))


def _log_tail(store: Store, run: RunRecord) -> str:
    """The log's last lines; none where it is gone and the store cannot be asked: an end without them is an end."""
    with suppress(StoreError):
        return liveness.log_tail(store, run)
    return ""


def _out_of_memory(run: RunRecord) -> OutOfMemoryError:
    batch = run.config.get("train", {}).get("batch_size", "?")
    length = run.config.get("model", {}).get("max_length", "?")
    return OutOfMemoryError(
        f"The memory ran out with train.batch_size {batch} and model.max_length {length}.",
        "Lower one of the two, or free memory, and resume.",
    )


def _artifacts(store: Store, run: RunRecord, result: TrainingResult) -> tuple[tuple[Artifact, ...], str]:
    """Write the ranks, hash the run's files; a full disk costs the ranks and not the run."""
    trouble = ""
    if result.ranks:
        try:
            _write_ranks(run.directory / RANKS, result)
        except OSError as error:
            trouble = f"The users' ranks could not be kept: {error.strerror or error}."
            say(trouble)
    names = {"ranks": RANKS, "best": BEST_WEIGHTS, "checkpoint": CHECKPOINT}
    found = []
    for name, file in names.items():
        path = run.directory / file
        if path.is_file():
            place = path.relative_to(store.workspace).as_posix()
            found.append(Artifact(name, place, path.stat().st_size, file_sha256(path)))
    return tuple(found), trouble


def _write_ranks(path: Path, result: TrainingResult) -> None:
    """``users`` [U] and one array of ranks from 0 [U] a split, under a temporary name and renamed."""
    arrays: dict[str, Any] = {"users": result.users, **result.ranks}
    with replacing(path) as stream:
        np.savez_compressed(stream, **arrays)


@contextmanager
def _signals(recorder: Recorder) -> Iterator[None]:
    """A polite signal is a stop request: the run ends with its checkpoint."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        recorder.request_stop()

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
