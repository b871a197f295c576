"""Runs side by side share the cores; one that goes on keeps its number of threads."""

from __future__ import annotations

import pytest
import torch

from engine.config import ExperimentConfig
from engine.training.threads import GIVEN, share_cores

CPU = ExperimentConfig().replace({"train.device": "cpu"})


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Eight cores; what is chosen is written down and not done."""
    found: list[int] = []
    monkeypatch.delenv(GIVEN, raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", found.append)
    return found


@pytest.mark.parametrize(
    ("at_once", "before", "threads"),
    [(1, 0, 8), (2, 0, 4), (3, 0, 2), (8, 0, 1), (64, 0, 1), (1, 4, 4), (2, 8, 4), (2, 4, 4), (4, 1, 1), (1, 64, 8)],
)
def test_shares(chosen: list[int], at_once: int, before: int, threads: int) -> None:
    assert share_cores(CPU, at_once, before) == threads
    assert chosen == [threads]


def test_a_given_number_is_not_shared_out(chosen: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GIVEN, "8")
    assert share_cores(CPU, 4) == 8
    assert share_cores(CPU, 4, before=2) == 2


def test_another_devices_run_has_all_cores(chosen: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.threads.resolve", lambda _: torch.device("cuda"))
    assert share_cores(CPU.replace({"train.device": "auto"}), 4) == 8
    assert chosen == [8]
