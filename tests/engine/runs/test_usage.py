"""What a run uses is sampled, written with its progress, and read again."""

from __future__ import annotations

import pytest

from engine.runs import usage
from engine.runs.recorder import Recorder
from engine.runs.usage import Sampler
from engine.store import ProcessMark, Progress, Store
from tests.helpers.fake_training import submit


def test_a_sample_is_of_this_process() -> None:
    sampler = Sampler()
    assert not sampler.is_due
    first, second = sampler.sample(), sampler.sample()
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert first["memory"] > 1 << 20
    assert first["memory_free"] > 0
    assert 0 <= second["processor"] <= 1


def test_samples_come_with_the_progress_and_by_attempt(store: Store) -> None:
    (run,) = submit(store)
    store.claim(run.id, ProcessMark("host", 1, 1.0))
    row = {"processor": 0.5, "memory": 5 << 30, "memory_free": 7, "gpu": None, "gpu_memory": 3 << 32}
    store.record(run.id, 1, Progress(usage=[{"sequence": 1, **row}, {"sequence": 2, **row}]))
    found = store.usage(run.id)
    assert [(s.attempt, s.sequence, s.memory, s.gpu, s.gpu_memory) for s in found] == [
        (1, 1, 5 << 30, None, 3 << 32),
        (1, 2, 5 << 30, None, 3 << 32),
    ]
    assert [s.sequence for s in store.usage(run.id, (1, 1))] == [2]
    assert found[0].at.tzinfo is not None


def test_the_recorder_writes_samples_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "FIRST_SECONDS", 0.0)
    (run,) = submit(store)
    store.claim(run.id, ProcessMark("host", 1, 1.0))
    with Recorder(store, run.id, 1, epochs=1) as recorder:
        while not recorder._buffer.usage and not store.usage(run.id):
            recorder._closing.wait(0.05)
    recorder._flush()
    assert [s.sequence for s in store.usage(run.id)] == [1]
