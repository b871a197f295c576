"""Stand-ins for training, for tests of a run's life; run as a module it is a run's process.

``python -m tests.helpers.fake_training WORKSPACE ID KIND`` does the run with the training of that kind.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine.config import ExperimentConfig
from engine.records import EpochReport, RunRecord, TrainingResult
from engine.runs.execute import Tools, execute
from engine.runs.launch import LaunchedRun, launch
from engine.store import NewRun, Store
from engine.training.listening import Listener

FINGERPRINT = "0123456789abcdef"
CHECKPOINT = "checkpoint.pt"
Training = Callable[..., TrainingResult]


def new_run(epochs: int = 3, seed: int = 1, **changes: Any) -> NewRun:
    """A run to submit, with a real configuration."""
    config = ExperimentConfig().replace({"train.epochs": epochs, "train.seed": seed})
    values = {
        "name": "a run",
        "config": config.model_dump(mode="json"),
        "schema_version": config.schema_version,
        "dataset": "shop",
        "dataset_path": "sample",
        "fingerprint": FINGERPRINT,
        "seed": seed,
        "epochs": epochs,
    }
    return NewRun(**(values | changes))  # type: ignore[arg-type]


def submit(store: Store, count: int = 1, **changes: Any) -> tuple[RunRecord, ...]:
    """Queue ``count`` runs."""
    return store.submit([new_run(seed=seed + 1, **changes) for seed in range(count)])


def report(epoch: int, value: float = 0.5) -> EpochReport:
    """An epoch's report; ``value`` is its NDCG@20."""
    losses = {"next_item": 1.25 - 0.01 * epoch, "contrastive": 3.5}
    return EpochReport(epoch, 0.5, 0.25, losses, {"HR@20": 2 * value, "NDCG@20": value}, "memory", is_best=True)


def result(directory: Path, epochs: tuple[EpochReport, ...], stopped: bool = False, **changes: Any) -> TrainingResult:
    """A training's result with metrics and ranks of four users."""
    path = directory / CHECKPOINT
    values: dict[str, Any] = {
        "epochs": epochs,
        "best_epoch": epochs[-1].epoch if epochs else None,
        "metrics": {"valid": {"NDCG@20": 0.5}, "test": {"HR@10": 1 / 3, "HR@5": 0.25, "NDCG@20": 1 / 3}},
        "ranks": {"valid": np.array([0.0, 1.5, 7.0, 3.0]), "test": np.array([2.0, 0.0, 11.0, 4.0])},
        "users": np.arange(4, dtype=np.int64),
        "stopped": stopped,
        "stopped_early": False,
        "hybrid_started": False,
        "device": "cpu",
        "checkpoint": path if path.exists() else None,
    }
    return TrainingResult(**(values | changes))


def save(directory: Path, epochs: tuple[EpochReport, ...]) -> None:
    """Write the "checkpoint": the number of finished epochs."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CHECKPOINT).write_text(str(len(epochs)), encoding="utf-8")


def saved(directory: Path) -> tuple[EpochReport, ...]:
    """The epochs of the "checkpoint"."""
    path = directory / CHECKPOINT
    return tuple(report(epoch) for epoch in range(int(path.read_text(encoding="utf-8")))) if path.exists() else ()


def quick(
    config: ExperimentConfig, dataset: object, *, listener: Listener, directory: Path, resume: bool = False
) -> TrainingResult:
    """Every epoch at once."""
    epochs = saved(directory) if resume else ()
    for epoch in range(len(epochs), config.train.epochs):
        if listener.should_stop():
            return result(directory, epochs, stopped=True)
        listener.phase("training")
        listener.step(epoch, 1, 2, {"next_item": 1.5})
        epochs = (*epochs, report(epoch))
        save(directory, epochs)
        listener.epoch(epochs[-1])
    return result(directory, epochs)


def endless(
    config: ExperimentConfig, dataset: object, *, listener: Listener, directory: Path, resume: bool = False
) -> TrainingResult:
    """One epoch, then steps until it is asked to stop."""
    epochs = saved(directory) if resume else ()
    epoch = len(epochs)
    epochs = (*epochs, report(epoch))
    save(directory, epochs)
    listener.epoch(epochs[-1])
    step = 0
    while not listener.should_stop():
        step += 1
        listener.step(epoch + 1, step, 1_000_000, {"next_item": 1.5})
        time.sleep(0.005)
    return result(directory, epochs, stopped=True)


def stubborn(*arguments: Any, listener: Listener, directory: Path, **options: Any) -> TrainingResult:
    """Neither asks whether to stop nor answers a signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    save(directory, (report(0),))
    listener.phase("training")
    while True:
        time.sleep(0.01)


def ponderous(
    config: ExperimentConfig, dataset: object, *, listener: Listener, directory: Path, resume: bool = False
) -> TrainingResult:
    """Has steps of seconds, between which it asks."""
    epochs = (report(0),)
    save(directory, epochs)
    listener.epoch(epochs[0])
    while not listener.should_stop():
        until = time.monotonic() + 3
        while time.monotonic() < until:
            time.sleep(0.01)
    return result(directory, epochs, stopped=True)


def thorough(
    config: ExperimentConfig, dataset: object, *, listener: Listener, directory: Path, resume: bool = False
) -> TrainingResult:
    """Answers a stop request at once, and then tests what it has for a while."""
    stopped = endless(config, dataset, listener=listener, directory=directory, resume=resume)
    listener.phase("testing")
    time.sleep(2.0)
    return stopped


def broken(*arguments: Any, **options: Any) -> TrainingResult:
    """A fault of the program."""
    raise ZeroDivisionError("an example of a fault")


KINDS: dict[str, Training] = {
    "quick": quick,
    "endless": endless,
    "stubborn": stubborn,
    "ponderous": ponderous,
    "thorough": thorough,
    "broken": broken,
}


def tools(train: Training, *, fingerprint: str = FINGERPRINT) -> Callable[[], Tools]:
    """What ``execute`` works with."""
    dataset = SimpleNamespace(name="shop", fingerprint=fingerprint)
    return lambda: Tools(
        load=lambda _: dataset,
        train=train,
        asks_for_hybrid=lambda _: True,
        device=lambda _: "cpu",
        share_cores=lambda _, at_once, before: min(before or 8, 8 // at_once),
        kernels=lambda before: before or "compiled",
    )


def start(store: Store, run_id: str, kind: str) -> LaunchedRun:
    """The run in a process of its own."""
    module = "tests.helpers.fake_training"
    root = Path(__file__).parent.parent.parent
    code = f"import runpy, sys; sys.path.insert(0, {str(root)!r}); runpy.run_module({module!r}, run_name='__main__')"
    return launch(store, run_id, [sys.executable, "-c", code, str(store.workspace), run_id, kind])


if __name__ == "__main__":
    sys.exit(execute(Store.open(Path(sys.argv[1])), sys.argv[2], tools=tools(KINDS[sys.argv[3]])))
