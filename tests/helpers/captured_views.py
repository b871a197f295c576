"""A real training run in a process of its own, and what it made of one user: views as lists of item ids, as JSON.

The window's process must not import torch, and what its page draws is to be compared with a run that really trains.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def captured_views(changes: dict[str, Any], user: str, epoch: int) -> list[list[str]]:
    """Both views of ``user`` in the zero-based ``epoch`` of a run of the sample preset with ``changes``."""
    from engine.augment.views import AugmentedBatch, Augmenter
    from engine.config import preset
    from engine.data.dataset import load
    from engine.data.splits import leave_one_out
    from engine.training.listening import Silent
    from engine.training.trainer import Trainer

    seen: list[tuple[np.ndarray, AugmentedBatch]] = []
    views, step = Augmenter.views, Trainer._step
    now: list[np.ndarray] = []

    def capturing_step(self: Trainer, batch: Any) -> Any:
        now[:] = [batch.rows.numpy()]
        return step(self, batch)

    def capturing_views(self: Augmenter, *arguments: Any) -> AugmentedBatch:
        made = views(self, *arguments)
        seen.append((now[0], made))
        return made

    Trainer._step, Augmenter.views = capturing_step, capturing_views  # type: ignore[method-assign,assignment]
    dataset = load("sample")
    with tempfile.TemporaryDirectory() as folder:
        Trainer(preset("sample").config.replace(changes), dataset, listener=Silent(), directory=Path(folder)).run()
    row = leave_one_out(dataset).users.tolist().index(dataset.user_ids.tolist().index(user))
    batches = [(rows, made) for rows, made in seen if row in rows]
    rows, made = batches[epoch]
    place = rows.tolist().index(row)
    found = []
    for index in (place, len(rows) + place):
        items = made.items[made.offsets[index] : made.offsets[index + 1]].tolist()
        found.append(["[mask]" if item == dataset.mask_id else str(dataset.item_ids[item]) for item in items])
    return found


if __name__ == "__main__":
    print(json.dumps(captured_views(json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
