"""The trainer's small parts: early stopping, generators, checkpoints, devices."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.config import ExperimentConfig
from engine.data.dataset import build
from engine.data.splits import LeaveOneOut
from engine.errors import ConfigurationError, RunError, UsageError
from engine.training import checkpoint, setup
from engine.training.device import describe, devices, resolve
from engine.training.early_stopping import EarlyStopping
from engine.training.seeding import Generators

CPU = torch.device("cpu")


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=30), st.integers(1, 4))
def test_early_stopping_waits_for_a_strictly_greater_value(values: list[float], patience: int) -> None:
    stopping, waited, best = EarlyStopping(patience), 0, -1.0
    for epoch, value in enumerate(values):
        is_best = value > best
        waited = 0 if is_best else waited + 1
        best = max(best, value)
        assert stopping.update(epoch, value) == is_best
        assert stopping.is_over == (waited >= patience)
    assert stopping.best_epoch == values.index(max(values))
    other = EarlyStopping(patience)
    other.restore(stopping.state())
    assert vars(other) == vars(stopping)


def draws(generators: Generators) -> list[list[float]]:
    return [
        torch.rand(3).tolist(),
        torch.rand(3, generator=generators.views).tolist(),
        torch.rand(3, generator=generators.masks).tolist(),
        torch.rand(3, generator=generators.negatives).tolist(),
        generators.order.random(3).tolist(),
    ]


def test_generators_are_apart_and_continue_where_they_stood(tmp_path: Path) -> None:
    generators = Generators(3, CPU)
    first = draws(generators)
    assert len({tuple(row) for row in first}) == 5
    checkpoint.write(tmp_path / "state.pt", {"generators": generators.state()})
    then = draws(generators)
    other = Generators(99, CPU)
    assert draws(other) != first
    other.restore(checkpoint.read(tmp_path / "state.pt")["generators"])
    assert draws(other) == then
    assert draws(Generators(3, CPU)) == first


def test_a_checkpoint_is_whole_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "checkpoint.pt"
    checkpoint.write(path, {"value": torch.arange(3)})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left"):
        checkpoint.write(path, {"value": torch.arange(9)})
    assert checkpoint.read(path)["value"].tolist() == [0, 1, 2]
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("room", [100, 3_000, 50_000, 250_000, 262_144])
def test_a_disk_that_fills_up_in_the_middle_of_a_checkpoint_is_no_fault_of_the_program(
    tmp_path: Path, room: int
) -> None:
    """PyTorch tells it as a ``RuntimeError`` about its archive. A limit of the file's size stands for the disk's."""
    import resource

    path = tmp_path / "checkpoint.pt"
    checkpoint.write(path, {"value": torch.arange(3)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(RunError, match="cannot be written: File too large") as caught:
            checkpoint.write(path, {"a": torch.zeros(256, 128), "b": torch.zeros(256, 128)})  # 2 · 128 KiB
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.hint == "Make room."
    assert checkpoint.read(path)["value"].tolist() == [0, 1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_fault_of_the_program_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        checkpoint.write(tmp_path / "checkpoint.pt", {})


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("sprung",)


def test_nothing_in_a_file_is_ever_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": "coserec-workbench", "model": Trap()}, tmp_path / "trap.pt")
    (tmp_path / "trap.pkl").write_bytes(pickle.dumps(Trap()))
    for name in ("trap.pt", "trap.pkl"):
        with pytest.raises(UsageError, match="no file of weights"):
            checkpoint.read_weights(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 40, b"PK\x03\x04" + b"\0" * 99])
def test_files_that_hold_no_weights_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "junk.pt").write_bytes(content)
    for read in (checkpoint.read, checkpoint.read_weights):
        with pytest.raises(UsageError, match=r"junk\.pt"):
            read(tmp_path / "junk.pt")


def test_folders_missing_files_and_other_content_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no checkpoint"):
        checkpoint.read(tmp_path / "none.pt")
    with pytest.raises(UsageError, match="is a folder"):
        checkpoint.read_weights(tmp_path)
    torch.save({"format": "coserec-workbench"}, tmp_path / "hollow.pt")
    with pytest.raises(UsageError, match="holds no model weights"):
        checkpoint.read_weights(tmp_path / "hollow.pt")
    torch.save({"a": 1}, tmp_path / "other.pt")
    with pytest.raises(UsageError, match="is not a checkpoint"):
        checkpoint.read(tmp_path / "other.pt")
    with pytest.raises(UsageError, match="holds no model weights"):
        checkpoint.read_weights(tmp_path / "other.pt")


def test_weights_are_found_in_our_files_and_in_bare_ones(tmp_path: Path) -> None:
    weights = {"w": torch.arange(2.0)}
    checkpoint.write(tmp_path / "best.pt", {"model": weights})
    checkpoint.write(tmp_path / "checkpoint.pt", {"model": {"w": torch.zeros(2)}, "best": weights})
    torch.save(weights, tmp_path / "bare.pt")
    torch.save({"state_dict": {"module.w": weights["w"]}}, tmp_path / "wrapped.pt")
    for name, is_bare in (("best", False), ("checkpoint", False), ("bare", True), ("wrapped", True)):
        found = checkpoint.read_weights(tmp_path / f"{name}.pt")
        assert (found.values["w"].tolist(), found.is_published) == ([0, 1], is_bare), name


def test_devices_are_listed_and_resolved() -> None:
    found = devices()
    assert found[0].name == "cpu"
    assert found[0].total_memory is not None
    assert found[0].free_memory is not None
    assert 0 < found[0].free_memory <= found[0].total_memory
    assert resolve("cpu") == CPU
    assert resolve("auto").type in {device.name for device in found}
    assert describe(CPU) == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_refused_at_its_field() -> None:
    with pytest.raises(ConfigurationError, match=r"train\.device: .*no cuda device") as caught:
        resolve("cuda")
    assert caught.value.field == "train.device"
    assert "cpu" in caught.value.hint


def test_order_is_that_of_numpys_own_generator() -> None:
    generators = Generators(1, CPU)
    order = generators.order.permutation(np.arange(50))
    assert sorted(order.tolist()) == list(range(50))
    assert order.tolist() != list(range(50))


@pytest.mark.parametrize(
    ("switches", "drawn"),
    [
        ({"negatives_exclude": "training", "negatives_draw_mask": False}, {5, 6, 7, 8}),
        ({"negatives_exclude": "whole", "negatives_draw_mask": False}, {7, 8}),
        ({"negatives_exclude": "whole", "negatives_draw_mask": True}, {7, 8, 9}),
    ],
)
def test_negatives_are_those_that_the_configuration_allows(switches: dict[str, Any], drawn: set[int]) -> None:
    """FACTS F7: the user's training part is 1 to 4, held out are 5 and 6, and 9 is the mask token."""
    items = np.array([1, 2, 3, 4, 5, 6, 7, 8, 7, 8, 7, 8])  # two users of six
    dataset = build(Path("two.txt"), np.array([1, 2]), items, np.array([0, 6, 12]))
    config = ExperimentConfig().replace({f"fidelity.{name}": value for name, value in switches.items()})
    generators = Generators(1, CPU)
    split = LeaveOneOut(dataset.sequences)
    task = setup.next_item(config, dataset, split, setup.model(config, dataset, split, generators.initial), generators)
    assert set(task.loss_function.sampler(torch.zeros(500, dtype=torch.int64), generators.negatives).tolist()) == drawn
