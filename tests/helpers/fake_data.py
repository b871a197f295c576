"""A workspace full of runs in every state, for the window's tests and for looking at it."""

from __future__ import annotations

import math
from datetime import timedelta

from engine.config import preset
from engine.records import RunStatus
from tests.helpers.fake_runs import EPOCH, FakeRuns, make_record


def fill_runs(runs: FakeRuns) -> None:
    """Two finished, two running, one queued, and one of each bad end, with curves."""
    config = preset("sample").config.replace({"augment.crop_rate": 0.4})
    dumped = config.model_dump(mode="json")
    metrics = {
        split: {f"{kind}@{k}": scale * k**0.6 / 40 for kind in ("HR", "NDCG") for k in (5, 10, 20)}
        for split, scale in (("valid", 1.1), ("test", 1.0))
    }
    rows = (
        (RunStatus.FINISHED, 20, {"metrics": metrics, "best_epoch": 17, "hybrid_started": True, "progress": 1.0}),
        (RunStatus.FINISHED, 9, {"metrics": metrics, "best_epoch": 6, "hybrid_started": False, "progress": 1.0}),
        (RunStatus.FAILED, 3, {"message": "The device's memory ran out.", "hint": "Use a smaller batch size."}),
        (RunStatus.STOPPED, 7, {"progress": 0.35}),
        (RunStatus.LOST, 4, {"message": "Its process is gone.", "progress": 0.2}),
        (RunStatus.RUNNING, 14, {"progress": 0.7, "seconds_left": 83.0, "phase": "training", "step": 5}),
        (RunStatus.RUNNING, 6, {"progress": 0.31, "seconds_left": 412.0, "phase": "validating", "step": 8}),
        (RunStatus.QUEUED, 0, {}),
        (RunStatus.CANCELLED, 0, {"message": "Taken out of the queue."}),
    )
    for number, (status, epochs, changes) in enumerate(rows, 1):
        run_id = f"r{number:04d}"
        moment = EPOCH + timedelta(minutes=7 * number)
        runs.put(
            make_record(
                run_id,
                name=config.replace({"train.seed": number}).short(),
                status=status,
                seed=number,
                epoch=epochs,
                config=dumped,
                attempt=0 if status is RunStatus.QUEUED else 1,
                created_at=moment,
                started_at=moment if epochs else None,
                ended_at=moment + timedelta(minutes=3) if status.is_end else None,
                **changes,
            )
        )
        shift = 1 + number / 9
        for name, top in (("loss/next_item", 1.3), ("loss/contrastive", 4.4), ("loss/total", 1.74)):
            runs.add_points(run_id, name, [top * (0.4 + 0.6 * math.exp(-e / (5 * shift))) for e in range(epochs)])
        for name, top in (("valid/NDCG@20", 0.05), ("valid/HR@10", 0.09)):
            runs.add_points(run_id, name, [top * (1 - math.exp(-(e + 1) / (4 * shift))) for e in range(epochs)])
