"""The chips on the page are the views that a real training run makes: same seed, same epoch, same user."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pytestqt.qtbot import QtBot

from workbench.context import Context
from workbench.pages.augment import PAGE, AugmentPage

ROOT = Path(__file__).parents[3]
CHANGES = {
    "model.hidden_size": 8,
    "train.batch_size": 64,
    "train.epochs": 2,
    "train.device": "cpu",
    "train.seed": 7,
    "data.path": "sample",
}
EPOCH = 1


def test_the_chips_are_a_batch_of_a_real_run(qtbot: QtBot, engine_context: Context) -> None:
    engine_context.session.open_dataset("sample")
    engine_context.session.change({name: value for name, value in CHANGES.items() if name != "data.path"})
    page = PAGE.build(engine_context)
    assert isinstance(page, AugmentPage)
    qtbot.addWidget(page)
    page.show()
    page.page_shown()
    qtbot.waitUntil(lambda: page.preview is not None, timeout=60_000)
    page.seed.setValue(7)
    page.epoch.setValue(EPOCH + 1)
    qtbot.waitUntil(
        lambda: page.preview is not None and "as in epoch 2 of a run with seed 7" in page.why.full, timeout=60_000
    )
    assert page.preview is not None
    standing = [[chip for chip in row.chips if chip.position is not None] for row in page.chips.alignment.rows[1:]]
    shown = [[chip.item for chip in sorted(row, key=lambda chip: chip.position or 0)] for row in standing]
    command = [sys.executable, "-m", "tests.helpers.captured_views", json.dumps(CHANGES), page.preview.user, str(EPOCH)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert shown == json.loads(done.stdout)
