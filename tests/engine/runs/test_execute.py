"""A run's process: every way out is a status."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import ExperimentConfig
from engine.errors import DataError
from engine.records import RunStatus, TrainingResult
from engine.runs.execute import describe, execute
from engine.store import Ending, Store
from tests.helpers import fake_training
from tests.helpers.fake_training import report, result, save, submit, tools


def test_a_run_finishes_with_everything_recorded(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)
    assert execute(store, run.id, tools=tools(fake_training.quick)) == 0
    run = store.get(run.id)
    assert (run.status, run.attempt, run.progress, run.phase) == (RunStatus.FINISHED, 1, 1.0, "")
    assert run.message == "Trained 3 epochs; the best was epoch 3. The hybrid phase (E = 160) never began."
    assert run.hybrid_started is False
    assert run.best_epoch == 2
    assert run.metrics == {"valid": {"NDCG@20": 0.5}, "test": {"HR@5": 0.25, "HR@10": 1 / 3, "NDCG@20": 1 / 3}}
    assert set(run.versions) == {"engine", "python", "torch", "numpy", "scipy"}
    assert run.hardware["memory"].endswith("GiB")
    assert (run.device, run.pid) == ("cpu", os.getpid())
    assert run.started_at is not None
    assert run.ended_at is not None
    assert run.started_at <= run.ended_at
    told = capfd.readouterr().err
    assert "epoch 3/3" in told
    assert "cpu, 8 threads, kernels compiled\n" in told


def test_ranks_are_kept_with_their_hash(store: Store) -> None:
    (run,) = submit(store)
    execute(store, run.id, tools=tools(fake_training.quick))
    found = {item.name: item for item in store.artifacts(run.id)}
    assert set(found) == {"ranks", "checkpoint"}
    path = run.directory / "ranks.npz"
    assert found["ranks"].path == path
    assert found["ranks"].size == path.stat().st_size
    assert found["ranks"].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with np.load(path, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["test", "users", "valid"]
        assert arrays["test"].tolist() == [2.0, 0.0, 11.0, 4.0]
    assert [item.name for item in run.directory.iterdir() if item.name.startswith(".")] == []


def test_a_second_start_does_nothing(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)
    execute(store, run.id, tools=tools(fake_training.quick))
    before = store.get(run.id)
    assert execute(store, run.id, tools=tools(fake_training.broken)) == 0
    assert store.get(run.id) == before
    assert f"Run {run.id} is finished already" in capfd.readouterr().err


def test_a_fault_of_the_program_keeps_its_trace(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)
    assert execute(store, run.id, tools=tools(fake_training.broken)) == 1
    run = store.get(run.id)
    assert (run.status, run.message) == (RunStatus.FAILED, "ZeroDivisionError: an example of a fault")
    assert "log has the full trace" in run.hint
    err = capfd.readouterr().err
    assert "Traceback" in err
    assert "in broken" in err


def test_what_the_user_can_mend_is_one_sentence(store: Store) -> None:
    def refuses(*_: Any, **__: Any) -> TrainingResult:
        raise DataError("no user is long enough.", "Take other data.", path="shop.txt", line=3)

    (run,) = submit(store)
    assert execute(store, run.id, tools=tools(refuses)) == 1
    run = store.get(run.id)
    assert (run.message, run.hint) == ("shop.txt, line 3: no user is long enough.", "Take other data.")


def test_out_of_memory_names_batch_size_and_length(store: Store) -> None:
    def greedy(*_: Any, **__: Any) -> TrainingResult:
        raise MemoryError

    (run,) = submit(store)
    execute(store, run.id, tools=tools(greedy))
    assert store.get(run.id).message == "The memory ran out with train.batch_size 256 and model.max_length 50."


def test_data_that_changed_since_is_refused(store: Store) -> None:
    (run,) = submit(store)
    execute(store, run.id, tools=tools(fake_training.quick, fingerprint="f" * 16))
    run = store.get(run.id)
    assert run.status is RunStatus.FAILED
    assert "has changed since the run was submitted" in run.message


def test_a_configuration_that_is_no_longer_understood_fails_the_run_only(store: Store) -> None:
    config = json.loads(ExperimentConfig().model_dump_json())
    config["train"]["warp"] = 9
    (run,) = submit(store, config=config)
    assert execute(store, run.id, tools=tools(fake_training.quick)) == 1
    run = store.get(run.id)
    assert run.message.startswith("train.warp: there is no such setting")
    assert run.config["train"]["warp"] == 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_is_a_stop_request(store: Store, number: signal.Signals) -> None:
    def signalled(*arguments: Any, listener: Any, **options: Any) -> TrainingResult:
        os.kill(os.getpid(), number)
        return fake_training.endless(*arguments, listener=listener, **options)

    before = signal.getsignal(number)
    (run,) = submit(store)
    assert execute(store, run.id, tools=tools(signalled)) == 0
    run = store.get(run.id)
    assert run.status is RunStatus.STOPPED
    assert run.message.startswith("Stopped as asked after 1 epoch; the best was epoch 1.")
    assert (run.epoch, run.progress) == (0, pytest.approx(1 / run.epochs))
    assert (run.directory / fake_training.CHECKPOINT).is_file()
    assert signal.getsignal(number) is before


def test_a_resumed_run_goes_on_from_its_checkpoint(store: Store) -> None:
    (run,) = submit(store, epochs=4)
    store.claim(run.id, fake_training_mark())
    save(run.directory, (report(0), report(1)))
    store.end(run.id, 1, Ending(RunStatus.LOST))
    store.requeue(run.id)
    execute(store, run.id, tools=tools(fake_training.quick))
    run = store.get(run.id)
    assert (run.status, run.attempt) == (RunStatus.FINISHED, 2)
    assert [epoch.epoch for epoch in store.epochs(run.id)] == [2, 3]  # the first attempt recorded none of its own


def test_a_first_attempt_ignores_a_checkpoint_that_is_not_its_own(store: Store) -> None:
    (run,) = submit(store, epochs=3)
    save(run.directory, (report(0), report(1)))
    execute(store, run.id, tools=tools(fake_training.quick))
    assert [epoch.epoch for epoch in store.epochs(run.id)] == [0, 1, 2]


def test_a_run_swept_while_it_slept_writes_nothing(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    def sleeper(*arguments: Any, listener: Any, directory: Any, **options: Any) -> TrainingResult:
        store.end(run.id, 1, Ending(RunStatus.LOST, "swept"))
        return fake_training.endless(*arguments, listener=listener, directory=directory, **options)

    (run,) = submit(store)
    assert execute(store, run.id, tools=tools(sleeper)) == 0
    found = store.get(run.id)
    assert (found.status, found.message, found.metrics) == (RunStatus.LOST, "swept", {})
    assert store.epochs(run.id) == ()
    assert "no longer the current one" in capfd.readouterr().err


def test_ranks_that_cannot_be_kept_do_not_cost_the_run(store: Store) -> None:
    def trains(*arguments: Any, directory: Any, **options: Any) -> TrainingResult:
        (directory / "ranks.npz").mkdir(parents=True)
        return fake_training.quick(*arguments, directory=directory, **options)

    (run,) = submit(store)
    assert execute(store, run.id, tools=tools(trains)) == 0
    run = store.get(run.id)
    assert run.status is RunStatus.FINISHED
    assert "ranks could not be kept" in run.message
    assert run.metrics["test"]["HR@5"] == 0.25


def test_the_ending_is_told_in_words(tmp_path: Any) -> None:
    config = ExperimentConfig().replace({"train.patience": 2, "train.max_minutes": 1.5})
    two = (report(0), report(1))
    cases = {
        "Trained 2 epochs; the best was epoch 2.": {"hybrid_started": True},
        "Ended after 2 epochs, 2 without a better validation; the best was epoch 1.": {
            "stopped_early": True,
            "best_epoch": 0,
            "hybrid_started": None,
        },
        "Trained 2 epochs; the best was epoch 2. The hybrid phase (E = 160) never began.": {},
        "Ended after its 1.5 minutes: 2 epochs; the best was epoch 2.": {"out_of_time": True, "hybrid_started": None},
        "Ended after its 1.5 minutes: 2 epochs, the last one cut after 1,200 steps; the best was epoch 1.": {
            "out_of_time": True,
            "cut_at": 1200,
            "best_epoch": 0,
            "hybrid_started": None,
        },
    }
    for text, changes in cases.items():
        assert describe(config, result(tmp_path, two, **changes)) == text
    nothing = {"hybrid_started": None}
    assert describe(config, result(tmp_path, (), **nothing)) == "Evaluated; there was nothing to train."
    assert "before the first epoch's end" in describe(config, result(tmp_path, (), stopped=True, **nothing))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "epochs"),
        ({"stopped_early": True}, "patience"),
        ({"out_of_time": True}, "time"),
        ({"stopped": True}, "asked"),
        ({"epochs": ()}, "nothing"),
    ],
)
def test_why_it_ended_and_how_long_it_trained_is_recorded(store: Store, changes: dict[str, Any], word: str) -> None:
    (run,) = submit(store)

    def train(*_: Any, directory: Path, **__: Any) -> Any:
        return result(directory, **{"epochs": (report(0),), "seconds": 12.5, **changes})

    execute(store, run.id, tools=tools(train))
    ended = store.get(run.id)
    assert (ended.ended_by, ended.train_seconds) == (word, 12.5)
    if word == "asked":
        store.requeue(run.id)
        store.claim(run.id, fake_training_mark())
        assert store.get(run.id).ended_by == ""


def fake_training_mark() -> Any:
    from engine.store import ProcessMark

    return ProcessMark("host", 1, 1.0)


def test_runs_at_once_share_the_cores(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    first, second, third = submit(store, 3)

    def go(run_id: str, training: fake_training.Training, *, has_checkpoint: bool = True) -> str:
        run = store.get(run_id)
        if has_checkpoint:
            save(run.directory, (report(0),))
        execute(store, run_id, tools=tools(training))
        return store.get(run_id).hardware["threads"]

    assert go(first.id, fake_training.broken) == "8"
    store.desk.set_at_once("cpu", 2)
    assert go(second.id, fake_training.broken) == go(third.id, fake_training.broken, has_checkpoint=False) == "4"
    store.requeue(first.id)
    assert go(first.id, fake_training.quick) == "4"
    assert "Goes on with 4 threads, all that it may have, instead of 8" in capfd.readouterr().err
    store.desk.set_at_once("cpu", 1)
    store.requeue(second.id)
    assert go(second.id, fake_training.quick) == "4", "the same sums as before"
    assert "Goes on with" not in capfd.readouterr().err
    store.requeue(third.id)
    assert go(third.id, fake_training.quick, has_checkpoint=False) == "8", "there are no sums to go on with"


def test_a_run_that_goes_on_keeps_its_kernels(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)

    def go(training: fake_training.Training, available: str) -> str:
        kit = replace(
            tools(training)(), kernels=lambda before: before if before in ("of PyTorch", available) else available
        )
        execute(store, run.id, tools=lambda: kit)
        return store.get(run.id).hardware["kernels"]

    assert go(fake_training.broken, "compiled for AVX2") == "compiled for AVX2"
    store.requeue(run.id)
    assert go(fake_training.broken, "compiled for AVX512") == "compiled for AVX512", "there are no sums to go on with"
    save(store.get(run.id).directory, (report(0),))
    store.requeue(run.id)
    assert go(fake_training.broken, "compiled for AVX512") == "compiled for AVX512"
    assert "Goes on with kernels" not in capfd.readouterr().err
    store.requeue(run.id)
    assert go(fake_training.quick, "compiled for AVX2") == "compiled for AVX2"
    assert "Goes on with kernels compiled for AVX2; those compiled for AVX512 are not to be" in capfd.readouterr().err


def test_a_run_of_before_there_were_kernels_goes_on_without(store: Store) -> None:
    (run,) = submit(store)
    save(run.directory, (report(0),))
    kit = tools(fake_training.broken)()
    execute(store, run.id, tools=lambda: replace(kit, device=lambda _: 1 / 0))
    store.requeue(run.id)
    execute(store, run.id, tools=tools(fake_training.quick))
    assert store.get(run.id).hardware["kernels"] == "of PyTorch"


def test_a_run_says_that_its_threads_are_not_known(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    (run,) = submit(store)
    save(run.directory, (report(0),))
    kit = tools(fake_training.broken)()
    unknown = replace(kit, device=lambda _: 1 / 0)  # as runs of before threads were recorded: none stands there
    execute(store, run.id, tools=lambda: unknown)
    store.requeue(run.id)
    execute(store, run.id, tools=tools(fake_training.quick))
    assert "Goes on with 8 threads; with how many it began is not known" in capfd.readouterr().err


@pytest.mark.parametrize(("device", "threads"), [("cuda", "2"), ("cpu", "4")])
def test_the_rule_is_that_of_the_device_which_was_counted(store: Store, device: str, threads: str) -> None:
    store.desk.set_at_once("cpu", 2)
    store.desk.set_at_once("cuda", 4)
    (run,) = submit(store, config=ExperimentConfig().replace({"train.device": device}).model_dump(mode="json"))
    execute(store, run.id, tools=tools(fake_training.quick))
    assert store.get(run.id).hardware["threads"] == threads
