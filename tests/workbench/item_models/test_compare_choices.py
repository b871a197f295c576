"""The groups that Compare offers: what a row says of runs that have not trained to their end."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from engine.records import ComparedChoice
from workbench.item_models.compare_choices import NUMBERS, ChoicesModel

ONE = ComparedChoice("SASRec", ("r1",), (1,), "shop", "f1", "{}", {"NDCG@20": 0.1}, {})
TWO = replace(ONE, run_ids=("r2", "r3"), seeds=(1, 2), unfinished={"r3": "stopped"})


def test_a_stopped_run_is_told_from_a_finished_one(qapp: object) -> None:
    model = ChoicesModel()
    model.set_choices([ONE, replace(ONE, unfinished={"r1": "stopped"}), TWO])
    column = 1
    assert NUMBERS[0] == "Seeds"
    assert [model.index(row, column).data() for row in range(3)] == ["1", "1\n1 stopped", "2\n1 stopped"]
    tips = [str(model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole)) for row in range(3)]
    assert "unfinished" not in tips[0]
    assert "Run r1 is marked stopped: its metrics are those of an unfinished training." in tips[1]
    assert "Run r3 is marked stopped" in tips[2]
    model.set_filter("stopped")
    assert len(model.rows) == 2
